import {
  expressionColumns,
  hasVersions,
  labelTypeProblem,
  labelValue,
  quoteIdentifier,
  type Snapshot,
  snapshotPaths,
  snapshotRelation,
  timestampLiteral,
} from "../data/index.ts";
import type { CharterDefinition, ModelDefinition, SourceDefinition, TargetType } from "../definitions/index.ts";
import { formatTimestamp, type Micros } from "../time.ts";
import { type AskTable, temporaryTable } from "./ask-table.ts";
import { availabilityColumns, latestOf } from "./compile-view.ts";
import { featureErrors } from "./errors.ts";
import type { FeatureDeps, SnapshotMap } from "./historical-features.ts";
import type { ColumnTypes, FeaturePlan } from "./plan.ts";

export interface LabelRows extends AskTable {
  readonly labelled: number;
  /** 0 unless the target is binary. */
  readonly positives: number;
  readonly pending: number;
  readonly censored: number;
}

export interface LabelRange {
  /** Predictions made at `from` and later, before `to`. */
  readonly from: Micros | null;
  readonly to: Micros;
  readonly asOf: Micros;
}

/**
 * A temporary table with one row per row of the label's source: when it would have been asked, its label as known at `asOf` (the
 * corrected one where it was corrected; a row that was deleted is not there), and the keys and request fields it would have been asked
 * with, as known at the prediction time.
 * @throws FEATURE_SOURCE_MISSING, FEATURE_LABEL_INVALID, FEATURE_LABEL_EMPTY, FEATURE_LABEL_TIME_MISSING, FEATURE_KEY_INVALID,
 * FEATURE_REQUEST_MISSING, FEATURE_REQUEST_TYPE, FEATURE_LEAK
 */
export async function createLabelRows(
  deps: FeatureDeps,
  model: Pick<ModelDefinition, "name" | "labels">,
  charter: Pick<CharterDefinition, "target">,
  plan: FeaturePlan,
  segments: readonly string[],
  snapshots: SnapshotMap,
  { from, to, asOf }: LabelRange,
): Promise<LabelRows> {
  const { engine, artifacts } = deps;
  const { at, lead, expression } = model.labels;
  const found = snapshots.get(model.labels.source.name);
  if (found === undefined)
    throw featureErrors.FEATURE_SOURCE_MISSING(`There is no snapshot of the label's source "${model.labels.source.name}"`);
  const { snapshot, source } = found;
  if (source.contracts[at]?.type !== "timestamp")
    throw featureErrors.FEATURE_LABEL_INVALID(`"${at}" is no timestamp of source "${source.name}"`);
  const fields = checkFields(source, plan);
  const { type, censored = null } = charter.target;
  const label = await labelOf(deps, source, expression, type);
  if (censored !== null) await labelOf(deps, source, censored, "binary");

  const event = quoteIdentifier(at);
  const labelAt = latestOf(availabilityColumns(source, label.columns), quoteIdentifier(source.eventTime ?? at));
  const isCensored = censored === null ? "false" : `coalesce((${censored}\n), false)`;
  const reference = source.key.map((key) => `coalesce(CAST(${quoteIdentifier(key)} AS VARCHAR), '')`);
  const names = Object.keys(fields);
  const paths = await snapshotPaths(artifacts, snapshot);
  const relation = snapshotRelation(snapshot, source, paths, { asOf, rowNumber: true });
  const askedAt = `${event} - to_microseconds(${lead}::BIGINT)`;
  const asked = askedFields(found, paths, names, event, askedAt, asOf);
  const bounds = [
    ...(from === null ? [] : [`${event} >= ${timestampLiteral(from + lead)}`]),
    `${event} < ${timestampLiteral(to + lead)}`,
  ];
  const name = temporaryTable("labels");
  await engine.run(
    `CREATE TEMP TABLE ${name} AS
     SELECT row_number() OVER (ORDER BY __at, __row) - 1 AS __ordinal, *
     FROM (SELECT __row,
             ${reference.length === 0 ? "CAST(__row AS VARCHAR)" : reference.join(" || '|' || ")} AS __reference,
             ${askedAt} AS __at,
             ${event} AS __event_at,
             CASE WHEN (${labelAt}) <= ${timestampLiteral(asOf)} AND NOT ${isCensored} THEN ${label.value} END AS __label,
             ${labelAt} AS __label_at,
             ${isCensored} AS __censored
             ${asked.fields.map(({ value, available }, index) => `, CASE WHEN ${available} THEN ${value} END AS field_${index}, NOT ${available} AS late_${index}`).join("")}
             ${segments.map((segment, index) => `, CAST(${quoteIdentifier(segment)} AS VARCHAR) AS segment_${index}`).join("")}
           FROM ${relation}${asked.join} WHERE ${event} IS NULL OR (${bounds.join(" AND ")}))
     ORDER BY __ordinal`,
  );
  try {
    const counts = await countRows(deps, name, type, names.length);
    const total = counts("rows");
    const period = `${from === null ? "" : `from ${formatTimestamp(from)} `}before ${formatTimestamp(to)}`;
    if (total === 0) {
      throw featureErrors.FEATURE_LABEL_EMPTY(`"${source.name}" has no row to predict ${period}, as of ${formatTimestamp(asOf)}`);
    }
    if (counts("undated") > 0)
      throw featureErrors.FEATURE_LABEL_TIME_MISSING(`${counts("undated")} rows of "${source.name}" have no ${at}`);
    if (counts("infinite") > 0)
      throw featureErrors.FEATURE_LABEL_INVALID(`"${expression}" is infinite in ${counts("infinite")} rows of "${source.name}"`);
    names.forEach((field, index) => {
      refuseLeak(source, field, counts(`late_${index}`), total);
    });
    const [labelled, censoredRows] = [counts("labelled"), counts("censored")];
    return {
      name,
      rows: total,
      fields,
      labelled,
      positives: counts("positives"),
      pending: total - labelled - censoredRows,
      censored: censoredRows,
    };
  } catch (error) {
    await engine.run(`DROP TABLE ${name}`);
    throw error;
  }
}

