import { hasVersions, quoteIdentifier, type Snapshot, snapshotPaths, snapshotRelation, timestampLiteral } from "../data/index.ts";
import type { FeatureReference, FeatureViewDefinition, OnDemandDefinition, SourceDefinition } from "../definitions/index.ts";
import type { ArtifactStore, TableEngine } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import { type AskTable, temporaryTable } from "./ask-table.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { compileView } from "./compile-view.ts";
import { featureErrors } from "./errors.ts";
import { type JoinLimits, joinTables } from "./join-tables.ts";
import { evaluateOnDemand } from "./on-demand-columns.ts";
import type { ColumnTypes, FeaturePlan } from "./plan.ts";
import { timedAsks } from "./timed-asks.ts";
import type { FeatureArray } from "./view-rows.ts";

export type SnapshotMap = ReadonlyMap<string, { readonly snapshot: Snapshot; readonly source: SourceDefinition }>;

export interface FeatureDeps {
  readonly engine: TableEngine;
  readonly artifacts: ArtifactStore;
  /** How large a source and how many rows an entity must have to be joined in another way, with the same result. */
  readonly joinLimits?: JoinLimits;
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
  knownBy?: Micros,
): Promise<Map<string, FeatureArray>> {
  const { views, onDemand } = definitionsOf(features);
  const joined = new Map<string, FeatureArray>();
  const timed = timedAsks(deps.engine, asks);
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
    const relation = knownRows(found, paths, asOf, knownBy);
    const inOrder = found.snapshot.parts.length === 1;
    const tables = { relation, versions, inOrder, rows: delivered(found.snapshot) };
    for (const [feature, values] of await joinTables(deps.engine, view, tables, asks, timed, deps.joinLimits))
      joined.set(`${name}.${feature}`, values);
  }
  await evaluateOnDemand(deps.engine, plan, onDemand, asks, joined);
  return joined;
}

/** With `knownBy`, only what could be seen by then: what is available in advance is not seen before its event. */
function knownRows(
  { snapshot, source }: { readonly snapshot: Snapshot; readonly source: SourceDefinition },
  paths: ReadonlyMap<string, string>,
  asOf: Micros,
  knownBy: Micros | undefined,
): string {
  const options = { asOf: Math.min(asOf, knownBy ?? asOf), rowNumber: true, versions: hasVersions(snapshot) };
  const relation = snapshotRelation(snapshot, source, paths, options);
  if (knownBy === undefined || source.eventTime === undefined) return relation;
  return `(SELECT * FROM ${relation} WHERE ${quoteIdentifier(source.eventTime)} <= ${timestampLiteral(knownBy)})`;
}

/** Rows of all versions. */
const delivered = ({ parts }: Snapshot): number => parts.reduce((sum, { rows }) => sum + rows, 0);

export interface HistoricalFeatures {
  readonly rows: number;
  readonly plan: FeaturePlan;
  /** Values by feature id, in the order of the entity rows. */
  readonly columns: ReadonlyMap<string, FeatureArray>;
}

/**
 * Features of any entities at any times: one row for each row of `entityRows`, in its order.
 * @param entityRows a SELECT that gives the features' keys and request fields by name, and when they are asked about
 * @param at SQL of that TIMESTAMP over the entity rows; the column "at" unless given
 * @throws FEATURE_LABEL_TIME_MISSING where `at` is null, and what compileFeaturePlan and featuresAt throw
 */
export async function historicalFeatures(
  deps: FeatureDeps,
  input: {
    readonly features: readonly FeatureReference[];
    readonly snapshots: SnapshotMap;
    readonly entityRows: string;
    readonly at?: string;
    readonly asOf: Micros;
    /** Only rows that could be seen by then count, also for later rows: as values that were materialized then give them. */
    readonly knownBy?: Micros;
  },
): Promise<HistoricalFeatures> {
  const plan = compileFeaturePlan({ name: "historical features", features: input.features });
  const fields: ColumnTypes = { ...plan.keys, ...plan.request };
  const name = temporaryTable("asks");
  const columns = Object.keys(fields).map((field, index) => `${quoteIdentifier(field)} AS field_${index}`);
  await deps.engine.run(
    `CREATE TEMP TABLE ${name} AS SELECT CAST(row_number() OVER () - 1 AS INTEGER) AS __ordinal, ${[`${input.at ?? '"at"'} AS __at`, ...columns].join(", ")}
     FROM (${input.entityRows}\n)`,
  );
  try {
    const [given] = await deps.engine.rows(`SELECT count(*) AS rows, count(__at) AS timed FROM ${name}`);
    const rows = Number(given?.rows);
    if (rows !== Number(given?.timed)) throw featureErrors.FEATURE_LABEL_TIME_MISSING("An entity row has no time");
    const joined = await featuresAt(
      deps,
      plan,
      input.features,
      input.snapshots,
      { name, rows, fields },
      input.asOf,
      input.knownBy,
    );
    const columns = plan.features.flatMap(({ id }) => {
      const values = joined.get(id);
      return values === undefined ? [] : [[id, values] as const];
    });
    return { rows, plan, columns: new Map(columns) };
  } finally {
    await deps.engine.run(`DROP TABLE ${name}`);
  }
}
