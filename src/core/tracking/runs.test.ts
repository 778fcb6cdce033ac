import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { systemClock } from "../ports/index.ts";
import { HOUR } from "../time.ts";
import { createTracking, type NewRun, sortableId } from "./index.ts";
import { actor, start, trackingForTests } from "./test-support/open-tracking.ts";

await onEachDatabase((open, engine) => {
  const under = trackingForTests(open);
  const newRun = (more: Partial<NewRun> = {}) => under.tracking.runs.create({ experiment: "late", actor, ...more });

  describe("runs", () => {
    test("a run is returned with everything it was created with and logged", async () => {
      const { tracking, artifacts, clock } = under;
      const parent = await newRun({ name: "candidates" });
      const git = { commit: "abc", dirty: true, diff: "+ a line", truncated: false };
      const { id } = await newRun({
        name: "logistic",
        parentRunId: parent.id,
        traceId: "t1",
        snapshots: ["s1", "s2"],
        git,
        userName: "anna",
        tags: { stage: "draft" },
      });
      await tracking.logParams(id, { c: 0.1, solver: "newton", scaled: true, none: null });
      await tracking.logMetrics(id, [{ key: "roc_auc", value: 0.7, low: 0.68, high: 0.72 }]);
      await tracking.setTags(id, { stage: "final" });
      const ref = await artifacts.put("bytes", "text/plain");
      await tracking.logArtifact(id, "model/model.json", ref);
      clock.advanceTo(start + HOUR);
      await tracking.runs.finish(id);

      const { id: experimentId } = await tracking.experiments.named("late");
      const run = await tracking.runs.get(id);
      expect(run).toEqual({
        id,
        name: "logistic",
        experiment: "late",
        experimentId,
        status: "finished",
        lifecycle: "active",
        parentRunId: parent.id,
        startedAt: start,
        endedAt: start + HOUR,
        userName: "anna",
        actor: "system:test",
        artifactUri: `mlflow-artifacts:/${experimentId}/${id}/artifacts`,
        traceId: "t1",
        snapshots: ["s1", "s2"],
        gitCommit: "abc",
        gitDiff: run.gitDiff,
        params: { c: "0.1", none: "null", solver: "newton", scaled: "true" },
        metrics: { roc_auc: { value: 0.7, low: 0.68, high: 0.72, step: 0, at: start } },
        tags: { stage: "final", "mlflow.runName": "logistic", "mlflow.parentRunId": parent.id },
        datasets: [],
        modelInputs: [],
        modelOutputs: [],
        artifacts: [{ path: "model/model.json", ...ref }],
      });
      expect(Buffer.from(await artifacts.read(run.gitDiff ?? "")).toString()).toBe("+ a line");
    });

    test("what creating returns is what is stored", async () => {
      const created = await newRun({ tags: { a: "1" }, startedAt: start - HOUR });
      const { params, datasets, modelInputs, modelOutputs, ...summary } = await under.tracking.runs.record(created.id);
      expect(summary).toEqual(created);
      expect([params, datasets, modelInputs, modelOutputs]).toEqual([{}, [], [], []]);
    });

    test("a run of another project is unknown", async () => {
      const { id } = await newRun();
      const other = under.of("other");
      const unknown = { code: "TRACKING_RUN_UNKNOWN", kind: "not-found" };
      await expect(other.runs.get(id)).rejects.toMatchObject(unknown);
      await expect(other.logParams(id, { a: 1 })).rejects.toMatchObject(unknown);
      await expect(other.runs.update(id, { name: "mine" })).rejects.toMatchObject(unknown);
      await expect(other.runs.delete(id)).rejects.toMatchObject(unknown);
      await expect(other.logInputs(id, {})).rejects.toMatchObject(unknown);
      await expect(other.artifacts(id)).rejects.toMatchObject(unknown);
      expect((await other.runs.search({})).items).toEqual([]);
    });

    test("creating with the same id again returns the run that is there, also at the same time", async () => {
      await newRun({ name: "first", id: "run-fixed" });
      expect(await newRun({ name: "second", id: "run-fixed" })).toMatchObject({ id: "run-fixed", name: "first" });
      const both = await Promise.all([newRun({ id: "run-two", name: "a" }), newRun({ id: "run-two", name: "b" })]);
      expect(both.map(({ name }) => name)).toEqual(["a", "a"]);
    });

    test("an id that could be a path is refused", async () => {
      for (const id of ["", "../x", "a/b", "-a", ".a", "a b", "x".repeat(257)])
        await expect(newRun({ id })).rejects.toMatchObject({ code: "TRACKING_NAME_INVALID" });
    });

    test("an experiment that is not there is refused where it is named by id", async () => {
      await expect(newRun({ experimentId: "77" })).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_UNKNOWN" });
    });

    test("one that cannot be created does not disturb those created at the same time", async () => {
      const outcomes = await Promise.allSettled([
        newRun(),
        newRun({ experimentId: "77" }),
        newRun(),
        newRun({ experiment: "other" }),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
      expect((await under.tracking.runs.search({})).items).toHaveLength(3);
    });

    test("a run without a name gets one, and a name with line breaks is refused", async () => {
      const run = await newRun();
      expect(run.name).toMatch(/^[a-z]+-[a-z]+-\d+$/);
      expect(run.tags["mlflow.runName"]).toBe(run.name);
      for (const name of ["two\nlines", "x".repeat(251)])
        await expect(newRun({ name })).rejects.toMatchObject({ code: "TRACKING_NAME_INVALID" });
    });

    test("a run ends once: the same end again is no error, another one is", async () => {
      const { id } = await newRun();
      await under.tracking.runs.finish(id, "failed");
      under.clock.advanceTo(start + HOUR);
      await under.tracking.runs.finish(id, "failed");
      expect((await under.tracking.runs.record(id)).endedAt).toBe(start);
      await expect(under.tracking.runs.finish(id, "finished")).rejects.toMatchObject({
        code: "TRACKING_RUN_ENDED",
        kind: "conflict",
      });
      await expect(under.tracking.runs.finish("run-none")).rejects.toMatchObject({ code: "TRACKING_RUN_UNKNOWN" });
    });

    test("a tracking client may change status, end and name at any time", async () => {
      const { id } = await newRun({ name: "a" });
      const { runs } = under.tracking;
      expect(await runs.update(id, { status: "finished", endedAt: start + 3 })).toMatchObject({
        status: "finished",
        endedAt: start + 3,
      });
      expect(await runs.update(id, { status: "running", endedAt: null })).toMatchObject({ status: "running", endedAt: null });
      expect(await runs.update(id, { name: "b" })).toMatchObject({ name: "b", tags: { "mlflow.runName": "b" } });
      expect(await runs.update(id, { name: "" })).toMatchObject({ name: "b" });
      await expect(runs.update(id, { endedAt: 0.5 })).rejects.toMatchObject({ code: "TRACKING_STEP_INVALID" });
    });

    test("keeps the times of a run that is recorded after it ran", async () => {
      const run = await newRun({ startedAt: start - 2 * HOUR });
      await under.tracking.runs.finish(run.id, "finished", start - HOUR);
      expect(await under.tracking.runs.get(run.id)).toMatchObject({ startedAt: start - 2 * HOUR, endedAt: start - HOUR });
    });
  });

  describe("tags that have a place of their own", () => {
    const record = (id: string) => under.tracking.runs.record(id);

    test("name, parent and user come from tags where nothing else says them", async () => {
      const run = await newRun({
        tags: { "mlflow.runName": "by tag", "mlflow.parentRunId": "elsewhere", "mlflow.user": "anna" },
      });
      expect(run).toMatchObject({ name: "by tag", parentRunId: "elsewhere", userName: "anna" });
      expect(await newRun({ userName: "ben", tags: { "mlflow.user": "anna" } })).toMatchObject({ userName: "ben" });
    });

    test("two names for one run are refused", async () => {
      const twice = { name: "a", tags: { "mlflow.runName": "b" } };
      await expect(newRun(twice)).rejects.toMatchObject({ code: "TRACKING_RUN_NAMED_TWICE", kind: "invalid" });
      expect(await newRun({ name: "a", tags: { "mlflow.runName": "a" } })).toMatchObject({ name: "a" });
    });

    test("setting them changes the run, deleting the parent's makes it a root", async () => {
      const { id } = await newRun({ name: "a" });
      await under.tracking.setTags(id, { "mlflow.runName": "b", "mlflow.parentRunId": "p1", "mlflow.user": "anna" });
      expect(await record(id)).toMatchObject({ name: "b", parentRunId: "p1", userName: "anna", tags: { "mlflow.runName": "b" } });
      await under.tracking.setTags(id, { "mlflow.runName": "" });
      expect(await record(id)).toMatchObject({ name: "b", tags: { "mlflow.runName": "b" } });
      await under.tracking.deleteTag(id, "mlflow.parentRunId");
      expect((await record(id)).parentRunId).toBeNull();
    });
  });

  describe("deleting a run", () => {
    test("hides it, keeps all of it, and is undone by restoring", async () => {
      const { id } = await newRun();
      await under.tracking.logParams(id, { a: 1 });
      await under.tracking.runs.delete(id);
      await under.tracking.runs.delete(id);
      expect((await under.tracking.runs.search({})).items).toEqual([]);
      expect((await under.tracking.runs.search({ view: "deleted" })).items.map((run) => run.id)).toEqual([id]);
      expect(await under.tracking.runs.record(id)).toMatchObject({ lifecycle: "deleted", params: { a: "1" } });
      await under.tracking.runs.restore(id);
      await under.tracking.runs.restore(id);
      expect((await under.tracking.runs.search({})).items.map((run) => run.id)).toEqual([id]);
    });

    test("a deleted run takes no changes", async () => {
      const { id } = await newRun();
      const { tracking } = under;
      await tracking.runs.delete(id);
      const ref = await under.artifacts.put("x", "text/plain");
      for (const change of [
        () => tracking.logBatch(id, { metrics: [{ key: "a", value: 1 }] }),
        () => tracking.logBatch(id, {}),
        () => tracking.logParams(id, { a: 1 }),
        () => tracking.setTags(id, { a: "1" }),
        () => tracking.deleteTag(id, "mlflow.runName"),
        () => tracking.runs.update(id, { status: "finished" }),
        () => tracking.runs.finish(id),
        () => tracking.logInputs(id, {}),
        () => tracking.logOutputs(id, []),
        () => tracking.logArtifact(id, "a.txt", ref),
      ])
        await expect(change()).rejects.toMatchObject({ code: "TRACKING_RUN_DELETED", kind: "conflict" });
    });
  });

  describe("artifacts of a run", () => {
    test("a path keeps its content and stays inside the run", async () => {
      const { id } = await newRun();
      const { tracking, artifacts } = under;
      const one = await artifacts.put("one", "text/plain");
      await tracking.logArtifact(id, "a.txt", one);
      await tracking.logArtifact(id, "a.txt", one);
      const two = await artifacts.put("two", "text/plain");
      await expect(tracking.logArtifact(id, "a.txt", two)).rejects.toMatchObject({ code: "TRACKING_ARTIFACT_CHANGED" });
      for (const path of ["", "/etc/passwd", "../up", "a/../../b", "a//b", "a\\b", "%2e%2e/%2e%2e/x", "%252e%252e/x"])
        await expect(tracking.logArtifact(id, path, one)).rejects.toMatchObject({ code: "TRACKING_PATH_INVALID" });
      expect((await tracking.artifacts(id)).map(({ path }) => path)).toEqual(["a.txt"]);
    });

    test("those of a run whose id begins alike are others", async () => {
      const { tracking, artifacts } = under;
      const ref = await artifacts.put("one", "text/plain");
      for (const id of ["r", "r-1", "r0"]) {
        await newRun({ id });
        await tracking.logArtifact(id, `${id}.txt`, ref);
      }
      expect((await tracking.artifacts("r")).map(({ path }) => path)).toEqual(["r.txt"]);
    });

    test("a run whose artifacts lie in another store lists none and takes none", async () => {
      const { tracking, artifacts } = under;
      const { id: experimentId } = await tracking.experiments.create({ name: "far", artifactLocation: "s3://bucket/far/" });
      const run = await newRun({ experimentId });
      expect(run.artifactUri).toBe(`s3://bucket/far/${run.id}/artifacts`);
      expect(await tracking.artifacts(run.id)).toEqual([]);
      const ref = await artifacts.put("one", "text/plain");
      await expect(tracking.logArtifact(run.id, "a.txt", ref)).rejects.toMatchObject({ code: "TRACKING_LOCATION_INVALID" });
    });
  });

  test("ids sort in the order they were made, also while the clock stands still", () => {
    const ids = Array.from({ length: 1_000 }, () => sortableId("run", under.clock));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    under.clock.advanceTo(start + HOUR);
    expect(sortableId("run", under.clock) > (ids.at(-1) ?? "")).toBe(true);
  });

  // One process at a time owns a SQLite state folder.
  if (engine === "sqlite") return;
  test("two programs on one database create and log without losing anything", async () => {
    if (under.database.another === null) throw new Error("this database may have two stores");
    const stores = [under.database.store, await under.database.another()];
    const trackings = stores.map((store) =>
      createTracking({ store, artifacts: under.artifacts, clock: systemClock, scope: { workspace: "w", project: "p" } }),
    );
    const runs = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (trackings[i % 2] ?? under.tracking).runs.create({ experiment: `e${i % 5}`, actor })),
    );
    expect(await under.tracking.experiments.list()).toHaveLength(5);
    await Promise.all(
      runs.map(({ id }, i) => (trackings[(i + 1) % 2] ?? under.tracking).logBatch(id, { metrics: [{ key: "m", value: i }] })),
    );
    const records = await Promise.all(runs.map(({ id }) => under.tracking.runs.record(id)));
    expect(records.map(({ metrics }) => metrics.m?.value)).toEqual(runs.map((_, i) => i));
  });
});
