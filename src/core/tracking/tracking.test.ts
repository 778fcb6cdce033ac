import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FilesystemArtifactStore } from "../../adapters/artifacts/filesystem.ts";
import { openSqlite } from "../../adapters/metadata/sqlite.ts";
import type { Snapshot } from "../data/index.ts";
import { type MetadataStore, VirtualClock } from "../ports/index.ts";
import { systemActor } from "../scope.ts";
import { HOUR, parseTimestamp } from "../time.ts";
import { createTracking, gitState, sortableId, type Tracking } from "./index.ts";

const scope = { workspace: "default", project: "flights" };
const actor = systemActor("test");
const start = parseTimestamp("2013-11-01T00:00:00Z");

let folder: string;
let store: MetadataStore;
let clock: VirtualClock;
let artifacts: FilesystemArtifactStore;
let tracking: Tracking;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "orrery-tracking-"));
  clock = new VirtualClock(start);
  store = await openSqlite({ path: join(folder, "metadata.db"), clock });
  artifacts = new FilesystemArtifactStore(join(folder, "artifacts"));
  tracking = createTracking({ store, artifacts, clock, scope });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const newRun = (name = "gradient-boosting", more = {}) => tracking.runs.create({ experiment: "late", name, actor, ...more });

describe("runs", () => {
  test("a run is returned with everything it was created with and logged", async () => {
    const parent = await newRun("candidates");
    const git = { commit: "abc", dirty: true, diff: "+ a line", truncated: false };
    const { id } = await newRun("logistic", { parentRunId: parent.id, traceId: "t1", snapshots: ["s1", "s2"], git });
    await tracking.logParams(id, { c: 0.1, solver: "newton", scaled: true });
    await tracking.logMetrics(id, [{ key: "roc_auc", value: 0.7, low: 0.68, high: 0.72 }]);
    await tracking.setTags(id, { stage: "draft" });
    await tracking.setTags(id, { stage: "final" });
    const ref = await artifacts.put("bytes", "text/plain");
    await tracking.logArtifact(id, "model/model.json", ref);
    clock.advanceTo(start + HOUR);
    await tracking.runs.finish(id);

    const run = await tracking.runs.get(id);
    expect(run).toMatchObject({
      experiment: "late",
      name: "logistic",
      status: "finished",
      parentRunId: parent.id,
      startedAt: start,
      endedAt: start + HOUR,
      actor: "system:test",
      traceId: "t1",
      snapshots: ["s1", "s2"],
      gitCommit: "abc",
      params: { c: "0.1", solver: "newton", scaled: "true" },
      metrics: { roc_auc: { value: 0.7, low: 0.68, high: 0.72, step: 0 } },
      tags: { stage: "final" },
      artifacts: [{ path: "model/model.json", ...ref }],
    });
    expect(Buffer.from(await artifacts.read(run.gitDiff ?? "")).toString()).toBe("+ a line");
  });

  test("a run of another project is unknown", async () => {
    const { id } = await newRun();
    const other = createTracking({ store, artifacts, clock, scope: { workspace: "default", project: "other" } });
    await expect(other.runs.get(id)).rejects.toMatchObject({ code: "TRACKING_RUN_UNKNOWN", kind: "not-found" });
    await expect(other.logParams(id, { a: 1 })).rejects.toMatchObject({ code: "TRACKING_RUN_UNKNOWN" });
    expect((await other.runs.list()).items).toEqual([]);
  });

  test("creating with the same id again returns the run that is there", async () => {
    await newRun("first", { id: "run-fixed" });
    expect(await newRun("second", { id: "run-fixed" })).toMatchObject({ id: "run-fixed", name: "first" });
  });

  test("a run ends once: the same end again is no error, another one is", async () => {
    const { id } = await newRun();
    await tracking.runs.finish(id, "failed");
    await tracking.runs.finish(id, "failed");
    await expect(tracking.runs.finish(id, "finished")).rejects.toMatchObject({ code: "TRACKING_RUN_ENDED", kind: "conflict" });
    await expect(tracking.runs.finish("run-none")).rejects.toMatchObject({ code: "TRACKING_RUN_UNKNOWN" });
  });

  test("a parent that is not there is refused", async () => {
    await expect(newRun("a", { parentRunId: "run-none" })).rejects.toMatchObject({ code: "TRACKING_RUN_UNKNOWN" });
  });

  test("a param never changes, and the call that tried logged nothing", async () => {
    const { id } = await newRun();
    await tracking.logParams(id, { c: 1 });
    await tracking.logParams(id, { c: 1 });
    await expect(tracking.logParams(id, { d: 1, c: 2 })).rejects.toMatchObject({ code: "TRACKING_PARAM_CHANGED" });
    expect((await tracking.runs.get(id)).params).toEqual({ c: "1" });
  });

  test("an artifact's path keeps its content and stays inside the run", async () => {
    const { id } = await newRun();
    const one = await artifacts.put("one", "text/plain");
    await tracking.logArtifact(id, "a.txt", one);
    await tracking.logArtifact(id, "a.txt", one);
    const two = await artifacts.put("two", "text/plain");
    await expect(tracking.logArtifact(id, "a.txt", two)).rejects.toMatchObject({ code: "TRACKING_ARTIFACT_CHANGED" });
    for (const path of ["", "/etc/passwd", "../up", "a/../../b", "a//b", "a\\b"]) {
      await expect(tracking.logArtifact(id, path, one)).rejects.toMatchObject({ code: "TRACKING_PATH_INVALID" });
    }
  });

  test("names that cannot be shown on one line are refused", async () => {
    await expect(newRun("")).rejects.toMatchObject({ code: "TRACKING_NAME_INVALID" });
    await expect(newRun("two\nlines")).rejects.toMatchObject({ code: "TRACKING_NAME_INVALID" });
    await expect(tracking.experiments.getOrCreate("x".repeat(251))).rejects.toMatchObject({ code: "TRACKING_NAME_INVALID" });
  });

  test("an experiment of a name is made once, however many ask at once", async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => tracking.experiments.getOrCreate("late")));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await tracking.experiments.list()).toHaveLength(1);
    await expect(tracking.experiments.get("none")).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_UNKNOWN" });
  });
});

