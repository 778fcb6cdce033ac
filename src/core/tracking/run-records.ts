import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { Database, MetadataStore, MetricTable, RunTable } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { trackingErrors } from "./errors.ts";
import type { MetricPoint, RunDataset, RunModel, RunRecord, RunSummary } from "./interfaces.ts";

type RunRow = RunTable & { readonly experiment: string };

/** So many runs are asked for at a time, so that no answer is so large that others wait for it. */
const RUNS_AT_ONCE = 1_000;

/** Some runs of a project. */
interface Asked {
  readonly store: MetadataStore;
  readonly scope: Scope;
  readonly ids: readonly string[];
}

/** In the order of the ids; one that is not there is left out. A few queries, however many runs. */
export const loadSummaries = (store: MetadataStore, scope: Scope, ids: readonly string[]): Promise<RunSummary[]> =>
  inTurn(ids, async (some) => {
    const asked: Asked = { store, scope, ids: some };
    const [rows, metrics, tags] = await Promise.all([loadRows(asked), loadMetrics(asked), loadEntries(asked, "tags")]);
    return inOrder(some, rows, (row) => summaryOf(row, metrics.get(row.id) ?? [], tags.get(row.id) ?? []));
  });

/** As loadSummaries, with all that a record holds. */
export const loadRecords = (store: MetadataStore, scope: Scope, ids: readonly string[]): Promise<RunRecord[]> =>
  inTurn(ids, async (some) => {
    const asked: Asked = { store, scope, ids: some };
    const [rows, metrics, tags, params, datasets, models] = await Promise.all([
      loadRows(asked),
      loadMetrics(asked),
      loadEntries(asked, "tags"),
      loadEntries(asked, "params"),
      loadDatasets(asked),
      loadModels(asked),
    ]);
    return inOrder(some, rows, (row) => {
      const ofRun = models.get(row.id) ?? [];
      const of = (wanted: "input" | "output"): RunModel[] =>
        ofRun.filter(({ direction }) => direction === wanted).map(({ model_id, step }) => ({ modelId: model_id, step }));
      return {
        ...summaryOf(row, metrics.get(row.id) ?? [], tags.get(row.id) ?? []),
        params: Object.fromEntries((params.get(row.id) ?? []).map(({ key, value }) => [key, value])),
        datasets: (datasets.get(row.id) ?? []).map(datasetOf),
        modelInputs: of("input"),
        modelOutputs: of("output"),
      };
    });
  });

async function inTurn<Record>(ids: readonly string[], load: (some: readonly string[]) => Promise<Record[]>): Promise<Record[]> {
  const records: Record[] = [];
  for (let from = 0; from < ids.length; from += RUNS_AT_ONCE)
    for (const record of await load(ids.slice(from, from + RUNS_AT_ONCE))) records.push(record);
  return records;
}

function inOrder<Record>(ids: readonly string[], rows: readonly RunRow[], make: (row: RunRow) => Record): Record[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = byId.get(id);
    return row === undefined ? [] : [make(row)];
  });
}

/** The table's rows of the runs. The ids are one parameter: to write and bind a thousand takes longer than to find their rows. */
function ofThese({ store, scope: { workspace, project }, ids }: Asked, table: string, runId = "run_id"): RawBuilder<SqlBool> {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  const among =
    store.engine === "postgres"
      ? sql`${column(runId)} = any(${ids}::text[])`
      : sql`${column(runId)} in (select value from json_each(${JSON.stringify(ids)}))`;
  return sql`${column("workspace")} = ${workspace} and ${column("project")} = ${project} and ${among}`;
}

const loadRows = (asked: Asked): Promise<RunRow[]> =>
  asked.store.db
    .selectFrom("runs")
    .innerJoin("experiments", (join) =>
      join
        .onRef("experiments.workspace", "=", "runs.workspace")
        .onRef("experiments.project", "=", "runs.project")
        .onRef("experiments.id", "=", "runs.experiment_id"),
    )
    .selectAll("runs")
    .select("experiments.name as experiment")
    .where(ofThese(asked, "runs", "id"))
    .execute();

