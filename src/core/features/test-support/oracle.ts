import type { FeatureViewDefinition, SourceDefinition } from "../../definitions/index.ts";
import type { Micros } from "../../time.ts";
import type { FeatureValue } from "../plan.ts";

/** A source row; timestamps are Micros. */
export type SourceRow = Readonly<Record<string, FeatureValue>>;

/** What an aggregate's expression means, and the columns that it reads: the oracle does not parse SQL. */
export interface Expression {
  readonly columns: readonly string[];
  readonly value: (row: SourceRow) => FeatureValue;
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
): FeatureValue {
  const { source, entity, ttl } = view;
  const aggregate = view.aggregates[feature];
  const expression = aggregate?.expression == null ? null : expressions[aggregate.expression];
  const columns = aggregate === undefined ? [feature] : (expression?.columns ?? []);
  const candidates = rows
    .map((row) => ({
      row,
      eventAt: source.eventTime === undefined ? Number.NEGATIVE_INFINITY : (row[source.eventTime] as Micros | null),
      availableAt: availability(source, [...Object.keys(entity.keys), ...columns], row),
    }))
    .filter(({ row, eventAt, availableAt }) => {
      if (eventAt === null || availableAt === null) return false;
      if (Object.keys(entity.keys).some((key) => keys[key] === null || keys[key] === undefined || row[key] !== keys[key]))
        return false;
      return eventAt <= at && availableAt <= at && Math.max(eventAt, availableAt) <= knownBy;
    });
  if (aggregate === undefined) {
    const inTime = candidates.filter(({ eventAt }) => ttl === undefined || Number(eventAt) >= at - ttl);
    let best: (typeof inTime)[number] | undefined;
    for (const each of inTime) {
      const ahead =
        best === undefined ||
        Number(each.eventAt) > Number(best.eventAt) ||
        (each.eventAt === best.eventAt && Number(each.availableAt) >= Number(best.availableAt));
      if (ahead) best = each;
    }
    return best?.row[feature] ?? null;
  }
  const inWindow = candidates.filter(({ eventAt }) => Number(eventAt) > at - aggregate.window).map(({ row }) => row);
  if (aggregate.fn === "count") return inWindow.filter((row) => expression == null || expression.value(row) === true).length;
  const values = inWindow.flatMap((row) => {
    const value = expression?.value(row) ?? null;
    return value === null ? [] : [Number(value)];
  });
  const sum = values.reduce((total, value) => total + value, 0);
  const mean = sum / values.length;
  if (values.length === 0) return null;
  switch (aggregate.fn) {
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
    default:
      return null;
  }
}
