import fc from "fast-check";
import type { Kysely } from "kysely";
import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import type { Database } from "../ports/index.ts";
import { DAY, HOUR } from "../time.ts";
import type { Tracking } from "./index.ts";
import { actor, start, trackingForTests } from "./test-support/open-tracking.ts";

/** Everything counts as written long enough ago. */
const NOW = { graceMs: -60_000 };
const NOTHING = {
  experiments: 0,
  runs: 0,
  loggedModels: 0,
  registeredModels: 0,
  modelVersions: 0,
  files: 0,
  artifacts: 0,
  bytes: 0,
};

const bytes = async function* (text: string) {
  yield Buffer.from(text);
};

await onEachDatabase((open) => {
  const under = trackingForTests(open);
  const newRun = async (more = {}) => (await under.tracking.runs.create({ experiment: "late", actor, ...more })).id;
  const rootOf = async (id: string) => (await under.tracking.runs.record(id)).artifactUri.replace("mlflow-artifacts:/", "");
  const writeFile = async (runId: string, path: string, text: string) =>
    under.tracking.files.write(`${await rootOf(runId)}/${path}`, bytes(text));
  const hashes = async () => {
    const all: string[] = [];
    for await (const { sha256 } of under.artifacts.list()) all.push(sha256);
    return all.toSorted();
  };

  /** A version as the registry stores one. */
  const register = async (
    version: { run_id?: string; model_id?: string; source?: string; artifact?: string },
    deletedAt: number | null = null,
  ) => {
    const { store } = under.database;
    const lifecycle = deletedAt === null ? ("active" as const) : ("deleted" as const);
    const model = `model-${Math.random()}`;
    await store.db
      .insertInto("registered_models")
      .values({
        workspace: "w",
        project: "p",
        name: model,
        deleted_name: null,
        description: "",
        last_version: 1,
        lifecycle: "active",
        deleted_at: null,
        created_at: 0,
        updated_at: 0,
      })
      .execute();
    await store.db
      .insertInto("model_versions")
      .values({
        workspace: "w",
        project: "p",
        model,
        version: 1,
        run_id: version.run_id ?? null,
        artifact: version.artifact ?? null,
        source: version.source ?? "s3://bucket/model",
        location: null,
        run_link: null,
        model_id: version.model_id ?? null,
        status: "ready",
        status_message: null,
        stage: "None",
        lifecycle,
        deleted_at: deletedAt,
        created_at: 0,
        updated_at: 0,
        actor: "a",
        description: "",
      })
      .execute();
  };

  describe("garbage collection", () => {
    test("removes a run that was deleted before the time with all of its rows, files and bytes", async () => {
      const { tracking, clock, database } = under;
      const [kept, gone] = [
        await newRun(),
        await newRun({ git: { commit: "c", dirty: true, diff: "a diff", truncated: false } }),
      ];
      for (const id of [kept, gone]) {
        await tracking.logBatch(id, { metrics: [{ key: "m", value: 1 }], params: [{ key: "p", value: "1" }] });
        await tracking.logInputs(id, {
          datasets: [
            { dataset: { name: id, digest: "d", sourceType: "s", source: "{}", schema: null, profile: null }, tags: {} },
          ],
        });
        await tracking.logOutputs(id, [{ modelId: "m-1", step: 0 }]);
        await writeFile(id, "shared.txt", "shared");
        await writeFile(id, "own/own.txt", `own of ${id}`);
      }
      const before = await tracking.runs.get(kept);
      await tracking.runs.delete(gone);
      clock.advanceTo(start + DAY);
      const expected = { ...NOTHING, runs: 1, files: 2, artifacts: 2, bytes: "a diff".length + `own of ${gone}`.length };
      expect(await tracking.collectGarbage(start, { dryRun: false, ...NOW })).toEqual(NOTHING);
      expect(await tracking.collectGarbage(start + 1, { dryRun: true, ...NOW })).toEqual(expected);
      expect((await tracking.runs.record(gone)).lifecycle).toBe("deleted");
      expect(await hashes()).toHaveLength(4);
      expect(await tracking.collectGarbage(start + 1, { dryRun: false, ...NOW })).toEqual(expected);
      await expect(tracking.runs.get(gone)).rejects.toMatchObject({ code: "TRACKING_RUN_UNKNOWN" });
      await expect(tracking.runs.restore(gone)).rejects.toMatchObject({ code: "TRACKING_RUN_UNKNOWN" });
      for (const table of ["params", "tags", "metrics", "latest_metrics", "run_datasets", "run_models"] as const)
        expect(
          new Set((await database.store.db.selectFrom(table).select("run_id").execute()).map(({ run_id }) => run_id)),
        ).toEqual(new Set([kept]));
      expect(await database.store.db.selectFrom("datasets").select("name").execute()).toEqual([{ name: kept }]);
      expect(await tracking.runs.get(kept)).toEqual(before);
      for (const { sha256 } of before.artifacts) expect(await under.artifacts.has(sha256)).toBe(true);
      expect(await hashes()).toHaveLength(2);
      expect(await tracking.collectGarbage(start + DAY, { dryRun: false, ...NOW })).toEqual(NOTHING);
    });

    test("removes an experiment with what is in it, and leaves one that still holds something", async () => {
      const { tracking, clock } = under;
      const { id: gone } = await tracking.experiments.create({ name: "gone" });
      const { id: held } = await tracking.experiments.create({ name: "held" });
      await newRun({ experimentId: gone });
      const model = await tracking.loggedModels.create({ experimentId: gone });
      await tracking.files.write(`${gone}/models/${model.id}/artifacts/MLmodel`, bytes("model"));
      await tracking.files.write(`${gone}/loose.txt`, bytes("loose"));
      const alive = await newRun({ experimentId: held });
      await tracking.experiments.delete(gone);
      await tracking.experiments.delete(held);
      await tracking.runs.restore(alive);
      clock.advanceTo(start + DAY);
      const expected = { ...NOTHING, experiments: 1, runs: 1, loggedModels: 1, files: 2, artifacts: 2, bytes: 10 };
      expect(await tracking.collectGarbage(start + DAY, { dryRun: true, ...NOW })).toEqual(expected);
      expect(await tracking.collectGarbage(start + DAY, { dryRun: false, ...NOW })).toEqual(expected);
      await expect(tracking.experiments.get(gone)).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_UNKNOWN" });
      expect((await tracking.experiments.get(held)).lifecycle).toBe("deleted");
      expect((await tracking.runs.record(alive)).lifecycle).toBe("active");
    });

    test("leaves what a registered version came from, until the version is gone", async () => {
      const { tracking, clock, database } = under;
      const experimentId = (await tracking.experiments.getOrCreate("late")).id;
      const runs = [await newRun(), await newRun(), await newRun(), await newRun()];
      const models = await Promise.all([1, 2, 3].map(() => tracking.loggedModels.create({ experimentId })));
      for (const id of runs) await writeFile(id, "model/MLmodel", id);
      await register({ run_id: runs[0] ?? "" });
      await register({ source: `mlflow-artifacts:/${await rootOf(runs[1] ?? "")}/model` });
      await register({ source: `runs:/${runs[2]}/model` }, start);
      await register({ model_id: models[0]?.id ?? "" });
      await register({ source: `models:/${models[1]?.id}` });
      await tracking.experiments.delete(experimentId);
      clock.advanceTo(start + DAY);
      expect(await tracking.collectGarbage(start + DAY, { dryRun: false, ...NOW })).toMatchObject({
        experiments: 0,
        runs: 1,
        loggedModels: 1,
        files: 1,
        artifacts: 1,
      });
      // The deleted version would be collected first.
      expect(await tracking.collectGarbage(start + DAY, { dryRun: true, ...NOW })).toMatchObject({
        runs: 1,
        loggedModels: 0,
        files: 1,
      });
      for (const id of runs.slice(0, 3)) expect(await tracking.artifacts(id)).toHaveLength(1);
      await database.store.db.deleteFrom("registered_models").execute();
      expect(await tracking.collectGarbage(start + DAY, { dryRun: false, ...NOW })).toMatchObject({
        experiments: 1,
        runs: 3,
        loggedModels: 2,
        files: 3,
        artifacts: 3,
      });
    });

    test("leaves young bytes, and those that something else names", async () => {
      const { tracking, artifacts, database } = under;
      const put = async (text: string) => (await artifacts.put(text, "text/plain")).sha256;
      const [step, cached, version, given, lost] = [
        await put("step"),
        await put("cached"),
        await put("version"),
        await put("given"),
        await put("lost"),
      ];
      const own = { workspace: "other", project: "other" };
      await database.store.db
        .insertInto("step_cache")
        .values({ ...own, cache_key: "k", output: JSON.stringify({ file: { sha256: cached } }), run_id: "r", created_at: 0 })
        .execute();
      await database.store.db
        .insertInto("effects")
        .values({ ...own, idempotency_key: "k", result: JSON.stringify([step]), at: 0 })
        .execute();
      await register({ artifact: version });
      expect(await tracking.collectGarbage(start, { dryRun: false })).toEqual(NOTHING);
      const options = { ...NOW, inUse: new Set([given]) };
      const expected = { ...NOTHING, artifacts: 1, bytes: 4 };
      expect(await tracking.collectGarbage(start, { dryRun: true, ...options })).toEqual(expected);
      expect(await tracking.collectGarbage(start, { dryRun: false, ...options })).toEqual(expected);
      expect(await hashes()).toEqual([step, cached, version, given].toSorted());
      expect(await artifacts.has(lost)).toBe(false);
    });

    test("finds hashes in documents beyond the first page", async () => {
      const { tracking, artifacts, database } = under;
      const refs = await Promise.all(Array.from({ length: 1_203 }, (_, i) => artifacts.put(`bytes ${i}`, "text/plain")));
      await database.store.insertMany(
        database.store.db,
        "effects",
        refs.map(({ sha256 }, i) => ({
          workspace: "w",
          project: `p${i % 3}`,
          idempotency_key: `k${i}`,
          result: `{"x":"${sha256}"}`,
          at: 0,
        })),
      );
      expect(await tracking.collectGarbage(start, { dryRun: false, ...NOW })).toEqual(NOTHING);
    });

    test("of a run with very many metrics goes in steps, and goes on where it was interrupted", async () => {
      const { tracking, database, clock } = under;
      const id = await newRun();
      // At one step, so that no step is a place to cut.
      for (let from = 0; from < 50_000; from += 10_000)
        await tracking.logMetrics(
          id,
          Array.from({ length: 10_000 }, (_, i) => ({ key: "m", value: from + i })),
        );
      await tracking.runs.delete(id);
      // As an earlier collection leaves it that ended in between.
      await database.store.db.updateTable("runs").set({ deleted_at: 0 }).execute();
      await expect(tracking.runs.restore(id)).rejects.toMatchObject({ code: "TRACKING_RUN_UNKNOWN" });
      clock.advanceTo(start + DAY);
      expect(await tracking.collectGarbage(start + DAY, { dryRun: false, ...NOW })).toMatchObject({ runs: 1 });
      expect(await database.store.db.selectFrom("metrics").select("key").limit(1).execute()).toEqual([]);
    });

    test("never removes what lies in a place of its own below another one's folder", async () => {
      const { tracking, clock } = under;
      const outer = await newRun();
      const root = await rootOf(outer);
      const { id: experimentId } = await tracking.experiments.create({
        name: "inner",
        artifactLocation: `mlflow-artifacts:/${root}/inner`,
      });
      const inner = await newRun({ experimentId });
      await writeFile(outer, "a.txt", "outer");
      await writeFile(outer, "inner.txt", "outer too");
      await writeFile(inner, "a.txt", "inner");
      await tracking.runs.delete(outer);
      clock.advanceTo(start + DAY);
      const expected = { ...NOTHING, runs: 1, files: 2, artifacts: 2, bytes: 14 };
      expect(await tracking.collectGarbage(start + DAY, { dryRun: true, ...NOW })).toEqual(expected);
      expect(await tracking.collectGarbage(start + DAY, { dryRun: false, ...NOW })).toEqual(expected);
      expect((await tracking.artifacts(inner)).map(({ path }) => path)).toEqual(["a.txt"]);
    });
  });

  test("whatever was created, deleted, restored and registered: what is in use stays as it was, the rest is gone", async () => {
    const at = fc.integer({ min: 0, max: 9 });
    const operation = fc.oneof(
      fc.record({ do: fc.constant("experiment" as const), below: fc.option(at, { nil: null }) }),
      fc.record({ do: fc.constant("run" as const), of: at }),
      fc.record({ do: fc.constant("model" as const), of: at }),
      fc.record({
        do: fc.constant("file" as const),
        of: at,
        name: fc.constantFrom("a", "b/c"),
        text: fc.constantFrom("x", "y", "z"),
      }),
      fc.record({ do: fc.constant("metric" as const), of: at }),
      fc.record({
        do: fc.constantFrom("delete" as const, "restore" as const),
        what: fc.constantFrom("experiment", "run", "model"),
        of: at,
      }),
      fc.record({ do: fc.constant("register" as const), of: at, by: fc.constantFrom("run", "model", "source") }),
      fc.record({ do: fc.constant("cache" as const), text: fc.constantFrom("x", "y", "z") }),
    );
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 5, maxLength: 30 }),
        fc.integer({ min: 0, max: 30 }),
        async (operations, until) => {
          await under.database.store.db.deleteFrom("registered_models").execute();
          await under.database.store.db.deleteFrom("step_cache").execute();
          const world = new World(under.tracking, register, under.database.store.db, round++);
          const begin = under.clock.now();
          for (const each of operations) {
            under.clock.advanceTo(under.clock.now() + HOUR);
            await world.apply(each);
          }
          const deletedBefore = begin + until * HOUR + 1;
          const before = await world.everything();
          const planned = await under.tracking.collectGarbage(deletedBefore, { dryRun: true, ...NOW });
          expect(await world.everything()).toEqual(before);
          const stored = new Set(await hashes());
          expect(await under.tracking.collectGarbage(deletedBefore, { dryRun: false, ...NOW })).toEqual(planned);
          const after = await world.everything();
          for (const kind of ["runs", "models", "experiments"] as const) {
            for (const [id, record] of before[kind]) {
              if (world.isNeeded(id, deletedBefore, before)) expect(after[kind].get(id), id).toEqual(record);
              else expect(after[kind].has(id), id).toBe(false);
            }
          }
          const named = new Set([...after.files.values(), ...after.cached]);
          expect(new Set(await hashes())).toEqual(new Set([...stored].filter((hash) => named.has(hash))));
          expect(stored.size - named.size).toBe(planned.artifacts);
          expect(before.files.size - after.files.size).toBe(planned.files);
          for (const [path, hash] of before.files)
            if (world.isNeededFile(path, after)) expect(after.files.get(path), path).toBe(hash);
          expect(await under.tracking.collectGarbage(deletedBefore, { dryRun: false, ...NOW })).toEqual(NOTHING);
        },
      ),
      { numRuns: 60 },
    );
  });
});

