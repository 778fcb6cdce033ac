import { type Kysely, type SelectQueryBuilder, sql } from "kysely";
import type { ArtifactStore, Database, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { collectContent } from "./collect-content.ts";
import type { CollectedGarbage, GarbageOptions } from "./interfaces.ts";
import { type DoomedFolder, doomedFolders, type GarbagePlan, inhabitants, ownFolder, planGarbage } from "./plan-garbage.ts";
import { loadRegistryUse } from "./registry-use.ts";

/** Runs and logged models removed in one transaction. */
const STEP = 100;
/** Rows of metrics and files removed in one. */
const ROWS = 20_000;
const DAY_MS = 86_400_000;

export interface GarbageContext {
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  readonly scope: Scope;
}

/**
 * Removes for good what was deleted before a time, in steps that let others write in between, and then bytes that nothing names any
 * more. Interrupted, it goes on with the next call.
 */
export async function collectGarbage(
  context: GarbageContext,
  deletedBefore: Micros,
  { dryRun, inUse = new Set(), graceMs = DAY_MS }: GarbageOptions,
): Promise<CollectedGarbage> {
  const { store, artifacts, scope } = context;
  // Before any removal: bytes that come later are not looked at.
  const writtenBefore = new Date(Date.now() - graceMs);
  const plan = await planGarbage(store.db, scope, deletedBefore, dryRun);
  const folders = await plannedFolders(store.db, scope, plan);
  const removed = dryRun
    ? await countPlanned(store.db, scope, plan, folders)
    : await new Collector(context, deletedBefore).remove(plan);
  const content = await collectContent({
    store,
    artifacts,
    writtenBefore,
    inUse,
    dryRun: dryRun ? { scope, plan, folders, deletedBefore } : null,
  });
  return { ...removed, registeredModels: 0, modelVersions: 0, ...content };
}

type Removed = Pick<CollectedGarbage, "experiments" | "runs" | "loggedModels" | "files">;

async function plannedFolders(db: Kysely<Database>, scope: Scope, plan: GarbagePlan): Promise<DoomedFolder[]> {
  const whole = plan.experiments.filter((experiment) => ownFolder(experiment) !== null);
  const within = new Set(whole.map(({ id }) => id));
  return doomedFolders(db, scope, [
    ...whole.map(({ artifact_location }) => artifact_location),
    ...plan.runs.filter(({ experiment_id }) => !within.has(experiment_id)).map(({ artifact_uri }) => artifact_uri),
    ...plan.models.filter(({ experiment_id }) => !within.has(experiment_id)).map(({ artifact_location }) => artifact_location),
  ]);
}

async function countPlanned(
  db: Kysely<Database>,
  scope: Scope,
  plan: GarbagePlan,
  folders: readonly DoomedFolder[],
): Promise<Removed> {
  let files = 0;
  for (const folder of folders) {
    const row = await filesOf(db, scope, folder)
      .select((each) => each.fn.countAll<number>().as("rows"))
      .executeTakeFirstOrThrow();
    files += Number(row.rows);
  }
  return { experiments: plan.experiments.length, runs: plan.runs.length, loggedModels: plan.models.length, files };
}

/** "0" is the character after "/". */
const filesOf = (
  db: Kysely<Database>,
  { workspace, project }: Scope,
  { root, spared }: DoomedFolder,
): SelectQueryBuilder<Database, "artifact_files", object> =>
  spared.reduce<SelectQueryBuilder<Database, "artifact_files", object>>(
    (query, place) =>
      query.where((each) =>
        each.and([each("path", "!=", place), each.or([each("path", "<", `${place}/`), each("path", ">=", `${place}0`)])]),
      ),
    db
      .selectFrom("artifact_files")
      .where((each) => each.and({ workspace, project }))
      .where("path", ">=", `${root}/`)
      .where("path", "<", `${root}0`),
  );

/** Carries a plan out. What has been restored, or is needed since it was made, stays. */
class Collector {
  readonly #store: MetadataStore;
  readonly #scope: Scope;
  readonly #own: { readonly workspace: string; readonly project: string };
  readonly #deletedBefore: Micros;
  readonly #removed = { experiments: 0, runs: 0, loggedModels: 0, files: 0 };

  constructor({ store, scope }: GarbageContext, deletedBefore: Micros) {
    this.#store = store;
    this.#scope = scope;
    this.#own = { workspace: scope.workspace, project: scope.project };
    this.#deletedBefore = deletedBefore;
  }

  async remove(plan: GarbagePlan): Promise<Removed> {
    for (const ids of steps(plan.runs)) await this.#removeRuns(ids);
    for (const ids of steps(plan.models)) await this.#removeModels(ids);
    for (const experiment of plan.experiments) await this.#removeExperiment(experiment);
    return this.#removed;
  }

  async #removeRuns(ids: readonly string[]): Promise<void> {
    const doomed = await this.#store.transaction(async (db) => {
      const rows = await db
        .selectFrom("runs")
        .select(["id", "experiment_id", "artifact_uri"])
        .where((each) => each.and({ ...this.#own, lifecycle: "deleted" }))
        .where("deleted_at", "<", this.#deletedBefore)
        .where("id", "in", ids)
        .execute();
      const use = await loadRegistryUse(db, this.#scope);
      const free = rows.filter((run) => !use.usesRun(run));
      await this.#condemn(db, "runs", free);
      return free;
    });
    if (doomed.length === 0) return;
    await this.#removeFiles(doomed.map(({ artifact_uri }) => artifact_uri));
    for (const { id } of doomed) await this.#thinOut(id);
    const doomedIds = doomed.map(({ id }) => id);
    await this.#store.transaction(async (db) => {
      for (const table of ["metrics", "latest_metrics"] as const)
        await db
          .deleteFrom(table)
          .where((each) => each.and(this.#own))
          .where("run_id", "in", doomedIds)
          .execute();
      await db
        .deleteFrom("runs")
        .where((each) => each.and(this.#own))
        .where("id", "in", doomedIds)
        .execute();
      await this.#removeUnlinkedDatasets(db, [...new Set(doomed.map(({ experiment_id }) => experiment_id))]);
    });
    this.#removed.runs += doomed.length;
  }

  async #removeModels(ids: readonly string[]): Promise<void> {
    const doomed = await this.#store.transaction(async (db) => {
      const rows = await db
        .selectFrom("logged_models")
        .select(["id", "artifact_location"])
        .where((each) => each.and({ ...this.#own, lifecycle: "deleted" }))
        .where("deleted_at", "<", this.#deletedBefore)
        .where("id", "in", ids)
        .execute();
      const use = await loadRegistryUse(db, this.#scope);
      const free = rows.filter((model) => !use.usesModel(model));
      await this.#condemn(db, "logged_models", free);
      return free;
    });
    if (doomed.length === 0) return;
    await this.#removeFiles(doomed.map(({ artifact_location }) => artifact_location));
    const doomedIds = doomed.map(({ id }) => id);
    await this.#store.transaction(async (db) => {
      await db
        .deleteFrom("run_models")
        .where((each) => each.and(this.#own))
        .where("model_id", "in", doomedIds)
        .execute();
      await db
        .deleteFrom("logged_models")
        .where((each) => each.and(this.#own))
        .where("id", "in", doomedIds)
        .execute();
    });
    this.#removed.loggedModels += doomed.length;
  }

  async #removeExperiment(experiment: GarbagePlan["experiments"][number]): Promise<void> {
    const { id } = experiment;
    const own = ownFolder(experiment);
    if ((await inhabitants(this.#store.db, this.#scope, id)) > 0) return;
    const gone = await this.#store.transaction(async (db) => {
      // It may have been restored, and runs made in it, since the plan.
      if ((await inhabitants(db, this.#scope, id)) > 0) return false;
      const { numDeletedRows } = await db
        .deleteFrom("experiments")
        .where((each) => each.and({ ...this.#own, id, lifecycle: "deleted" }))
        .where("deleted_at", "<", this.#deletedBefore)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    });
    if (!gone) return;
    this.#removed.experiments++;
    // After its row, since what is left here belonged to no run: nobody misses it should this be interrupted.
    if (own !== null) await this.#removeFiles([own]);
  }

  /** From here on they cannot be restored; a later call goes on where this one is interrupted. */
  async #condemn(db: Kysely<Database>, table: "runs" | "logged_models", rows: readonly { readonly id: string }[]): Promise<void> {
    if (rows.length === 0) return;
    await db
      .updateTable(table)
      .set({ deleted_at: CONDEMNED })
      .where((each) => each.and(this.#own))
      .where(
        "id",
        "in",
        rows.map(({ id }) => id),
      )
      .execute();
  }

  async #removeFiles(uris: readonly string[]): Promise<void> {
    for (const folder of await doomedFolders(this.#store.db, this.#scope, uris)) {
      for (;;) {
        const removed = await this.#store.transaction(async (db) => {
          const some = filesOf(db, this.#scope, folder).select("path").orderBy("path").limit(ROWS);
          const { numDeletedRows } = await db
            .deleteFrom("artifact_files")
            .where((each) => each.and(this.#own))
            .where("path", "in", some)
            .executeTakeFirst();
          return Number(numDeletedRows);
        });
        this.#removed.files += removed;
        if (removed < ROWS) break;
      }
    }
  }

  /** Removes a run's metrics until few enough are left for one transaction. */
  async #thinOut(runId: string): Promise<void> {
    for (;;) {
      const bound = await this.#store.db
        .selectFrom("metrics")
        .select(["key", "step", "logged_at", "value", "is_nan"])
        .where((each) => each.and({ ...this.#own, run_id: runId }))
        .orderBy("key")
        .orderBy("step")
        .orderBy("logged_at")
        .orderBy("value")
        .orderBy("is_nan")
        .limit(1)
        .offset(ROWS)
        .executeTakeFirst();
      if (bound === undefined) return;
      const { key, step, logged_at, value, is_nan } = bound;
      await this.#store.transaction((db) =>
        db
          .deleteFrom("metrics")
          .where((each) => each.and({ ...this.#own, run_id: runId }))
          .where(sql<boolean>`(key, step, logged_at, value, is_nan) < (${key}, ${step}, ${logged_at}, ${value}, ${is_nan})`)
          .execute(),
      );
    }
  }

  async #removeUnlinkedDatasets(db: Kysely<Database>, experimentIds: readonly string[]): Promise<void> {
    await db
      .deleteFrom("datasets")
      .where((each) => each.and(this.#own))
      .where("experiment_id", "in", experimentIds)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("run_datasets")
              .select("run_datasets.run_id")
              .whereRef("run_datasets.workspace", "=", "datasets.workspace")
              .whereRef("run_datasets.project", "=", "datasets.project")
              .whereRef("run_datasets.experiment_id", "=", "datasets.experiment_id")
              .whereRef("run_datasets.name", "=", "datasets.name")
              .whereRef("run_datasets.digest", "=", "datasets.digest"),
          ),
        ),
      )
      .execute();
  }
}

/** The time of deletion of what garbage collection has begun to remove. */
export const CONDEMNED: Micros = 0;

const steps = (rows: readonly { readonly id: string }[]): string[][] =>
  Array.from({ length: Math.ceil(rows.length / STEP) }, (_, step) =>
    rows.slice(step * STEP, (step + 1) * STEP).map(({ id }) => id),
  );
