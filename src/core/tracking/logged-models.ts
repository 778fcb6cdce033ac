import { type Kysely, sql } from "kysely";
import type { Clock, Database, LoggedModelTable, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { modelArtifactUri } from "./artifact-location.ts";
import { CONDEMNED } from "./collect-garbage.ts";
import { trackingErrors } from "./errors.ts";
import { deletedExperiment, unknownExperiment } from "./experiments.ts";
import { inChunks } from "./in-chunks.ts";
import type { LoggedModel, LoggedModelMetric, LoggedModels } from "./interfaces.ts";
import { checkName, checkText, TRACKING_LIMITS } from "./limits.ts";
import { generatedName } from "./run-names.ts";
import { searchLoggedModelIds } from "./search/index.ts";
import { sortableId } from "./sortable-id.ts";

/** They would not survive in a model's URI. */
const NOT_IN_NAMES = /[/:.%"']/;

type Entries = Readonly<Record<string, string>>;

export function loggedModels(store: MetadataStore, clock: Clock, scope: Scope): LoggedModels {
  const { workspace, project } = scope;
  const own = { workspace, project };

  const lifecycleOf = async (db: Kysely<Database>, id: string) => {
    const row = await db
      .selectFrom("logged_models")
      .select(["lifecycle", "deleted_at"])
      .where((each) => each.and({ ...own, id }))
      .executeTakeFirst();
    if (row === undefined || row.deleted_at === CONDEMNED) throw unknownModel(id);
    return row.lifecycle;
  };

  /** A change of an active one; `work` may add to it. */
  const changing = (
    id: string,
    values: Partial<LoggedModelTable>,
    work: (db: Kysely<Database>) => Promise<void> = async () => {},
  ) =>
    store.transaction(async (db) => {
      if ((await lifecycleOf(db, id)) === "deleted") throw unknownModel(id);
      await work(db);
      await update(db, id, values);
    });

  const update = (db: Kysely<Database>, id: string, values: Partial<LoggedModelTable>) =>
    db
      .updateTable("logged_models")
      .set({ ...values, updated_at: clock.now() })
      .where((each) => each.and({ ...own, id }))
      .execute();

  const rowsOf = (id: string, entries: Entries) =>
    Object.entries(entries).map(([key, value]) => ({ ...own, model_id: id, key, value }));

  const byIds = (ids: readonly string[]) => loadLoggedModels(store.db, scope, ids);

  async function get(id: string, view: "active" | "all" = "active"): Promise<LoggedModel> {
    const [found] = await byIds([id]);
    if (found === undefined || (view === "active" && found.lifecycle === "deleted")) throw unknownModel(id);
    return found;
  }

  return {
    async create({ experimentId, name, sourceRunId, modelType, params = {}, tags = {} }) {
      const id = sortableId("m", clock);
      const made = checkModelName(name ?? generatedName());
      checkEntries(params, tags);
      const now = clock.now();
      await store.transaction(async (db) => {
        const experiment = await db
          .selectFrom("experiments")
          .select(["artifact_location", "lifecycle"])
          .where((each) => each.and({ ...own, id: experimentId }))
          .executeTakeFirst();
        if (experiment === undefined) throw unknownExperiment(experimentId);
        if (experiment.lifecycle === "deleted") throw deletedExperiment(experimentId);
        await store.insertMany(db, "logged_models", [
          {
            ...own,
            id,
            experiment_id: experimentId,
            name: made,
            artifact_location: modelArtifactUri(experiment.artifact_location, id),
            status: "pending",
            status_message: null,
            lifecycle: "active",
            deleted_at: null,
            model_type: modelType || null,
            source_run_id: sourceRunId || null,
            created_at: now,
            updated_at: now,
          },
        ]);
        await store.insertMany(db, "logged_model_params", rowsOf(id, params));
        await store.insertMany(db, "logged_model_tags", rowsOf(id, tags));
      });
      return get(id);
    },

    get,

    async finalize(id, status, message) {
      await changing(id, { status, status_message: message ?? null });
      return get(id);
    },

    async setTags(id, tags) {
      checkEntries({}, tags);
      await changing(id, {}, (db) =>
        store.insertMany(db, "logged_model_tags", rowsOf(id, tags), {
          key: ["workspace", "project", "model_id", "key"],
          update: ["value"],
        }),
      );
      return get(id);
    },

    deleteTag: (id, key) =>
      changing(id, {}, async (db) => {
        const { numDeletedRows } = await db
          .deleteFrom("logged_model_tags")
          .where((each) => each.and({ ...own, model_id: id, key }))
          .executeTakeFirst();
        if (numDeletedRows === 0n) throw trackingErrors.TRACKING_TAG_UNKNOWN(`Logged model ${id} has no tag ${key}`);
      }),

    async logParams(id, params) {
      checkEntries(params, {});
      await changing(id, {}, async (db) => {
        const stored = await db
          .selectFrom("logged_model_params")
          .select(["key", "value"])
          .where((each) => each.and({ ...own, model_id: id }))
          .execute();
        for (const { key, value } of stored)
          if (Object.hasOwn(params, key) && params[key] !== value)
            throw trackingErrors.TRACKING_PARAM_CHANGED(`Param ${key} of ${id} is "${value}" and cannot become "${params[key]}"`);
        await store.insertMany(db, "logged_model_params", rowsOf(id, params), "ignore");
      });
    },

    delete: (id) => changing(id, { lifecycle: "deleted", deleted_at: clock.now() }),

    async restore(id) {
      await store.transaction(async (db) => {
        if ((await lifecycleOf(db, id)) === "deleted") await update(db, id, { lifecycle: "active", deleted_at: null });
      });
      return get(id);
    },

    async search(search) {
      const { ids, nextCursor } = await searchLoggedModelIds(store, scope, search);
      return { items: await byIds(ids), nextCursor };
    },
  };
}

/** In the order of the ids; one that is not there is left out. */
async function loadLoggedModels(
  db: Kysely<Database>,
  { workspace, project }: Scope,
  ids: readonly string[],
): Promise<LoggedModel[]> {
  const entries = (table: "logged_model_params" | "logged_model_tags") =>
    inChunks(ids, (some) =>
      db
        .selectFrom(table)
        .select(["model_id", "key", "value"])
        .where((each) => each.and({ workspace, project }))
        .where("model_id", "in", some)
        .orderBy("model_id")
        .orderBy("key")
        .execute(),
    );
  const [rows, params, tags, metrics] = await Promise.all([
    inChunks(ids, (some) =>
      db
        .selectFrom("logged_models")
        .selectAll()
        .where((each) => each.and({ workspace, project }))
        .where("id", "in", some)
        .execute(),
    ),
    entries("logged_model_params"),
    entries("logged_model_tags"),
    inChunks(ids, (some) => {
      const ranked = db
        .selectFrom("logged_model_metrics")
        .selectAll()
        .select(
          sql<number>`row_number() OVER (PARTITION BY model_id, key, dataset_name, dataset_digest
            ORDER BY step DESC, logged_at DESC, value DESC, is_nan DESC, run_id DESC)`.as("place"),
        )
        .where((each) => each.and({ workspace, project }))
        .where("model_id", "in", some);
      return db
        .selectFrom(ranked.as("ranked"))
        .selectAll()
        .where("place", "=", 1)
        .orderBy("model_id")
        .orderBy("key")
        .orderBy("dataset_name")
        .orderBy("dataset_digest")
        .execute();
    }),
  ]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const ofModel = ({ model_id }: { readonly model_id: string }) => model_id;
  const [paramsOf, tagsOf, metricsOf] = [Map.groupBy(params, ofModel), Map.groupBy(tags, ofModel), Map.groupBy(metrics, ofModel)];
  return ids.flatMap((id) => {
    const row = byId.get(id);
    if (row === undefined) return [];
    return [
      {
        id,
        experimentId: row.experiment_id,
        name: row.name,
        artifactLocation: row.artifact_location,
        status: row.status,
        statusMessage: row.status_message,
        lifecycle: row.lifecycle,
        modelType: row.model_type,
        sourceRunId: row.source_run_id,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
        params: Object.fromEntries((paramsOf.get(id) ?? []).map(({ key, value }) => [key, value])),
        tags: Object.fromEntries((tagsOf.get(id) ?? []).map(({ key, value }) => [key, value])),
        metrics: (metricsOf.get(id) ?? []).map(metricOf),
      },
    ];
  });
}

const metricOf = (row: Database["logged_model_metrics"]): LoggedModelMetric => ({
  key: row.key,
  value: row.is_nan === 1 ? Number.NaN : row.value,
  step: row.step,
  at: row.logged_at,
  runId: row.run_id,
  dataset: row.dataset_name === "" ? null : { name: row.dataset_name, digest: row.dataset_digest },
});

const unknownModel = (id: string) => trackingErrors.TRACKING_LOGGED_MODEL_UNKNOWN(`There is no logged model ${id}`);

/** @throws TRACKING_NAME_INVALID */
function checkModelName(name: string): string {
  if (NOT_IN_NAMES.test(name))
    throw trackingErrors.TRACKING_NAME_INVALID(`"${name.slice(0, 60)}" cannot be a logged model's name`, {
      hint: "A logged model's name has none of / : . % \" '",
    });
  return checkName(name, TRACKING_LIMITS.experimentName);
}

/** @throws TRACKING_NAME_INVALID, TRACKING_VALUE_TOO_LONG */
function checkEntries(params: Entries, tags: Entries): void {
  for (const [entries, most] of [
    [params, TRACKING_LIMITS.paramValue],
    [tags, TRACKING_LIMITS.tagValue],
  ] as const) {
    for (const [key, value] of Object.entries(entries)) {
      checkName(key, TRACKING_LIMITS.key);
      checkText(`The value of ${key}`, value, most);
    }
  }
}
