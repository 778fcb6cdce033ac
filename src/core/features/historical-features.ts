import { hasVersions, quoteIdentifier, type Snapshot, snapshotPaths, snapshotRelation, timestampLiteral } from "../data/index.ts";
import type { FeatureReference, FeatureViewDefinition, OnDemandDefinition, SourceDefinition } from "../definitions/index.ts";
import type { ArtifactStore, TableEngine } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import { type AskTable, fieldColumn, temporaryTable } from "./ask-table.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { type CompiledView, compileView } from "./compile-view.ts";
import { featureErrors } from "./errors.ts";
import { evaluateOnDemand } from "./on-demand-columns.ts";
import type { ColumnTypes, FeaturePlan } from "./plan.ts";
import { type Asks, joinView } from "./point-in-time.ts";
import { columnOf, type FeatureArray, featureArray, numbersOf, readViewRows, takeRows, viewRowColumns } from "./view-rows.ts";

export type SnapshotMap = ReadonlyMap<string, { readonly snapshot: Snapshot; readonly source: SourceDefinition }>;

export interface FeatureDeps {
  readonly engine: TableEngine;
  readonly artifacts: ArtifactStore;
}

/** Definitions behind a model's features, by name. */
interface Definitions {
  readonly views: ReadonlyMap<string, FeatureViewDefinition>;
  readonly onDemand: ReadonlyMap<string, OnDemandDefinition>;
}

function definitionsOf(features: readonly FeatureReference[]): Definitions {
  const views = new Map<string, FeatureViewDefinition>();
  const onDemand = new Map<string, OnDemandDefinition>();
  const visit = ({ from }: FeatureReference): void => {
    if (from.kind === "feature-view") {
      views.set(from.name, from);
    } else {
      onDemand.set(from.name, from);
      from.inputs.forEach(visit);
    }
  };
  features.forEach(visit);
  return { views, onDemand };
}

/**
 * Every feature of a plan, and what its on-demand features read, at each ask; in the asks' order.
 * @throws FEATURE_SOURCE_MISSING and what compileView and on-demand features throw
 */
export async function featuresAt(
  deps: FeatureDeps,
  plan: FeaturePlan,
  features: readonly FeatureReference[],
  snapshots: SnapshotMap,
  asks: AskTable,
  asOf: Micros,
): Promise<Map<string, FeatureArray>> {
  const { views, onDemand } = definitionsOf(features);
  const joined = new Map<string, FeatureArray>();
  const times = await deps.engine.query(`SELECT __at FROM ${asks.name} ORDER BY __ordinal`);
  const at = numbersOf(columnOf(times, "__at"));
  for (const { name, features: wanted } of plan.views) {
    const definition = views.get(name);
    if (definition === undefined) continue;
    const found = snapshots.get(definition.source.name);
    if (found === undefined) {
      throw featureErrors.FEATURE_SOURCE_MISSING(
        `Feature view "${name}" reads source "${definition.source.name}", of which there is no snapshot`,
      );
    }
    const view = await compileView(deps.engine, definition, wanted);
    const paths = await snapshotPaths(deps.artifacts, found.snapshot);
    const versions = hasVersions(found.snapshot);
    const relation = snapshotRelation(found.snapshot, found.source, paths, { asOf, rowNumber: true, versions });
    for (const [feature, values] of await joinFromTables(deps.engine, view, { relation, versions }, asks, at))
      joined.set(`${name}.${feature}`, values);
  }
  await evaluateOnDemand(deps.engine, plan, onDemand, asks, joined);
  return joined;
}

