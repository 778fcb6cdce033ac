import type { Kysely } from "kysely";
import type { Clock, Database, ExperimentTable, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { checkArtifactLocation, experimentLocation } from "./artifact-location.ts";
import { trackingErrors } from "./errors.ts";
import { inChunks } from "./in-chunks.ts";
import type { Experiment, Experiments } from "./interfaces.ts";
import { checkKey, checkName, checkText, TRACKING_LIMITS } from "./limits.ts";
import { searchExperimentIds } from "./search/index.ts";

/** What clients that name no experiment log to. */
const DEFAULT = { id: "0", name: "Default" } as const;

export function experiments(store: MetadataStore, clock: Clock, scope: Scope): Experiments {
  const { workspace, project } = scope;
  const own = { workspace, project };
  let hasDefault = false;

  const rowOf = (db: Kysely<Database>, id: string) =>
    db
      .selectFrom("experiments")
      .selectAll()
      .where((each) => each.and({ ...own, id }))
      .executeTakeFirst();

  async function existing(db: Kysely<Database>, id: string): Promise<ExperimentTable> {
    const row = await rowOf(db, id);
    if (row === undefined) throw unknownExperiment(id);
    return row;
  }

  async function active(db: Kysely<Database>, id: string): Promise<ExperimentTable> {
    const row = await existing(db, id);
    if (row.lifecycle === "deleted") throw deletedExperiment(id);
    return row;
  }

  const change = (db: Kysely<Database>, id: string, values: Partial<ExperimentTable>) =>
    db
      .updateTable("experiments")
      .set({ ...values, updated_at: clock.now() })
      .where((each) => each.and({ ...own, id }))
      .execute();

  /** @throws TRACKING_EXPERIMENT_EXISTS */
  async function refuseTaken(db: Kysely<Database>, name: string, id: string | null): Promise<void> {
    const other = await activeNamed(db, scope, [name]);
    if (other[0] !== undefined && other[0].id !== id)
      throw trackingErrors.TRACKING_EXPERIMENT_EXISTS(`There is an experiment ${name} already`);
  }

  async function byIds(ids: readonly string[]): Promise<Experiment[]> {
    const [rows, tags] = await Promise.all([
      inChunks(ids, (some) =>
        store.db
          .selectFrom("experiments")
          .selectAll()
          .where((each) => each.and(own))
          .where("id", "in", some)
          .execute(),
      ),
      inChunks(ids, (some) =>
        store.db
          .selectFrom("experiment_tags")
          .select(["experiment_id", "key", "value"])
          .where((each) => each.and(own))
          .where("experiment_id", "in", some)
          .orderBy("key")
          .execute(),
      ),
    ]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const tagsOf = Map.groupBy(tags, ({ experiment_id }) => experiment_id);
    return ids.flatMap((id) => {
      const row = byId.get(id);
      return row === undefined ? [] : [experimentOf(row, tagsOf.get(id) ?? [])];
    });
  }

  async function get(id: string): Promise<Experiment> {
    const [found] = await byIds([id]);
    if (found === undefined) throw unknownExperiment(id);
    return found;
  }

  return {
    async ensureDefault() {
      if (hasDefault) return;
      if ((await rowOf(store.db, DEFAULT.id)) === undefined)
        await store.transaction(async (db) => {
          if ((await rowOf(db, DEFAULT.id)) !== undefined) return;
          const [taken] = await activeNamed(db, scope, [DEFAULT.name]);
          const name = taken === undefined ? DEFAULT.name : `${DEFAULT.name} (${DEFAULT.id})`;
          await store.insertMany(db, "experiments", [experimentRow(scope, DEFAULT.id, name, clock.now())]);
        });
      hasDefault = true;
    },

    async getOrCreate(name) {
      const id = await store.transaction(async (db) => {
        const [found] = await experimentsNamed(store, db, clock, scope, [checkName(name, TRACKING_LIMITS.experimentName)]);
        return found?.id ?? "";
      });
      return get(id);
    },

    async create({ name, artifactLocation, tags = {}, createdAt = clock.now() }) {
      checkName(name, TRACKING_LIMITS.experimentName);
      const location = artifactLocation === undefined || artifactLocation === "" ? null : checkArtifactLocation(artifactLocation);
      for (const [key, value] of Object.entries(tags)) checkTag(key, value);
      const id = await store.transaction(async (db) => {
        await refuseTaken(db, name, null);
        const free = await freeId(db, clock, scope);
        const row = experimentRow(scope, free, name, createdAt);
        await store.insertMany(db, "experiments", [{ ...row, artifact_location: location ?? row.artifact_location }]);
        const rows = Object.entries(tags).map(([key, value]) => ({ ...own, experiment_id: free, key, value }));
        if (rows.length > 0) await store.insertMany(db, "experiment_tags", rows);
        return free;
      });
      return get(id);
    },

    get,

    async named(name) {
      const row = await store.db
        .selectFrom("experiments")
        .select("id")
        .where((each) => each.and({ ...own, name }))
        // "active" is before "deleted".
        .orderBy("lifecycle")
        .orderBy("deleted_at", "desc")
        .limit(1)
        .executeTakeFirst();
      if (row === undefined) throw trackingErrors.TRACKING_EXPERIMENT_UNKNOWN(`There is no experiment named ${name}`);
      return get(row.id);
    },

    async rename(id, name) {
      checkName(name, TRACKING_LIMITS.experimentName);
      await store.transaction(async (db) => {
        await active(db, id);
        await refuseTaken(db, name, id);
        await change(db, id, { name });
      });
    },

    async delete(id) {
      await store.transaction(async (db) => {
        const row = await existing(db, id);
        if (row.lifecycle === "deleted")
          throw trackingErrors.TRACKING_EXPERIMENT_UNKNOWN(`There is no active experiment ${id}: it is deleted already`);
        const at = await timeOfDeletion(db, clock, scope, id);
        await change(db, id, { lifecycle: "deleted", deleted_at: at });
        for (const table of ["runs", "logged_models"] as const)
          await db
            .updateTable(table)
            .set({ lifecycle: "deleted", deleted_at: at })
            .where((each) => each.and({ ...own, experiment_id: id, lifecycle: "active" }))
            .execute();
      });
    },

    async restore(id) {
      await store.transaction(async (db) => {
        const row = await existing(db, id);
        if (row.lifecycle === "active")
          throw trackingErrors.TRACKING_EXPERIMENT_UNKNOWN(`There is no deleted experiment ${id}: it is active`);
        await refuseTaken(db, row.name, id);
        await change(db, id, { lifecycle: "active", deleted_at: null });
        for (const table of ["runs", "logged_models"] as const)
          await db
            .updateTable(table)
            .set({ lifecycle: "active", deleted_at: null })
            .where((each) => each.and({ ...own, experiment_id: id, lifecycle: "deleted" }))
            .where("deleted_at", "=", row.deleted_at)
            .execute();
      });
    },

    async setTag(id, key, value) {
      checkTag(key, value);
      await store.transaction(async (db) => {
        await active(db, id);
        await store.insertMany(db, "experiment_tags", [{ ...own, experiment_id: id, key, value }], {
          key: ["workspace", "project", "experiment_id", "key"],
          update: ["value"],
        });
        await change(db, id, {});
      });
    },

    async deleteTag(id, key) {
      await store.transaction(async (db) => {
        await active(db, id);
        const { numDeletedRows } = await db
          .deleteFrom("experiment_tags")
          .where((each) => each.and({ ...own, experiment_id: id, key }))
          .executeTakeFirst();
        if (numDeletedRows === 0n) throw trackingErrors.TRACKING_TAG_UNKNOWN(`Experiment ${id} has no tag ${key}`);
        await change(db, id, {});
      });
    },

    async list() {
      const rows = await store.db
        .selectFrom("experiments")
        .select("id")
        .where((each) => each.and({ ...own, lifecycle: "active" }))
        .orderBy("name")
        .execute();
      return byIds(rows.map(({ id }) => id));
    },

    async search(search) {
      const { ids, nextCursor } = await searchExperimentIds(store, scope, search);
      return { items: await byIds(ids), nextCursor };
    },
  };
}

function checkTag(key: string, value: string): void {
  checkKey(key);
  checkText(`The value of tag ${key}`, value, TRACKING_LIMITS.experimentTagValue);
}

export const unknownExperiment = (id: string) => trackingErrors.TRACKING_EXPERIMENT_UNKNOWN(`There is no experiment ${id}`);
export const deletedExperiment = (id: string) => trackingErrors.TRACKING_EXPERIMENT_DELETED(`Experiment ${id} is deleted`);

const experimentRow = ({ workspace, project }: Scope, id: string, name: string, at: Micros): ExperimentTable => ({
  workspace,
  project,
  id,
  name,
  artifact_location: experimentLocation(id),
  lifecycle: "active",
  deleted_at: null,
  created_at: at,
  updated_at: at,
});

const experimentOf = (row: ExperimentTable, tags: readonly { readonly key: string; readonly value: string }[]): Experiment => ({
  id: row.id,
  name: row.name,
  artifactLocation: row.artifact_location,
  lifecycle: row.lifecycle,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
});

const activeNamed = (db: Kysely<Database>, { workspace, project }: Scope, names: readonly string[]) =>
  inChunks(names, (some) =>
    db
      .selectFrom("experiments")
      .selectAll()
      .where((each) => each.and({ workspace, project, lifecycle: "active" }))
      .where("name", "in", some)
      .execute(),
  );

/** The active experiments of these names, made where there are none. The names have been checked. */
export async function experimentsNamed(
  store: MetadataStore,
  db: Kysely<Database>,
  clock: Clock,
  scope: Scope,
  names: readonly string[],
): Promise<ExperimentTable[]> {
  if (names.length === 0) return [];
  const found = await activeNamed(db, scope, names);
  const there = new Set(found.map(({ name }) => name));
  for (const name of new Set(names)) {
    if (there.has(name)) continue;
    const made = experimentRow(scope, await freeId(db, clock, scope), name, clock.now());
    await store.insertMany(db, "experiments", [made]);
    found.push(made);
  }
  return found;
}

/** The time, in decimal: clients want ids that read as integers. Another program may have made one in the same microsecond. */
async function freeId(db: Kysely<Database>, clock: Clock, { workspace, project }: Scope): Promise<string> {
  for (let id = clock.now(); ; id++) {
    const taken = await db
      .selectFrom("experiments")
      .select("id")
      .where((each) => each.and({ workspace, project, id: String(id) }))
      .executeTakeFirst();
    if (taken === undefined) return String(id);
  }
}

/** Now, but later than every deletion below the experiment, so that restoring it brings back what this one deleted and nothing else. */
async function timeOfDeletion(db: Kysely<Database>, clock: Clock, { workspace, project }: Scope, id: string): Promise<Micros> {
  let at = clock.now();
  for (const table of ["runs", "logged_models"] as const) {
    const { last } = await db
      .selectFrom(table)
      .select((each) => each.fn.max("deleted_at").as("last"))
      .where((each) => each.and({ workspace, project, experiment_id: id, lifecycle: "deleted" }))
      .executeTakeFirstOrThrow();
    if (last !== null) at = Math.max(at, Number(last) + 1);
  }
  return at;
}