describe("metrics", () => {
  test("not-a-number and the infinities come back as they were", async () => {
    const { id } = await newRun();
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0.5, 0, 1e-300, 5];
    await tracking.logMetrics(
      id,
      values.map((value, step) => ({ key: "loss", value, step, low: Number.NaN })),
    );
    const history = await tracking.metricHistory(id, "loss");
    expect(history.map(({ value }) => value)).toEqual(values);
    expect(history.every(({ low, high }) => low === null && high === null)).toBe(true);
  });

  test("the last step is the run's value; logging the same step again replaces it", async () => {
    const { id } = await newRun();
    await tracking.logMetrics(
      id,
      [2, 0, 1].map((step) => ({ key: "loss", value: step / 10, step })),
    );
    await tracking.logMetrics(id, [{ key: "loss", value: 9, step: 2 }]);
    expect((await tracking.runs.get(id)).metrics.loss).toMatchObject({ value: 9, step: 2 });
    expect(await tracking.metricHistory(id, "loss")).toHaveLength(3);
  });

  test("a history of ten thousand steps is one call", async () => {
    const { id } = await newRun();
    await tracking.logMetrics(
      id,
      Array.from({ length: 10_000 }, (_, step) => ({ key: "loss", value: step, step })),
    );
    expect(await tracking.metricHistory(id, "loss")).toHaveLength(10_000);
  });

  test("a step that is no whole number is refused and nothing of the call is kept", async () => {
    const { id } = await newRun();
    const metrics = [
      { key: "loss", value: 1, step: 0 },
      { key: "loss", value: 1, step: 0.5 },
    ];
    await expect(tracking.logMetrics(id, metrics)).rejects.toMatchObject({ code: "TRACKING_STEP_INVALID" });
    expect(await tracking.metricHistory(id, "loss")).toEqual([]);
  });
});

