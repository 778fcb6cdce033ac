import { quoteIdentifier, type Snapshot, snapshotPaths, snapshotRelation } from "../../core/data/index.ts";
import type { EndpointDefinition, ModelDefinition } from "../../core/definitions/index.ts";
import type { FeaturePlan } from "../../core/features/index.ts";
import {
  type AlertDraft,
  type Cohort,
  driftReport,
  estimatedPerformance,
  type Freshness,
  judge,
  type PerformanceReport,
  performanceReport,
  type ReferenceProfile,
  repairCost,
  type Window,
  type WindowReport,
} from "../../core/monitoring/index.ts";
import { type Column, type TableEngine, VirtualClock } from "../../core/ports/index.ts";
import { createRegistry } from "../../core/registry/index.ts";
import { DAY, dayOf, durationToMicros, type Micros } from "../../core/time.ts";
import { createTracking } from "../../core/tracking/index.ts";
import {
  type Dataset,
  type FeatureColumn,
  featuresOf,
  type ModelPackage,
  predict,
  unpackModel,
} from "../../core/training/index.ts";
import { platformErrors } from "../errors.ts";
import { compactPredictionLog, loggedPeriod, predictionRelation } from "../prediction-log.ts";
import { packagedVersion } from "./packaged-version.ts";
import { type Stage, stage } from "./stage.ts";

export interface MonitorInput {
  readonly params: { readonly endpoint: string };
  readonly needs: { readonly ingest: { readonly snapshots: Readonly<Record<string, Snapshot>> } };
}

/** One finished window: what was found in it, and how quickly it was answered. */
export interface MonitoredWindow {
  readonly report: WindowReport;
  readonly latencyMs: { readonly p50: number; readonly p99: number } | null;
}

export interface MonitorOutput {
  /** Windows whose drift was measured just now. */
  readonly windows: readonly MonitoredWindow[];
  /** Cohorts that matured just now. */
  readonly matured: readonly PerformanceReport[];
  /** Every alert that holds now; an open one that is not among them is over. */
  readonly alerts: readonly AlertDraft[];
}

/** Windows that alerts are judged by: an onset further back than this is taken for the oldest of them. */
const HISTORY = 60;
/** Days of matured cohorts that a performance alert is judged by, since intervals resample days. */
const TRAILING = 7 * DAY;

export default stage<MonitorInput, MonitorOutput>(async (opened, { params, needs }) => {
  const endpoint = opened.project.endpoints.find(({ name }) => name === params.endpoint);
  if (endpoint === undefined) throw platformErrors.PROJECT_ENDPOINT_UNKNOWN(`The project has no endpoint "${params.endpoint}"`);
  const engine = await opened.engine();
  const directory = opened.paths.predictions(endpoint.name);
  await compactPredictionLog(engine, directory);
  const champion = await openChampion(opened, endpoint.model);
  const period = loggedPeriod(directory);
  if (champion === null || period === null) return { windows: [], matured: [], alerts: [] };

  const { now } = opened.environment;
  const history = await storedReports(opened, endpoint.name);
  const length = endpoint.monitors.find(({ kind }) => kind === "drift")?.window ?? DAY;
  const windows: MonitoredWindow[] = [];
  const view: MonitoredEndpoint = { opened, engine, endpoint, directory, champion, snapshots: needs.ingest.snapshots };
  const first = history.windows.at(-1)?.end ?? Math.floor(period.from / length) * length;
  for (let start = first; start + length <= now; start += length) {
    const measured = await measureWindow(view, start, start + length);
    if (measured !== null) windows.push(measured);
  }
  const matured: PerformanceReport[] = [];
  const dueAfter = endpoint.model.labels.lead + durationToMicros(opened.project.charter.target.groundTruthAfter);
  const firstUnscored = history.maturedUntil ?? Math.floor(period.from / length) * length;
  for (let start = firstUnscored; start + length + dueAfter <= now; start += length) {
    const report = await scoreCohort(view, start, start + length);
    if (report !== null) matured.push(report);
  }
  const trailing = matured.length === 0 ? null : await scoreCohort(view, now - dueAfter - TRAILING, now - dueAfter);
  return {
    windows,
    matured,
    alerts: await judgeNow(view, [...history.windows, ...windows.map(({ report }) => report)].slice(-HISTORY), trailing),
  };
});

interface Champion {
  readonly version: number;
  readonly model: ModelPackage;
  readonly reference: ReferenceProfile;
  /** Mean |SHAP value| by feature id. */
  readonly importance: Readonly<Record<string, number>>;
}

interface MonitoredEndpoint {
  readonly opened: Stage;
  readonly engine: TableEngine;
  readonly endpoint: EndpointDefinition;
  readonly directory: string;
  readonly champion: Champion;
  readonly snapshots: Readonly<Record<string, Snapshot>>;
}