interface AskedFields {
  /** SQL of each field's value, and of whether it was known when it was asked. */
  readonly fields: readonly { readonly value: string; readonly available: string }[];
  /** What the rows are joined with for it. */
  readonly join: string;
}

/** Fields as they were known when they were asked: of a row that was corrected since, the version of that time. */
function askedFields(
  { snapshot, source }: { readonly snapshot: Snapshot; readonly source: SourceDefinition },
  paths: ReadonlyMap<string, string>,
  names: readonly string[],
  event: string,
  askedAt: string,
  asOf: Micros,
): AskedFields {
  const known = names.map((field) => availabilityColumns(source, [field]));
  const { default: rowKnown } = source.availability;
  if (rowKnown === undefined || names.length === 0 || !hasVersions(snapshot)) {
    const available = (columns: readonly string[]) =>
      columns.length === 0 ? "true" : `coalesce(${latestOf(columns, event)} <= ${askedAt}, false)`;
    return {
      fields: names.map((field, index) => ({ value: quoteIdentifier(field), available: available(known[index]) })),
      join: "",
    };
  }
  const keys = source.key.map((key, index) => `${quoteIdentifier(key)} AS __seen_key_${index}`);
  const values = names.map(
    (field, index) => `${quoteIdentifier(field)} AS __seen_${index}, ${latestOf(known[index], "NULL")} AS __seen_at_${index}`,
  );
  const times = `${quoteIdentifier(rowKnown)} AS __seen_from, __superseded_at AS __seen_until`;
  const versions = snapshotRelation(snapshot, source, paths, { asOf, versions: true });
  const sameKey = source.key.map((key, index) => `${quoteIdentifier(key)} = __seen_key_${index}`);
  return {
    fields: names.map((_, index) => ({
      value: `__seen_${index}`,
      available: `coalesce(__seen_at_${index} <= ${askedAt}, false)`,
    })),
    join: ` LEFT JOIN (SELECT ${[...keys, times, ...values].join(", ")} FROM ${versions})
           ON ${sameKey.join(" AND ")} AND __seen_from <= ${askedAt} AND (__seen_until IS NULL OR __seen_until > ${askedAt})`,
  };
}

/** Keys and request fields with their types; all are columns of the label's source. */
function checkFields(source: SourceDefinition, plan: FeaturePlan): ColumnTypes {
  for (const [key, type] of Object.entries(plan.keys)) {
    const found = source.contracts[key]?.type;
    if (found === type) continue;
    throw featureErrors.FEATURE_KEY_INVALID(
      `Entity key "${key}" (${type}) is ${found ?? "absent"} in the label's source "${source.name}"`,
    );
  }
  for (const [field, type] of Object.entries(plan.request)) {
    const found = source.contracts[field]?.type;
    if (found === undefined)
      throw featureErrors.FEATURE_REQUEST_MISSING(`Request field "${field}" is no column of the label's source "${source.name}"`);
    if (found !== type)
      throw featureErrors.FEATURE_REQUEST_TYPE(
        `Request field "${field}" (${type}) is ${found} in the label's source "${source.name}"`,
      );
  }
  return { ...plan.keys, ...plan.request };
}

/** The columns that a label is made of, and the SQL of its value. */
async function labelOf({ engine }: FeatureDeps, source: SourceDefinition, expression: string, target: TargetType) {
  const { columns, sqlType } = await expressionColumns(engine, source, expression);
  const problem = labelTypeProblem(sqlType, target);
  if (problem !== null) throw featureErrors.FEATURE_LABEL_INVALID(`"${expression}" is ${problem}`);
  return { columns, value: labelValue(expression, sqlType, target) };
}

async function countRows(
  { engine }: FeatureDeps,
  table: string,
  target: TargetType,
  fields: number,
): Promise<(name: string) => number> {
  const late = Array.from({ length: fields }, (_, index) => `, count(*) FILTER (late_${index}) AS late_${index}`);
  const [row = {}] = await engine.rows(
    `SELECT count(*) AS rows, count(*) FILTER (__event_at IS NULL) AS undated, count(__label) AS labelled,
       ${target === "binary" ? "count(*) FILTER (__label)" : "0"} AS positives,
       ${target === "regression" ? "count(*) FILTER (isinf(__label))" : "0"} AS infinite,
       count(*) FILTER (__censored) AS censored ${late.join("")} FROM ${table}`,
  );
  return (name) => Number(row[name] ?? 0);
}

/**
 * A column of a group that is known later than its row cannot be part of a request, whichever rows it is late in. By the row's own
 * availability a few rows may be late (they are asked with nulls), but not all.
 */
function refuseLeak({ name, availability }: SourceDefinition, field: string, late: number, rows: number): void {
  const grouped = Object.entries(availability.groups).find(([, { columns, at }]) => columns.includes(field) || at === field);
  if (late === 0 || (grouped === undefined && late < rows)) return;
  const at = grouped?.[1].at ?? availability.default ?? "its event";
  throw featureErrors.FEATURE_LEAK(
    `"${field}" of "${name}" is asked for, but known only at ${at}: after the prediction in ${late} of ${rows} rows`,
    { details: { field, source: name, availableAt: at, late, rows } },
  );
}