describe("lists of runs", () => {
  test("pages in any order hold every run once, also when several began at the same moment", async () => {
    const metric = fc.option(fc.constantFrom(0.1, 0.2, 0.3, Number.NaN), { nil: undefined });
    const order = fc.constantFrom<"startedAt" | { metric: string }>("startedAt", { metric: "auc" });
    let project = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), metric), { maxLength: 12 }),
        order,
        fc.constantFrom<"asc" | "desc">("asc", "desc"),
        fc.integer({ min: 1, max: 5 }),
        async (made, orderBy, direction, limit) => {
          const own = createTracking({ store, artifacts, clock, scope: { workspace: "default", project: `p${project++}` } });
          for (const [at, value] of made) {
            const { id } = await own.runs.create({ experiment: "e", name: "r", actor, startedAt: start + at });
            if (value !== undefined) await own.logMetrics(id, [{ key: "auc", value }]);
          }
          const seen: { id: string; key: number }[] = [];
          let cursor: string | undefined;
          do {
            const page = await own.runs.list({ orderBy, direction, limit, cursor });
            expect(page.items.length).toBeLessThanOrEqual(limit);
            seen.push(
              ...page.items.map((run) => ({
                id: run.id,
                key: orderBy === "startedAt" ? run.startedAt : (run.metrics.auc?.value ?? Number.NaN),
              })),
            );
            cursor = page.nextCursor ?? undefined;
          } while (cursor !== undefined);
          expect(new Set(seen.map(({ id }) => id)).size).toBe(made.length);
          expect(seen).toHaveLength(made.length);
          const keys = seen.map(({ key }) => key);
          const known = keys.filter((key) => !Number.isNaN(key));
          expect(keys.slice(0, known.length)).toEqual(known.toSorted((a, b) => (direction === "asc" ? a - b : b - a)));
        },
      ),
      { numRuns: 25 },
    );
  });

  test("filters by experiment, status and parent", async () => {
    const parent = await newRun("parent");
    const child = await newRun("child", { parentRunId: parent.id });
    await tracking.runs.create({ experiment: "other", name: "elsewhere", actor });
    await tracking.runs.finish(child.id, "failed");
    const names = async (query: Parameters<Tracking["runs"]["list"]>[0]) =>
      (await tracking.runs.list(query)).items.map(({ name }) => name);
    expect(await names({ experiment: "other" })).toEqual(["elsewhere"]);
    expect(await names({ status: "failed" })).toEqual(["child"]);
    expect(await names({ parentRunId: parent.id })).toEqual(["child"]);
    expect(await names({ experiment: "none" })).toEqual([]);
    expect(await names({})).toEqual(["elsewhere", "child", "parent"]);
  });

  test("goes down as many generations as asked", async () => {
    const parent = await newRun("parent");
    const child = await newRun("child", { parentRunId: parent.id });
    await newRun("grandchild", { parentRunId: child.id });
    const names = async (query: Parameters<Tracking["runs"]["list"]>[0]) =>
      (await tracking.runs.list(query)).items.map(({ name }) => name);
    expect(await names({ depth: 0 })).toEqual(["parent"]);
    expect(await names({ depth: 1 })).toEqual(["child", "parent"]);
    expect(await names({})).toEqual(["grandchild", "child", "parent"]);
    expect(await names({ depth: 1, orderBy: { metric: "none" }, direction: "asc" })).toEqual(["parent", "child"]);
  });

  test("keeps the times of a run that is recorded after it ran", async () => {
    const run = await newRun("trial", { startedAt: start - 2 * HOUR });
    await tracking.runs.finish(run.id, "finished", start - HOUR);
    expect(await tracking.runs.get(run.id)).toMatchObject({ startedAt: start - 2 * HOUR, endedAt: start - HOUR });
  });

  test("refuses a cursor it did not give, or of another order, and pages out of bounds", async () => {
    await newRun("a");
    await newRun("b");
    const { nextCursor } = await tracking.runs.list({ limit: 1 });
    const invalid = { code: "TRACKING_CURSOR_INVALID", kind: "invalid" };
    await expect(tracking.runs.list({ cursor: "nonsense" })).rejects.toMatchObject(invalid);
    await expect(tracking.runs.list({ cursor: nextCursor ?? "", direction: "asc" })).rejects.toMatchObject(invalid);
    for (const limit of [0, 1_001, 1.5, Number.NaN])
      await expect(tracking.runs.list({ limit })).rejects.toMatchObject({ code: "TRACKING_LIMIT_INVALID" });
  });
});