type Operation =
  | { do: "experiment"; below: number | null }
  | { do: "run"; of: number }
  | { do: "model"; of: number }
  | { do: "metric"; of: number }
  | { do: "file"; of: number; name: string; text: string }
  | { do: "delete" | "restore"; what: string; of: number }
  | { do: "register"; of: number; by: string }
  | { do: "cache"; text: string };

type RegisterVersion = (version: { run_id?: string; model_id?: string; source?: string }) => Promise<void>;

interface Everything {
  readonly runs: ReadonlyMap<string, Awaited<ReturnType<Tracking["runs"]["get"]>>>;
  readonly models: ReadonlyMap<string, Awaited<ReturnType<Tracking["loggedModels"]["get"]>>>;
  readonly experiments: ReadonlyMap<string, Awaited<ReturnType<Tracking["experiments"]["get"]>>>;
  /** Hash by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly cached: ReadonlySet<string>;
}

/** What a random history made; knows by the simplest rules what must stay. */
class World {
  readonly #tracking: Tracking;
  readonly #register: RegisterVersion;
  readonly #db: Kysely<Database>;
  readonly #round: number;
  readonly #experiments: string[] = [];
  readonly #runs: { id: string; uri: string; experimentId: string }[] = [];
  readonly #models: { id: string; uri: string; experimentId: string }[] = [];
  readonly #deletedAt = new Map<string, number | null>();
  readonly #registered = new Set<string>();

