import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { FilesystemArtifactStore } from "../../adapters/artifacts/filesystem.ts";
import type { Snapshot } from "../data/index.ts";
import { createTracking, type NewRun, type Tracking } from "../tracking/index.ts";
import { anna, registryForTests, start } from "./test-support/open-registry.ts";

await onEachDatabase((open) => {
  const under = registryForTests(open);
  let folder: string;
  let tracking: Tracking;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "orrery-lineage-"));
    tracking = createTracking({ ...under, artifacts: new FilesystemArtifactStore(folder) });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const snapshot = (id: string, source: string): Snapshot => ({
    formatVersion: 1,
    id,
    source,
    asOf: start,
    createdAt: start,
    contentHash: `hash of ${id}`,
    rows: 10,
    bytes: 100,
    columns: {},
    parent: null,
    parts: [],
    disjoint: true,
    report: { rows: 10, quarantined: 0, violations: [], nullShares: [] },
  });
  const run = async (name: string, more: Partial<NewRun> = {}) =>
    (await tracking.runs.create({ experiment: "late", name, actor: anna, ...more })).id;
  const version = (model: string, runId: string, more: object = {}) =>
    under.registry.register(model, { runId, artifact: `package of ${runId}`, ...more }, anna);

  describe("the lineage of a version", () => {
    test("says which erasures took rows out of its data after it was read, not of those before", async () => {
      const day = 86_400_000_000;
      const mark = (erasure: string, at: number, rows: number) => ({ erasure, at, rows, contentHash: "before" });
      const [before, after] = [mark("erasure-1", start - day, 5), mark("erasure-2", start + day, 3)];
      await tracking.saveSnapshot({ ...snapshot("s1", "flights"), erased: [before, after] });
      await tracking.saveSnapshot({ ...snapshot("s2", "weather"), erased: [{ ...after, rows: 4 }] });
      await version("late", await run("trees", { snapshots: ["s1", "s2"] }));
      const found = await under.registry.lineage("late", 1);
      expect(found.erased).toEqual([{ erasure: "erasure-2", at: start + day, rows: 7 }]);
    });

    test("goes to its run, the snapshots that run read, and their sources", async () => {
      await tracking.saveSnapshot(snapshot("s1", "flights"));
      await tracking.saveSnapshot(snapshot("s2", "weather"));
      const parent = await run("candidates");
      const git = { commit: "abc", dirty: false, diff: null, truncated: false };
      const id = await run("trees", { parentRunId: parent, snapshots: ["s1", "s2", "lost"], git });
      await version("late", id);
      const { experimentId } = await tracking.runs.record(id);
      expect(await under.registry.lineage("late", 1)).toEqual({
        model: "late",
        version: 1,
        run: { id, name: "trees", experimentId, parentRunId: parent, gitCommit: "abc", startedAt: start },
        loggedModel: null,
        copyOf: null,
        data: [
          { source: "flights", id: "s1", kind: "snapshot", contentHash: "hash of s1", asOf: start, rows: 10 },
          { source: "weather", id: "s2", kind: "snapshot", contentHash: "hash of s2", asOf: start, rows: 10 },
          { source: "", id: "lost", kind: "snapshot", contentHash: null, asOf: null, rows: null },
        ],
        erased: [],
        inputModels: [],
      });
    });

    test("goes to data sets as other tools log them, and through the model that its run started from", async () => {
      await tracking.saveSnapshot(snapshot("s1", "flights"));
      const base = await run("base", { snapshots: ["s1"] });
      const { experimentId } = await tracking.runs.record(base);
      const foundation = await tracking.loggedModels.create({ experimentId, sourceRunId: base, name: "foundation" });
      const tuned = await run("tuned");
      const dataset = { name: "labels.csv", digest: "d1", sourceType: "local", source: "{}", schema: null, profile: null };
      await tracking.logInputs(tuned, { datasets: [{ dataset, tags: {} }], models: [{ modelId: foundation.id, step: 0 }] });
      const own = await tracking.loggedModels.create({ experimentId, sourceRunId: tuned, name: "tuned" });
      await under.registry.createModel({ name: "tuned" });
      await under.registry.createVersion("tuned", { source: `models:/${own.id}` }, anna);
      await under.registry.createVersion("tuned", { source: "models:/tuned/1" }, anna);
      const found = await under.registry.lineage("tuned", 1);
      expect(found).toMatchObject({ loggedModel: { id: own.id, name: "tuned" }, copyOf: null, inputModels: [foundation.id] });
      expect(found.data.map(({ source, id, kind }) => [source, id, kind])).toEqual([
        ["labels.csv", "d1", "dataset"],
        ["flights", "s1", "snapshot"],
      ]);
      expect(await under.registry.lineage("tuned", 2)).toMatchObject({
        copyOf: { model: "tuned", version: 1 },
        run: { id: tuned },
      });
    });

    test("ends where a version has no run, or one of elsewhere", async () => {
      const { registry } = under;
      await registry.createModel({ name: "late" });
      await registry.createVersion("late", { source: "s3://b/m" }, anna);
      await registry.createVersion("late", { source: "s3://b/m", runId: "of another server" }, anna);
      for (const number of [1, 2])
        expect(await registry.lineage("late", number)).toMatchObject({ run: null, data: [], inputModels: [] });
      await expect(registry.lineage("late", 3)).rejects.toMatchObject({ code: "REGISTRY_VERSION_UNKNOWN" });
    });

    test("comes to an end where runs read each other's models", async () => {
      const a = await run("a");
      const b = await run("b");
      const { experimentId } = await tracking.runs.record(a);
      const ofA = await tracking.loggedModels.create({ experimentId, sourceRunId: a });
      const ofB = await tracking.loggedModels.create({ experimentId, sourceRunId: b });
      await tracking.logInputs(a, {
        models: [
          { modelId: ofB.id, step: 0 },
          { modelId: ofA.id, step: 0 },
        ],
      });
      await tracking.logInputs(b, { models: [{ modelId: ofA.id, step: 0 }] });
      await version("late", a);
      expect((await under.registry.lineage("late", 1)).run?.id).toBe(a);
    });
  });

  describe("a source's dependents", () => {
    test("are the versions made from any of its snapshots, directly or through another model", async () => {
      const { registry } = under;
      for (const [id, source] of [
        ["s1", "flights"],
        ["s2", "flights"],
        ["w1", "weather"],
      ] as const)
        await tracking.saveSnapshot(snapshot(id, source));
      const first = await run("first", { snapshots: ["s1", "w1"] });
      await version("late", first);
      await version("late", await run("second", { snapshots: ["s2"] }));
      await version("other", await run("third", { snapshots: ["w1"] }));
      await version("gone", await run("fourth", { snapshots: ["s1"] }));
      await registry.deleteModel("gone");
      const { experimentId } = await tracking.runs.record(first);
      const logged = await tracking.loggedModels.create({ experimentId, sourceRunId: first });
      const tuned = await run("tuned");
      await tracking.logInputs(tuned, { models: [{ modelId: logged.id, step: 0 }] });
      await version("tuned", tuned);
      await registry.setAlias({ model: "late", alias: "champion", version: 2, actor: anna, reason: "r" });
      const shown = async (source: string) =>
        (await registry.dependents(source)).map(({ model, version: number, snapshot: of }) => `${model}@${number} from ${of}`);
      expect(await shown("flights")).toEqual(["late@1 from s1", "late@2 from s2", "tuned@1 from s1"]);
      expect(await shown("weather")).toEqual(["late@1 from w1", "other@1 from w1", "tuned@1 from w1"]);
      expect(await shown("none")).toEqual([]);
      expect(await shown("\0")).toEqual([]);
      expect((await registry.dependents("flights"))[1]).toMatchObject({ aliases: ["champion"] });
    });
  });
});