test("ids sort in the order they were made, also while the clock stands still", () => {
  const ids = Array.from({ length: 1_000 }, () => sortableId("run", clock));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  clock.advanceTo(start + HOUR);
  expect(sortableId("run", clock) > (ids.at(-1) ?? "")).toBe(true);
});

describe("snapshots", () => {
  const snapshot = (id: string, asOf: number, source = "flights"): Snapshot => ({
    formatVersion: 1,
    id,
    source,
    contentHash: `hash of ${id}`,
    asOf,
    parent: null,
    columns: { carrier: "string" },
    parts: [],
    disjoint: true,
    rows: 3,
    bytes: 100,
    report: { rows: 3, quarantined: 0, violations: [], nullShares: [] },
    createdAt: start,
  });

  test("the latest is the one that knows most, at any time asked for", async () => {
    for (const each of [snapshot("s2", start + 2), snapshot("s1", start + 1), snapshot("w", start + 9, "weather")])
      await tracking.saveSnapshot(each);
    expect(await tracking.latestSnapshot("flights")).toEqual(snapshot("s2", start + 2));
    expect((await tracking.latestSnapshot("flights", start + 1))?.id).toBe("s1");
    expect(await tracking.latestSnapshot("flights", start)).toBeNull();
    expect(await tracking.latestSnapshot("planes")).toBeNull();
    expect(await tracking.getSnapshot("s1")).toEqual(snapshot("s1", start + 1));
    expect((await tracking.listSnapshots("flights")).map(({ id }) => id)).toEqual(["s2", "s1"]);
    expect(await tracking.listSnapshots()).toHaveLength(3);
  });

  test("saving one twice keeps the first; an unknown one is not found", async () => {
    await tracking.saveSnapshot(snapshot("s1", start));
    await tracking.saveSnapshot({ ...snapshot("s1", start), rows: 99 });
    expect((await tracking.getSnapshot("s1")).rows).toBe(3);
    await expect(tracking.getSnapshot("none")).rejects.toMatchObject({ code: "TRACKING_SNAPSHOT_UNKNOWN" });
  });
});

describe("the state of the code", () => {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@t", ...args])
      .toString()
      .trim();
  const nothing = { commit: null, dirty: false, diff: null, truncated: false };

  test("outside a repository, and in a folder that is not there, there is none", async () => {
    expect(await gitState(folder)).toEqual(nothing);
    expect(await gitState(join(folder, "none"))).toEqual(nothing);
  });

  test("without git on the machine there is none", async () => {
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      expect(await gitState(folder)).toEqual(nothing);
    } finally {
      process.env.PATH = path;
    }
  });

  test("a clean tree has its commit, a changed one the difference and the names git does not know", async () => {
    git("init", "-q");
    writeFileSync(join(folder, ".gitignore"), "metadata.db*\nartifacts\n");
    writeFileSync(join(folder, "a.txt"), "one\n");
    git("add", ".");
    git("commit", "-q", "-m", "first");
    const commit = git("rev-parse", "HEAD");
    expect(await gitState(folder)).toEqual({ ...nothing, commit });
    writeFileSync(join(folder, "a.txt"), "two\n");
    writeFileSync(join(folder, "new.txt"), "new\n");
    const state = await gitState(folder);
    expect(state).toMatchObject({ commit, dirty: true, truncated: false });
    expect(state.diff).toContain("-one\n+two");
    expect(state.diff).toContain("# not in this diff: new.txt");
  });

  test("a repository without a commit is dirty and has none", async () => {
    git("init", "-q");
    writeFileSync(join(folder, "a.txt"), "one\n");
    expect(await gitState(folder)).toMatchObject({ commit: null, dirty: true });
  });

  test("a diff of more than a megabyte is cut and says so", async () => {
    git("init", "-q");
    writeFileSync(join(folder, "a.txt"), "");
    git("add", "a.txt");
    git("commit", "-q", "-m", "first");
    for (const lines of [60_000, 400_000]) {
      writeFileSync(join(folder, "a.txt"), "a line of some length\n".repeat(lines));
      const state = await gitState(folder);
      expect(state.truncated).toBe(true);
      expect(state.diff).toMatch(/cut: the diff is longer than 1000000 bytes\n$/);
      expect(state.diff?.length).toBeLessThan(1_000_100);
    }
  });
});
