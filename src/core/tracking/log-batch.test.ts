import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import type { LoggedMetric, MetricPoint } from "./index.ts";
import { actor, start, trackingForTests } from "./test-support/open-tracking.ts";

await onEachDatabase((open) => {
  const under = trackingForTests(open);
  const newRun = async (id?: string) =>
    (await under.tracking.runs.create({ experiment: "late", actor, ...(id !== undefined && { id }) })).id;
  const history = async (id: string, key: string) => (await under.tracking.metricHistory(id, key)).items;
  const record = (id: string) => under.tracking.runs.record(id);

  describe("a batch", () => {
    test("is logged whole or not at all", async () => {
      const id = await newRun();
      await under.tracking.logParams(id, { c: 1 });
      const batch = {
        metrics: [{ key: "loss", value: 1 }],
        params: [
          { key: "d", value: "1" },
          { key: "c", value: "2" },
        ],
        tags: [{ key: "t", value: "v" }],
      };
      await expect(under.tracking.logBatch(id, batch)).rejects.toMatchObject({
        code: "TRACKING_PARAM_CHANGED",
        kind: "conflict",
      });
      expect(await record(id)).toMatchObject({ params: { c: "1" }, metrics: {} });
      expect((await record(id)).tags.t).toBeUndefined();
    });

    test("of another run is not disturbed by one that is refused in the same commit", async () => {
      const ids = await Promise.all(Array.from({ length: 6 }, () => newRun()));
      const deleted = ids[1] ?? "";
      await under.tracking.runs.delete(deleted);
      const outcomes = await Promise.allSettled([
        ...ids.map((id) =>
          under.tracking.logBatch(id, { metrics: [{ key: "m", value: 1 }], params: [{ key: "p", value: "1" }] }),
        ),
        under.tracking.logBatch("run-none", { metrics: [{ key: "m", value: 1 }] }),
      ]);
      expect(outcomes.map((outcome) => (outcome.status === "fulfilled" ? "logged" : outcome.reason.code))).toEqual([
        "logged",
        "TRACKING_RUN_DELETED",
        "logged",
        "logged",
        "logged",
        "logged",
        "TRACKING_RUN_UNKNOWN",
      ]);
      for (const id of ids) expect((await record(id)).metrics.m?.value).toBe(id === deleted ? undefined : 1);
    });

    test("has its limits", async () => {
      const id = await newRun();
      const metrics = (count: number) => Array.from({ length: count }, (_, step) => ({ key: "m", value: step, step }));
      const entries = (count: number) => Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: "v" }));
      const tooLarge = { code: "TRACKING_BATCH_TOO_LARGE", kind: "invalid" };
      const { tracking } = under;
      await tracking.logBatch(id, { metrics: metrics(800), params: entries(100), tags: entries(100) });
      await expect(tracking.logBatch(id, { metrics: metrics(1_001) })).rejects.toMatchObject(tooLarge);
      await expect(tracking.logBatch(id, { params: entries(101) })).rejects.toMatchObject(tooLarge);
      await expect(tracking.logBatch(id, { tags: entries(101) })).rejects.toMatchObject(tooLarge);
      await expect(tracking.logBatch(id, { metrics: metrics(1_000), tags: entries(1) })).rejects.toMatchObject(tooLarge);
      expect(Object.keys((await record(id)).params)).toHaveLength(100);
    });

    test("may be empty", async () => {
      const id = await newRun();
      await under.tracking.logBatch(id, {});
      await under.tracking.logBatch(id, { metrics: [], params: [], tags: [] });
      await expect(under.tracking.logBatch("run-none", {})).rejects.toMatchObject({ code: "TRACKING_RUN_UNKNOWN" });
    });

    test("refuses keys that are no keys and values that are too long", async () => {
      const id = await newRun();
      const { tracking } = under;
      for (const key of [
        "",
        ".",
        "..",
        "../a",
        "a/../b",
        "a//b",
        "/a",
        "a/",
        "a/./b",
        "..a",
        "a;b",
        "a'b",
        'a"b',
        "a\nb",
        "a\0b",
        "a%b",
        "k".repeat(251),
      ])
        for (const batch of [
          { metrics: [{ key, value: 1 }] },
          { params: [{ key, value: "1" }] },
          { tags: [{ key, value: "1" }] },
        ])
          await expect(tracking.logBatch(id, batch), JSON.stringify(key)).rejects.toMatchObject({
            code: "TRACKING_NAME_INVALID",
          });
      for (const key of ["a", "a.b", "a/b", "a b", "a-b_c:d", "naïve", "損失", "k".repeat(250)]) {
        const entries = [{ key, value: "1" }];
        await tracking.logBatch(id, { metrics: [{ key, value: 1 }], params: entries, tags: entries });
      }
      await tracking.logBatch(id, {
        params: [{ key: "p", value: "x".repeat(6_000) }],
        tags: [{ key: "t", value: "x".repeat(8_000) }],
      });
      const tooLong = { code: "TRACKING_VALUE_TOO_LONG", kind: "invalid" };
      await expect(tracking.logBatch(id, { params: [{ key: "q", value: "x".repeat(6_001) }] })).rejects.toMatchObject(tooLong);
      await expect(tracking.logBatch(id, { tags: [{ key: "q", value: "x".repeat(8_001) }] })).rejects.toMatchObject(tooLong);
      await expect(tracking.setTags(id, { q: "a\0b" })).rejects.toMatchObject({ code: "TRACKING_VALUE_INVALID" });
      expect(Object.keys((await record(id)).params)).toHaveLength(9);
    });

    test("keeps quotes, semicolons and comments in values as text: nothing of it is SQL", async () => {
      const id = await newRun();
      const value = `'); DROP TABLE runs; -- " \\ \${x} %s \u{1f680} {"a":[1]} {NULL}`;
      await under.tracking.logBatch(id, { params: [{ key: "p", value }], tags: [{ key: "t", value }] });
      const run = await record(id);
      expect([run.params.p, run.tags.t]).toEqual([value, value]);
    });
  });

  describe("params", () => {
    test("never change; the same value again is fine", async () => {
      const id = await newRun();
      await under.tracking.logParams(id, { c: 1 });
      await under.tracking.logParams(id, { c: 1 });
      await expect(under.tracking.logParams(id, { d: 1, c: 2 })).rejects.toMatchObject({
        code: "TRACKING_PARAM_CHANGED",
        details: { key: "c", old: "1", value: "2" },
      });
      expect((await record(id)).params).toEqual({ c: "1" });
    });

    test("of calls that share a commit the first one's value stays", async () => {
      const id = await newRun();
      const outcomes = await Promise.allSettled(
        ["1", "2", "1"].map((value) => under.tracking.logBatch(id, { params: [{ key: "c", value }] })),
      );
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect((await record(id)).params).toEqual({ c: "1" });
    });

    test("may be in a call once", async () => {
      const id = await newRun();
      const twice = [
        { key: "c", value: "1" },
        { key: "c", value: "1" },
      ];
      await expect(under.tracking.logBatch(id, { params: twice })).rejects.toMatchObject({ code: "TRACKING_PARAM_TWICE" });
    });

    test("called like properties of objects are params", async () => {
      const id = await newRun();
      const keys = ["__proto__", "constructor", "toString"];
      await under.tracking.logBatch(id, {
        params: keys.map((key) => ({ key, value: "1" })),
        metrics: keys.map((key) => ({ key, value: 1 })),
      });
      const run = await record(id);
      expect(Object.keys(run.params).toSorted()).toEqual(keys.toSorted());
      expect(Object.keys(run.metrics).toSorted()).toEqual(keys.toSorted());
    });
  });

  describe("tags", () => {
    test("of one call the last value of a key counts", async () => {
      const id = await newRun();
      await under.tracking.logBatch(id, { tags: ["1", "2"].map((value) => ({ key: "t", value })) });
      expect((await record(id)).tags.t).toBe("2");
    });

    test("are deleted once, also by calls that share a commit with the one that sets them", async () => {
      const id = await newRun();
      const { tracking } = under;
      await Promise.all([tracking.setTags(id, { t: "1" }), tracking.deleteTag(id, "t"), tracking.setTags(id, { u: "1" })]);
      expect((await record(id)).tags).toMatchObject({ u: "1" });
      expect((await record(id)).tags.t).toBeUndefined();
      const unknown = { code: "TRACKING_TAG_UNKNOWN", kind: "not-found" };
      await expect(tracking.deleteTag(id, "t")).rejects.toMatchObject(unknown);
      const outcomes = await Promise.allSettled([tracking.deleteTag(id, "u"), tracking.deleteTag(id, "u")]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    });
  });

  describe("metrics", () => {
    test("not-a-number and the infinities come back as they were", async () => {
      const id = await newRun();
      const values = [
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        -0.5,
        0,
        1e-300,
        5e-324,
        1.7976931348623157e308,
        0.1 + 0.2,
      ];
      await under.tracking.logMetrics(
        id,
        values.map((value, step) => ({ key: "loss", value, step, low: Number.NaN, high: Number.POSITIVE_INFINITY })),
      );
      const points = await history(id, "loss");
      expect(points.map(({ value }) => value)).toEqual(values);
      expect(points.every(({ low, high }) => low === null && high === Number.POSITIVE_INFINITY)).toBe(true);
    });

    test("the same in every part is kept once; another value at the same step and time is kept too", async () => {
      const id = await newRun();
      const points: LoggedMetric[] = [1, 1, 2, Number.NaN, Number.NaN, 0, -0].map((value) => ({
        key: "loss",
        value,
        step: 3,
        at: start,
      }));
      await under.tracking.logMetrics(id, points);
      await under.tracking.logMetrics(id, points.toReversed());
      expect((await history(id, "loss")).map(({ value }) => value)).toEqual([0, Number.NaN, 1, 2]);
      expect((await record(id)).metrics.loss?.value).toBe(2);
    });

    test("the last one has the greatest step, then time, then value, in whatever order they come", async () => {
      const id = await newRun();
      await under.tracking.logMetrics(id, [{ key: "loss", value: 1, step: 5, at: start }]);
      await under.tracking.logMetrics(id, [{ key: "loss", value: 9, step: 4, at: start + 9 }]);
      expect((await record(id)).metrics.loss).toMatchObject({ value: 1, step: 5 });
      await under.tracking.logMetrics(id, [{ key: "loss", value: 0, step: 5, at: start + 1 }]);
      expect((await record(id)).metrics.loss).toMatchObject({ value: 0, at: start + 1 });
      await under.tracking.logMetrics(id, [{ key: "loss", value: -1, step: 5, at: start + 1 }]);
      expect((await record(id)).metrics.loss).toMatchObject({ value: 0 });
      await under.tracking.logMetrics(id, [{ key: "loss", value: Number.NaN, step: 6, at: start }]);
      expect((await record(id)).metrics.loss).toMatchObject({ value: Number.NaN, step: 6 });
    });

    test("steps may be negative and as large as an integer is exact; others are refused with all of their call", async () => {
      const id = await newRun();
      const steps = [-5, 0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
      await under.tracking.logMetrics(
        id,
        steps.map((step) => ({ key: "m", value: 1, step })),
      );
      expect((await history(id, "m")).map(({ step }) => step)).toEqual([Number.MIN_SAFE_INTEGER, -5, 0, Number.MAX_SAFE_INTEGER]);
      for (const bad of [{ step: 0.5 }, { step: 2 ** 53 }, { step: Number.NaN }, { at: -1 }, { at: 0.5 }]) {
        const metrics = [
          { key: "loss", value: 1 },
          { key: "loss", value: 1, ...bad },
        ];
        await expect(under.tracking.logMetrics(id, metrics)).rejects.toMatchObject({ code: "TRACKING_STEP_INVALID" });
      }
      expect(await history(id, "loss")).toEqual([]);
    });

    test("measured on a logged model are its metrics too; on one that is not there they are refused", async () => {
      const id = await newRun();
      const { experimentId } = await record(id);
      const { loggedModels } = under.tracking;
      const model = await loggedModels.create({ experimentId, sourceRunId: id });
      const dataset = { name: "test", digest: "d1" };
      await under.tracking.logMetrics(id, [
        { key: "auc", value: 0.7, step: 1, modelId: model.id },
        { key: "auc", value: 0.8, step: 2, modelId: model.id },
        { key: "auc", value: 0.6, step: 2, modelId: model.id, dataset },
      ]);
      await under.tracking.logMetrics(id, [{ key: "auc", value: 0.8, step: 2, modelId: model.id }]);
      expect((await loggedModels.get(model.id)).metrics).toEqual([
        { key: "auc", value: 0.8, step: 2, at: start, runId: id, dataset: null },
        { key: "auc", value: 0.6, step: 2, at: start, runId: id, dataset },
      ]);
      expect((await record(id)).metrics.auc?.value).toBe(0.8);
      const outcomes = await Promise.allSettled([
        under.tracking.logMetrics(id, [{ key: "x", value: 1, modelId: "m-none" }]),
        under.tracking.logMetrics(id, [{ key: "y", value: 1 }]),
      ]);
      expect(outcomes[0]).toMatchObject({ reason: { code: "TRACKING_LOGGED_MODEL_UNKNOWN", kind: "not-found" } });
      expect(Object.keys((await record(id)).metrics)).toEqual(["auc", "y"]);
    });
  });

  describe("the history of a metric", () => {
    test("comes in pages that hold every point once, also where points share a step and while others are logged", async () => {
      const id = await newRun();
      const points = Array.from({ length: 200 }, (_, i) => ({
        key: "loss",
        value: [i, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY][i % 4] ?? 0,
        step: Math.floor(i / 20),
        at: start + (i % 10),
      }));
      await under.tracking.logMetrics(id, points);
      const whole = await history(id, "loss");
      expect(whole).toHaveLength(new Set(points.map(({ value, step, at }) => `${value} ${step} ${at}`)).size);
      const seen: MetricPoint[] = [];
      let cursor: string | undefined;
      do {
        const page = await under.tracking.metricHistory(id, "loss", { limit: 7, cursor });
        expect(page.items.length).toBeLessThanOrEqual(7);
        seen.push(...page.items);
        cursor = page.nextCursor ?? undefined;
        // Before everything: it must not move the pages that follow.
        await under.tracking.logMetrics(id, [{ key: "loss", value: seen.length, step: -1 }]);
      } while (cursor !== undefined);
      expect(seen).toEqual(whole);
    });

    test("a page is 1 to 25,000 points, and a cursor belongs to its list", async () => {
      const id = await newRun();
      await under.tracking.logMetrics(
        id,
        Array.from({ length: 3 }, (_, step) => ({ key: "a", value: 1, step })),
      );
      const { nextCursor } = await under.tracking.metricHistory(id, "a", { limit: 2 });
      expect(nextCursor).not.toBeNull();
      const invalid = { code: "TRACKING_CURSOR_INVALID", kind: "invalid" };
      for (const cursor of ["nonsense", "", Buffer.from("[1,2]").toString("base64url")])
        await expect(under.tracking.metricHistory(id, "a", { cursor })).rejects.toMatchObject(invalid);
      await expect(under.tracking.metricHistory(id, "b", { cursor: nextCursor ?? "" })).rejects.toMatchObject(invalid);
      for (const limit of [0, 25_001, 1.5, Number.NaN])
        await expect(under.tracking.metricHistory(id, "a", { limit })).rejects.toMatchObject({ code: "TRACKING_LIMIT_INVALID" });
      expect((await under.tracking.metricHistory(id, "a", { limit: 3 })).nextCursor).toBeNull();
      expect(await under.tracking.metricHistory("run-none", "a")).toEqual({ items: [], nextCursor: null });
    });

    test("of ten thousand steps is logged by one call and read by one", async () => {
      const id = await newRun();
      await under.tracking.logMetrics(
        id,
        Array.from({ length: 10_000 }, (_, step) => ({ key: "loss", value: step, step })),
      );
      expect(await history(id, "loss")).toHaveLength(10_000);
    });
  });

  test("any calls at once leave what they leave one after another; the last metric is the greatest of the history", async () => {
    const runIds = ["run-a", "run-b"];
    const key = fc.constantFrom("x", "y");
    const call = fc.record({
      run: fc.constantFrom(...runIds, "run-none"),
      metrics: fc.array(
        fc.record({
          key,
          value: fc.constantFrom(0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
          step: fc.constantFrom(0, 1, 2),
          at: fc.constantFrom(start, start + 1),
        }),
        { maxLength: 6 },
      ),
      params: fc.uniqueArray(fc.record({ key, value: fc.constantFrom("1", "2") }), {
        maxLength: 2,
        selector: (param) => param.key,
      }),
      tags: fc.array(fc.record({ key, value: fc.constantFrom("1", "2") }), { maxLength: 2 }),
      removed: fc.option(key, { nil: undefined }),
    });
    let project = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 12 }), async (calls) => {
        const tracking = under.of(`p${project++}`);
        for (const id of runIds) await tracking.runs.create({ id, name: id, experiment: "e", actor });
        const model = new Map(runIds.map((id) => [id, new RunModel()]));
        const expected: boolean[] = [];
        const asked: Promise<void>[] = [];
        for (const { run, metrics, params, tags, removed } of calls) {
          asked.push(tracking.logBatch(run, { metrics, params, tags }));
          expected.push(model.get(run)?.log(metrics, params, tags) ?? false);
          if (removed === undefined) continue;
          asked.push(tracking.deleteTag(run, removed));
          expected.push(model.get(run)?.removeTag(removed) ?? false);
        }
        const outcomes = await Promise.allSettled(asked);
        expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual(expected);
        for (const [id, run] of model) {
          const { params, tags, metrics } = await tracking.runs.record(id);
          expect(params).toEqual(Object.fromEntries(run.params));
          expect(tags).toEqual({ "mlflow.runName": id, ...Object.fromEntries(run.tags) });
          for (const metric of ["x", "y"]) {
            const { items } = await tracking.metricHistory(id, metric);
            const points = run.history(metric);
            expect(items.map(({ value, step, at }) => ({ value, step, at }))).toEqual(points);
            expect(metrics[metric]).toEqual(items.at(-1));
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

/** What the promises of logBatch say of one run, one call after another. */
class RunModel {
  readonly params = new Map<string, string>();
  readonly tags = new Map<string, string>();
  readonly #points = new Map<string, Required<Pick<LoggedMetric, "key" | "value" | "step" | "at">>>();

  log(
    metrics: readonly Required<Pick<LoggedMetric, "key" | "value" | "step" | "at">>[],
    params: readonly { key: string; value: string }[],
    tags: readonly { key: string; value: string }[],
  ): boolean {
    if (params.some(({ key, value }) => (this.params.get(key) ?? value) !== value)) return false;
    for (const { key, value } of params) this.params.set(key, value);
    for (const { key, value } of tags) this.tags.set(key, value);
    for (const point of metrics) this.#points.set(`${point.key} ${point.step} ${point.at} ${point.value}`, point);
    return true;
  }

  removeTag(key: string): boolean {
    return this.tags.delete(key);
  }

  history(key: string): { value: number; step: number; at: number }[] {
    // Not-a-number lies just above zero.
    const place = (value: number) => (Number.isNaN(value) ? [0, 1] : [value, 0]);
    return [...this.#points.values()]
      .filter((point) => point.key === key)
      .map(({ value, step, at }) => ({ value, step, at }))
      .sort((a, b) => {
        const left = [a.step, a.at, ...place(a.value)];
        const right = [b.step, b.at, ...place(b.value)];
        const i = left.findIndex((each, at) => each !== right[at]);
        return i < 0 ? 0 : (left[i] ?? 0) < (right[i] ?? 0) ? -1 : 1;
      });
  }
}
