import type { FeatureViewDefinition, SourceDefinition } from "../../definitions/index.ts";
import type { Micros } from "../../time.ts";
import type { ExactValue } from "../plan.ts";

/** A source row; timestamps are Micros. */
export type SourceRow = Readonly<Record<string, ExactValue>>;

/** What an aggregate's expression means, and the columns that it reads: the oracle does not parse SQL. */
export interface Expression {
  readonly columns: readonly string[];
  readonly value: (row: SourceRow) => ExactValue;
}

/**
 * When a row could be known for a feature over these columns: the latest of the availability columns of each of them, of the
 * entity's keys and of the row itself. Null: never.
 */
export function availability(source: SourceDefinition, columns: readonly string[], row: SourceRow): Micros | null {
  const { default: byDefault = source.eventTime, groups } = source.availability;
  const known = [null, ...columns].map((column) => {
    const group = Object.values(groups).find((each) => column !== null && (each.columns.includes(column) || each.at === column));
    const at = group?.at ?? byDefault;
    return at === undefined ? Number.NEGATIVE_INFINITY : (row[at] as Micros | null);
  });
  return known.includes(null) ? null : Math.max(...known.map(Number));
}

/**
 * Rows that stand for what they say, each with the moment from which it does not any more: of rows with one key and one availability
 * the last, until another version of the key is known. Deleted ones end others, and are not among them.
 */
function standing(source: SourceDefinition, rows: readonly SourceRow[], knownBy: Micros): { row: SourceRow; until: Micros }[] {
  if (source.key.length === 0) return rows.map((row) => ({ row, until: Number.POSITIVE_INFINITY }));
  const { default: known = source.eventTime } = source.availability;
  const time = (row: SourceRow) => (known === undefined ? 0 : (row[known] as Micros | null));
  const keyOf = (row: SourceRow) => JSON.stringify(source.key.map((column) => row[column] ?? null));
  const versionsOf = Map.groupBy(rows, keyOf);
  return rows.flatMap((row) => {
    const at = time(row);
    const versions = versionsOf.get(keyOf(row)) ?? [];
    const isReplaced = versions.slice(versions.indexOf(row) + 1).some((later) => time(later) === at);
    if (at === null || isReplaced) return [];
    const ends = versions.map(time).filter((end) => end !== null && end > at && end <= knownBy);
    const isDeleted = source.deleted !== undefined && row[source.deleted] === true;
    return isDeleted ? [] : [{ row, until: Math.min(...ends.map(Number)) }];
  });
}

/** A feature's value by going through all rows, in the order in which they are stored. */
export function bruteForce(
  view: FeatureViewDefinition,
  feature: string,
  rows: readonly SourceRow[],
  keys: SourceRow,
  at: Micros,
  expressions: Readonly<Record<string, Expression>>,
  /** Only rows that could be known for this feature by then. */
  knownBy: Micros = Number.POSITIVE_INFINITY,
): ExactValue {
  const { source, entity, ttl } = view;
  const aggregate = view.aggregates[feature];
  const sql = aggregate === undefined ? view.expressions[feature]?.expression : aggregate.expression;
  const expression = sql == null ? null : expressions[sql];
  const columns = expression?.columns ?? (aggregate === undefined ? [feature] : []);
  const candidates = standing(source, rows, knownBy)
    .map(({ row, until }) => ({
      row,
      until,
      eventAt: source.eventTime === undefined ? Number.NEGATIVE_INFINITY : (row[source.eventTime] as Micros | null),
      availableAt: availability(source, [...Object.keys(entity.keys), ...columns], row),
    }))
    .filter(({ row, until, eventAt, availableAt }) => {
      if (eventAt === null || availableAt === null) return false;
      if (Object.keys(entity.keys).some((key) => keys[key] === null || keys[key] === undefined || row[key] !== keys[key]))
        return false;
      return eventAt <= at && availableAt <= at && at < until && Math.max(eventAt, availableAt) <= knownBy;
    })
    .sort(
      (one, other) =>
        compare(Number(one.eventAt), Number(other.eventAt)) || compare(Number(one.availableAt), Number(other.availableAt)),
    );
  if (aggregate === undefined) {
    const newest = candidates.at(-1);
    if (newest === undefined || (ttl !== undefined && Number(newest.eventAt) < at - ttl)) return null;
    return expression === null ? (newest.row[feature] ?? null) : expression.value(newest.row);
  }
  const inWindow = candidates.filter(({ eventAt }) => Number(eventAt) > at - aggregate.window).map(({ row }) => row);
  if (aggregate.fn === "count") return inWindow.filter((row) => expression == null || expression.value(row) === true).length;
  if (aggregate.fn === "rate")
    return inWindow.length === 0 ? null : inWindow.filter((row) => expression?.value(row) === true).length / inWindow.length;
  const given = inWindow.map((row) => expression?.value(row) ?? null).filter((value) => value !== null);
  if (aggregate.fn === "count-distinct") return new Set(given).size;
  if (aggregate.fn === "first") return given.at(0) ?? null;
  if (aggregate.fn === "last") return given.at(-(aggregate.nth ?? 1)) ?? null;
  return ofNumbers(aggregate.fn, given.map(Number));
}

/** Infinities of one sign are equal, and their difference is no number. */
const compare = (one: number, other: number) => (one < other ? -1 : one > other ? 1 : 0);

function ofNumbers(fn: "sum" | "mean" | "min" | "max" | "std", values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sum = values.reduce((total, value) => total + value, 0);
  const mean = sum / values.length;
  switch (fn) {
    case "sum":
      return sum;
    case "mean":
      return mean;
    case "min":
      return Math.min(...values);
    case "max":
      return Math.max(...values);
    case "std":
      if (values.length < 2) return null;
      return Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / (values.length - 1));
  }
}