const ofRun = ({ run_id }: { readonly run_id: string }) => run_id;

async function loadMetrics(asked: Asked) {
  const rows = await asked.store.db
    .selectFrom("latest_metrics")
    .select(["run_id", "key", "step", "logged_at", "value", "is_nan", "low", "high"])
    .where(ofThese(asked, "latest_metrics"))
    .orderBy("run_id")
    .orderBy("key")
    .execute();
  return Map.groupBy(rows, ofRun);
}

async function loadEntries(asked: Asked, table: "tags" | "params") {
  const rows = await asked.store.db
    .selectFrom(table)
    .select(["run_id", "key", "value"])
    .where(ofThese(asked, table))
    .orderBy("run_id")
    .orderBy("key")
    .execute();
  return Map.groupBy(rows, ofRun);
}

async function loadDatasets(asked: Asked) {
  const rows = await asked.store.db
    .selectFrom("run_datasets")
    .innerJoin("datasets", (join) =>
      join
        .onRef("datasets.workspace", "=", "run_datasets.workspace")
        .onRef("datasets.project", "=", "run_datasets.project")
        .onRef("datasets.experiment_id", "=", "run_datasets.experiment_id")
        .onRef("datasets.name", "=", "run_datasets.name")
        .onRef("datasets.digest", "=", "run_datasets.digest"),
    )
    .selectAll("datasets")
    .select(["run_datasets.run_id", "run_datasets.tags"])
    .where(ofThese(asked, "run_datasets"))
    .orderBy("run_datasets.run_id")
    .orderBy("run_datasets.position")
    .execute();
  return Map.groupBy(rows, ofRun);
}

async function loadModels(asked: Asked) {
  const rows = await asked.store.db
    .selectFrom("run_models")
    .select(["run_id", "direction", "model_id", "step"])
    .where(ofThese(asked, "run_models"))
    .orderBy("run_id")
    .orderBy("model_id")
    .execute();
  return Map.groupBy(rows, ofRun);
}

type Entry = { readonly key: string; readonly value: string };

function summaryOf(row: RunRow, metrics: readonly StoredMetric[], tags: readonly Entry[]): RunSummary {
  return {
    id: row.id,
    name: row.name,
    experiment: row.experiment,
    experimentId: row.experiment_id,
    status: row.status,
    lifecycle: row.lifecycle,
    parentRunId: row.parent_run_id,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    userName: row.user_name,
    actor: row.actor,
    artifactUri: row.artifact_uri,
    traceId: row.trace_id,
    // Written by create-runs.ts.
    snapshots: JSON.parse(row.snapshots) as string[],
    gitCommit: row.git_commit,
    gitDiff: row.git_diff,
    metrics: Object.fromEntries(metrics.map((metric) => [metric.key, metricPoint(metric)])),
    tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
  };
}

/** The summary of a run that was made this moment. */
export const newRunSummary = (row: RunTable, experiment: string, tags: readonly Entry[]): RunSummary =>
  summaryOf({ ...row, experiment }, [], tags);

const datasetOf = (row: Database["datasets"] & { readonly tags: string }): RunDataset => ({
  dataset: {
    name: row.name,
    digest: row.digest,
    sourceType: row.source_type,
    source: row.source,
    schema: row.schema,
    profile: row.profile,
  },
  // Written by run-inputs.ts.
  tags: JSON.parse(row.tags) as Record<string, string>,
});

type StoredMetric = Pick<MetricTable, "key" | "value" | "is_nan" | "low" | "high" | "step" | "logged_at">;

/** A stored metric as it was logged. */
export const metricPoint = (row: Omit<StoredMetric, "key">): MetricPoint => ({
  value: row.is_nan === 1 ? Number.NaN : row.value,
  low: row.low,
  high: row.high,
  step: row.step,
  at: row.logged_at,
});

export const unknownRun = (id: string) => trackingErrors.TRACKING_RUN_UNKNOWN(`There is no run ${id}`);
export const deletedRun = (id: string) => trackingErrors.TRACKING_RUN_DELETED(`Run ${id} is deleted`);