async function openChampion(opened: Stage, { name }: ModelDefinition): Promise<Champion | null> {
  const { scope, now } = opened.environment;
  const store = await opened.metadata();
  const clock = new VirtualClock(now);
  const pointed = await createRegistry({ store, clock, scope }).byAlias(name, "champion");
  if (pointed === null) return null;
  const found = packagedVersion(pointed);
  const artifacts = await createTracking({ store, artifacts: opened.artifacts, clock, scope }).artifacts(found.runId);
  const artifact = (path: string) => artifacts.find((each) => each.path === path);
  const [reference, explanation] = [artifact("reference.json"), artifact("explanation.json")];
  if (reference === undefined || explanation === undefined) {
    throw platformErrors.PROJECT_REPORT_MISSING(`Version ${found.version} of ${name} has no reference profile or explanation`);
  }
  const { shap } = await opened.readJson<{ shap: { shap: { feature: string; meanAbs: number }[] } }>(explanation);
  return {
    version: found.version,
    model: unpackModel(await opened.artifacts.read(found.artifact)),
    reference: await opened.readJson<ReferenceProfile>(reference),
    importance: Object.fromEntries(shap.shap.map(({ feature, meanAbs }) => [feature, meanAbs])),
  };
}

async function storedReports(opened: Stage, endpoint: string): Promise<{ windows: WindowReport[]; maturedUntil: Micros | null }> {
  const { workspace, project } = opened.environment.scope;
  const { db } = await opened.metadata();
  const of = (kind: "drift" | "performance") =>
    db
      .selectFrom("monitor_results")
      .select(["window_end", "report"])
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("endpoint", "=", endpoint)
      .where("kind", "=", kind)
      .orderBy("window_end", "desc")
      .limit(HISTORY)
      .execute();
  const [drift, performance] = await Promise.all([of("drift"), of("performance")]);
  const windows = drift.reverse().map(({ report }) => (JSON.parse(report) as MonitoredWindow).report);
  return { windows, maturedUntil: performance[0]?.window_end ?? null };
}

async function measureWindow(view: MonitoredEndpoint, start: Micros, end: Micros): Promise<MonitoredWindow | null> {
  const { engine, directory, champion } = view;
  const relation = predictionRelation(directory, start, end);
  if (relation === null) return null;
  const window = await readWindow(engine, relation, champion.model.plan, start, end);
  if (window.predictions.length === 0) return null;
  const { decision } = champion.model;
  const report: WindowReport = {
    formatVersion: 1,
    start,
    end,
    drift: driftReport(champion.reference, window),
    performance: null,
    estimated: estimatedPerformance(window.predictions, decision),
    freshness: await sourceFreshness(view, end),
  };
  const latency = `(latencyUs->>'total')::DOUBLE / 1000`;
  const [row] = await engine.rows(
    `SELECT quantile_cont(${latency}, 0.5) AS p50, quantile_cont(${latency}, 0.99) AS p99 FROM ${relation}`,
  );
  return { report, latencyMs: row === undefined ? null : { p50: Number(row.p50), p99: Number(row.p99) } };
}

/** The logged features of a window in columns, as drift wants them. */
async function readWindow(engine: TableEngine, relation: string, plan: FeaturePlan, start: Micros, end: Micros): Promise<Window> {
  const values = plan.features.map(({ id, type }, i) => {
    const text = `features->>'$."${id.replaceAll('"', '\\"')}"'`.replaceAll("\\\\", "\\");
    return `${type === "string" ? text : type === "bool" ? `(${text})::BOOLEAN::INTEGER::DOUBLE` : `(${text})::DOUBLE`} AS f${i}`;
  });
  const { columns } = await engine.query(`SELECT probability, ${values.join(", ")} FROM ${relation}`);
  const numbers = (name: string) => {
    const column = columns.get(name);
    return column === undefined || column.type === "string" || column.type === "int64" ? new Float64Array() : column.values;
  };
  return {
    start,
    end,
    predictions: numbers("probability"),
    features: plan.features.map(({ id }, i) => featureColumn(id, columns.get(`f${i}`))),
  };
}

function featureColumn(id: string, column: Column | undefined): FeatureColumn {
  if (column?.type === "string") {
    const categories: string[] = [];
    const codes = new Map<string, number>();
    const codeOf = (value: string) => codes.get(value) ?? codes.set(value, categories.push(value) - 1).size - 1;
    return {
      kind: "categorical",
      id,
      codes: Int32Array.from(column.values, (value) => (value === null ? -1 : codeOf(value))),
      categories,
    };
  }
  if (column === undefined || column.type === "int64") return { kind: "numeric", id, values: new Float64Array() };
  const { values, nulls } = column;
  return {
    kind: "numeric",
    id,
    values: nulls === null ? values : values.map((value, row) => (nulls[row] === 1 ? Number.NaN : value)),
  };
}