  constructor(tracking: Tracking, register: RegisterVersion, db: Kysely<Database>, round: number) {
    this.#tracking = tracking;
    this.#register = register;
    this.#db = db;
    this.#round = round;
  }

  async apply(operation: Operation): Promise<void> {
    const tracking = this.#tracking;
    const pick = <T>(all: readonly T[], of: number): T | undefined => all[of % Math.max(1, all.length)];
    if (operation.do === "experiment") {
      const place = operation.below === null ? undefined : pick(this.#runs, operation.below)?.uri;
      const made = await tracking.experiments.create({
        name: `${this.#round} ${this.#experiments.length}`,
        ...(place !== undefined && { artifactLocation: `${place}/below${this.#experiments.length}` }),
      });
      this.#experiments.push(made.id);
    } else if (operation.do === "cache") {
      const text = operation.text;
      const { sha256 } = await tracking.files.write(`loose/${this.#round}/${text}`, bytes(text));
      await this.#db
        .insertInto("step_cache")
        .values({
          workspace: "w",
          project: "p",
          cache_key: `${Math.random()}`,
          output: `"${sha256}"`,
          run_id: "r",
          created_at: 0,
        })
        .execute();
      await tracking.files.delete(`loose/${this.#round}/${text}`);
    } else if (operation.do === "run" || operation.do === "model") {
      const experimentId = pick(this.#experiments, operation.of);
      if (experimentId === undefined || (await tracking.experiments.get(experimentId)).lifecycle === "deleted") return;
      if (operation.do === "run") {
        const run = await tracking.runs.create({ experimentId, actor });
        this.#runs.push({ id: run.id, uri: run.artifactUri, experimentId });
      } else {
        const model = await tracking.loggedModels.create({ experimentId });
        this.#models.push({ id: model.id, uri: model.artifactLocation, experimentId });
      }
    } else if (operation.do === "file") {
      const holder = pick([...this.#runs, ...this.#models], operation.of);
      if (holder !== undefined) await tracking.files.write(`${pathOf(holder.uri)}/${operation.name}`, bytes(operation.text));
    } else if (operation.do === "metric") {
      const run = pick(this.#runs, operation.of);
      if (run !== undefined) await tracking.logMetrics(run.id, [{ key: "m", value: operation.of }]).catch(() => undefined);
    } else if (operation.do === "register") {
      const run = pick(this.#runs, operation.of);
      const model = pick(this.#models, operation.of);
      if (operation.by === "model" && model !== undefined) await this.#register({ model_id: model.id });
      else if (operation.by === "run" && run !== undefined) await this.#register({ run_id: run.id });
      else if (operation.by === "source" && run !== undefined) await this.#register({ source: `${run.uri}/model` });
      const used = operation.by === "model" ? model : run;
      if (used !== undefined) this.#registered.add(used.id);
    } else if (operation.what === "experiment") {
      const id = pick(this.#experiments, operation.of);
      if (id !== undefined) await tracking.experiments[operation.do](id).catch(() => undefined);
    } else {
      const [all, room] = operation.what === "run" ? [this.#runs, tracking.runs] : [this.#models, tracking.loggedModels];
      const held = pick(all, operation.of);
      if (held !== undefined) await room[operation.do](held.id).catch(() => undefined);
    }
  }

  async everything(): Promise<Everything> {
    const tracking = this.#tracking;
    const found = async <T>(ids: readonly string[], get: (id: string) => Promise<T>) => {
      const all = new Map<string, T>();
      for (const id of ids) {
        const record = await get(id).catch(() => null);
        if (record !== null) all.set(id, record);
      }
      return all;
    };
    const times = await deletionTimes(this.#db);
    for (const [id, time] of times) if (!this.#deletedAt.has(id) || time !== null) this.#deletedAt.set(id, time);
    const files = new Map<string, string>();
    for await (const { path, sha256 } of tracking.files.walk("")) files.set(path, sha256);
    return {
      runs: await found(
        this.#runs.map(({ id }) => id),
        // It lists what lies below its folder, also in others' places; files are compared by their paths.
        async (id) => ({ ...(await tracking.runs.get(id)), artifacts: [] }),
      ),
      models: await found(
        this.#models.map(({ id }) => id),
        (id) => tracking.loggedModels.get(id, "all"),
      ),
      experiments: await found(this.#experiments, tracking.experiments.get),
      files,
      cached: await cachedHashes(this.#db),
    };
  }

  isNeeded(id: string, deletedBefore: number, before: Everything): boolean {
    const deletedAt = this.#deletedAt.get(id) ?? null;
    if (deletedAt === null || deletedAt >= deletedBefore || this.#registered.has(id)) return true;
    if (!before.experiments.has(id)) return false;
    return [...this.#runs, ...this.#models].some(
      (held) => held.experimentId === id && this.isNeeded(held.id, deletedBefore, before),
    );
  }

  /** A file of something that is still there. */
  isNeededFile(path: string, after: Everything): boolean {
    const holders = [...this.#runs, ...this.#models].filter(({ uri }) => path.startsWith(`${pathOf(uri)}/`));
    // The innermost has it.
    const holder = holders.toSorted((a, b) => b.uri.length - a.uri.length)[0];
    return holder !== undefined && (after.runs.has(holder.id) || after.models.has(holder.id));
  }
}

const pathOf = (uri: string) => uri.replace("mlflow-artifacts:/", "");

async function cachedHashes(db: Kysely<Database>): Promise<Set<string>> {
  const rows = await db.selectFrom("step_cache").select("output").execute();
  return new Set(rows.map(({ output }) => output.slice(1, -1)));
}

async function deletionTimes(db: Kysely<Database>): Promise<Map<string, number | null>> {
  const times = new Map<string, number | null>();
  for (const table of ["runs", "logged_models", "experiments"] as const)
    for (const { id, deleted_at } of await db.selectFrom(table).select(["id", "deleted_at"]).execute()) times.set(id, deleted_at);
  return times;
}