async function joinFromTables(
  engine: TableEngine,
  view: CompiledView,
  { relation, versions }: { readonly relation: string; readonly versions: boolean },
  asks: AskTable,
  at: Float64Array,
): Promise<Map<string, FeatureArray>> {
  const rows = (keys: readonly string[]) =>
    `SELECT ${[...keys, viewRowColumns(view, versions)].join(", ")} FROM ${relation}${timeBounds(view, at)}`;
  if (view.keys.length === 0) {
    const source = readViewRows(view, await engine.query(rows([])));
    return joinView(view, source, new Int32Array(source.rows), { entities: 1, entity: new Int32Array(asks.rows), at });
  }
  const keys = view.fields.map((field) => fieldColumn(asks, field));
  const codes = temporaryTable("keys");
  await engine.run(
    `CREATE TEMP TABLE ${codes} AS SELECT CAST(row_number() OVER () - 1 AS INTEGER) AS code, *
     FROM (SELECT DISTINCT ${keys.join(", ")} FROM ${asks.name} WHERE ${keys.map((key) => `${key} IS NOT NULL`).join(" AND ")})`,
  );
  try {
    const [{ entities = 0 } = {}] = await engine.rows(`SELECT count(*) AS entities FROM ${codes}`);
    const coded = await engine.query(
      `SELECT CAST(__ordinal AS INTEGER) AS ordinal, code FROM ${asks.name} JOIN ${codes} USING (${keys.join(", ")})`,
    );
    const entity = new Int32Array(asks.rows).fill(-1);
    const code = numbersOf(columnOf(coded, "code"));
    numbersOf(columnOf(coded, "ordinal")).forEach((ordinal, index) => {
      entity[ordinal] = code[index];
    });
    const source = await engine.query(
      `SELECT known.code, seen.* EXCLUDE (${keys.join(", ")})
       FROM (${rows(view.keys.map((key, index) => `${quoteIdentifier(key)} AS ${keys[index]}`))}) AS seen
       JOIN ${codes} AS known USING (${keys.join(", ")})`,
    );
    const asked: Asks = { entities: Number(entities), entity, at };
    return joinView(view, readViewRows(view, source), Int32Array.from(numbersOf(columnOf(source, "code"))), asked);
  } finally {
    await engine.run(`DROP TABLE ${codes}`);
  }
}

/** Rows that no ask can see need not be read. */
function timeBounds(view: CompiledView, at: Float64Array): string {
  if (view.eventTime === null || at.length === 0) return "";
  const event = quoteIdentifier(view.eventTime);
  const bounds = [`${event} <= ${timestampLiteral(at[at.length - 1])}`];
  const reach = view.classes.some(({ latest }) => latest.length > 0) ? (view.ttl ?? Number.POSITIVE_INFINITY) : 0;
  const oldest = at[0] - Math.max(reach, view.longestWindow);
  if (Number.isFinite(oldest)) bounds.push(`${event} >= ${timestampLiteral(oldest)}`);
  return ` WHERE ${bounds.join(" AND ")}`;
}

export interface HistoricalFeatures {
  readonly rows: number;
  readonly plan: FeaturePlan;
  /** Values by feature id, in the order of the entity rows. */
  readonly columns: ReadonlyMap<string, FeatureArray>;
}

/**
 * Features of any entities at any times: one row for each row of `entityRows`, in its order.
 * @param entityRows a SELECT that gives the features' keys and request fields by name, and `at` (TIMESTAMP)
 * @throws FEATURE_LABEL_TIME_MISSING where `at` is null, and what compileFeaturePlan and featuresAt throw
 */
export async function historicalFeatures(
  deps: FeatureDeps,
  input: {
    readonly features: readonly FeatureReference[];
    readonly snapshots: SnapshotMap;
    readonly entityRows: string;
    readonly asOf: Micros;
  },
): Promise<HistoricalFeatures> {
  const plan = compileFeaturePlan({ name: "historical features", features: input.features });
  const fields: ColumnTypes = { ...plan.keys, ...plan.request };
  const name = temporaryTable("asks");
  const columns = Object.keys(fields).map((field, index) => `${quoteIdentifier(field)} AS field_${index}`);
  await deps.engine.run(
    `CREATE TEMP TABLE ${name} AS SELECT row_number() OVER (ORDER BY __at, __given) - 1 AS __ordinal, *
     FROM (SELECT row_number() OVER () - 1 AS __given, ${['"at" AS __at', ...columns].join(", ")} FROM (${input.entityRows}\n))`,
  );
  try {
    const given = await deps.engine.query(`SELECT CAST(__given AS DOUBLE) AS given, __at FROM ${name} ORDER BY __ordinal`);
    if (numbersOf(columnOf(given, "__at")).some(Number.isNaN))
      throw featureErrors.FEATURE_LABEL_TIME_MISSING("An entity row has no time");
    const joined = await featuresAt(deps, plan, input.features, input.snapshots, { name, rows: given.rows, fields }, input.asOf);
    // Where each row stands among the asks, which are in order of time.
    const order = new Float64Array(given.rows);
    numbersOf(columnOf(given, "given")).forEach((place, ordinal) => {
      order[place] = ordinal;
    });
    const chosen = plan.features.map(({ id, type }) => {
      const values =
        joined.get(id) ?? featureArray({ type: "float64", values: new Float64Array(given.rows), nulls: null }, type, id);
      return [id, takeRows(values, order)] as const;
    });
    return { rows: given.rows, plan, columns: new Map(chosen) };
  } finally {
    await deps.engine.run(`DROP TABLE ${name}`);
  }
}