async function sourceFreshness({ opened, engine, snapshots }: MonitoredEndpoint, end: Micros): Promise<Freshness[]> {
  const found: Freshness[] = [];
  for (const requirement of opened.project.charter.data) {
    const source = opened.project.sources.find(({ name }) => name === requirement.source);
    const snapshot = snapshots[requirement.source];
    if (requirement.kind !== "fresh" || source?.eventTime === undefined || snapshot === undefined) continue;
    const relation = snapshotRelation(snapshot, source, await snapshotPaths(opened.artifacts, snapshot), {
      columns: [source.eventTime],
    });
    const [row] = await engine.rows(
      `SELECT max(e) AS newest FROM (SELECT ${quoteIdentifier(source.eventTime)} AS e FROM ${relation}) WHERE e <= make_timestamp(${end}::BIGINT)`,
    );
    found.push({
      source: source.name,
      newest: typeof row?.newest === "number" ? row.newest : null,
      allowed: durationToMicros(requirement.within),
    });
  }
  return found;
}

/** Joins a window's predictions with the truth by `reference`, as it is known now. */
async function scoreCohort(view: MonitoredEndpoint, start: Micros, end: Micros): Promise<PerformanceReport | null> {
  const { opened, engine, endpoint, directory, champion, snapshots } = view;
  const { labels } = endpoint.model;
  const { target } = opened.project.charter;
  const relation = predictionRelation(directory, start, end);
  const snapshot = snapshots[labels.source.name];
  if (relation === null || snapshot === undefined) return null;
  const truth = snapshotRelation(snapshot, labels.source, await snapshotPaths(opened.artifacts, snapshot), {
    asOf: opened.environment.now,
  });
  const key = labels.source.key.map((column) => `${quoteIdentifier(column)}::VARCHAR`).join(` || '|' || `);
  const dueAt = labels.lead + durationToMicros(target.groundTruthAfter);
  const { rows, columns } = await engine.query(
    `SELECT p.probability, p."at"::DOUBLE AS "at", coalesce(t.label::INTEGER::DOUBLE, 'nan'::DOUBLE) AS label, coalesce(t.censored, false) AS censored
     FROM ${relation} AS p LEFT JOIN (SELECT ${key} AS reference, (${labels.expression})::BOOLEAN AS label, ${target.censored === undefined ? "false" : `(${target.censored})`} AS censored FROM ${truth}) AS t
       ON t.reference = p.reference`,
  );
  if (rows === 0) return null;
  const values = (name: string) => columns.get(name)?.values as Float64Array;
  const at = values("at");
  const cohort: Cohort = {
    start,
    end,
    probability: values("probability"),
    day: Int32Array.from(at, (time) => dayOf(time + labels.lead)),
    label: values("label"),
    due: Uint8Array.from(at, (time) => (time + dueAt <= opened.environment.now ? 1 : 0)),
    censored: Uint8Array.from(values("censored")),
  };
  return performanceReport(cohort, champion.model.decision);
}

/** Judges by what the champion uses: drift of a feature that it does not look at costs nothing. */
async function judgeNow(
  view: MonitoredEndpoint,
  history: readonly WindowReport[],
  trailing: PerformanceReport | null,
): Promise<AlertDraft[]> {
  const { champion, engine, directory, opened } = view;
  const used = new Set(
    champion.model.preparation.columns.flatMap(featuresOf).map((feature) => champion.model.plan.features[feature]?.id),
  );
  const relevant = history.map((report) => ({
    ...report,
    drift:
      report.drift === null
        ? null
        : { ...report.drift, features: report.drift.features.filter(({ feature }) => used.has(feature)) },
  }));
  const last = relevant.at(-1);
  if (last === undefined) return [];
  const relation = predictionRelation(directory, last.start, last.end);
  const window = relation === null ? null : await readWindow(engine, relation, champion.model.plan, last.start, last.end);
  const cost =
    window === null
      ? undefined
      : repairCost(champion.reference, window, last.drift?.changes ?? [], columnPredictor(champion.model));
  return judge([...relevant.slice(0, -1), { ...last, performance: trailing }], opened.project.charter.accept, {
    importance: champion.importance,
    ...(cost === undefined ? {} : { cost }),
  });
}

function columnPredictor(model: ModelPackage): (features: readonly FeatureColumn[], rows: number) => Float64Array {
  return (features, rows) => {
    const none = new Float64Array(rows);
    const flags = new Uint8Array(rows);
    const dataset: Dataset = {
      rows,
      features,
      task: "binary",
      classes: [],
      label: flags,
      at: none,
      labelAt: none,
      day: new Int32Array(rows),
      rule: flags,
      segments: [],
    };
    return predict(
      model,
      dataset,
      Uint32Array.from({ length: rows }, (_, row) => row),
    ).prediction;
  };
}
