import { expressionColumns, quoteIdentifier } from "../data/index.ts";
import type { AggregateFunction, ColumnType, FeatureViewDefinition, SourceDefinition } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import { checkView } from "./check-view.ts";
import { featureErrors } from "./errors.ts";

export interface LatestFeature {
  readonly name: string;
  readonly type: ColumnType;
}

export interface AggregateFeature {
  readonly name: string;
  readonly type: ColumnType;
  readonly fn: AggregateFunction;
  /** Index into the class's expressions; -1 counts rows. */
  readonly value: number;
  readonly window: Micros;
}

/** Features of a view whose columns become known together: each row has one availability for all of them. */
export interface AvailabilityClass {
  /** Timestamp columns; a row is available at the latest of them, and never where one is null. Empty: with its event. */
  readonly availability: readonly string[];
  readonly latest: readonly LatestFeature[];
  /** SQL expressions that give a DOUBLE. */
  readonly expressions: readonly string[];
  readonly aggregates: readonly AggregateFeature[];
}

/** A feature view taken apart by availability: what both the offline join and materialization work from. */
export interface CompiledView {
  readonly name: string;
  readonly source: SourceDefinition;
  readonly keys: readonly string[];
  readonly keyTypes: Readonly<Record<string, ColumnType>>;
  readonly eventTime: string | null;
  readonly ttl: Micros | null;
  readonly classes: readonly AvailabilityClass[];
  /** Greatest window of all aggregates; 0 without any. */
  readonly longestWindow: Micros;
}

/**
 * The timestamp columns by which values of these columns become known. The row itself is known at its default
 * availability, so that always counts: what cannot be seen online before then is not seen offline either.
 */
export function availabilityColumns(source: SourceDefinition, columns: readonly string[]): string[] {
  // A group's timestamp is known no earlier than what it dates.
  const groups = Object.values(source.availability.groups).map(({ columns: dated, at }) => ({ columns: [...dated, at], at }));
  const grouped = groups.filter((group) => group.columns.some((column) => columns.includes(column)));
  const ungrouped = grouped.length === 0 || columns.some((column) => !groups.some((group) => group.columns.includes(column)));
  const byEvent = ungrouped && grouped.length > 0 ? source.eventTime : undefined;
  const byDefault = source.availability.default ?? byEvent;
  return [...new Set([...(byDefault === undefined ? [] : [byDefault]), ...grouped.map((group) => group.at)])].sort();
}

/** SQL for the latest of some timestamp columns, null where one of them is; `fallback` where there are none. */
export function latestOf(columns: readonly string[], fallback: string): string {
  const quoted = columns.map(quoteIdentifier);
  const [only = fallback] = quoted;
  if (quoted.length <= 1) return only;
  // greatest() skips nulls, and a null availability means "not available".
  return `CASE WHEN ${quoted.map((column) => `${column} IS NOT NULL`).join(" AND ")} THEN greatest(${quoted.join(", ")}) END`;
}

/**
 * Takes a view apart; with `only`, just these of its features.
 * @throws what checkView throws, FEATURE_UNKNOWN, FEATURE_AGGREGATE_TYPE, and core/data's errors for an invalid expression
 */
export async function compileView(
  engine: TableEngine,
  view: FeatureViewDefinition,
  only?: readonly string[],
): Promise<CompiledView> {
  checkView(view);
  const { source } = view;
  const keys = Object.keys(view.entity.keys);
  const wanted = only ?? [...view.features, ...Object.keys(view.aggregates)];
  const classes = new Map<
    string,
    AvailabilityClass & { latest: LatestFeature[]; expressions: string[]; aggregates: AggregateFeature[] }
  >();
  const classOf = (columns: readonly string[]) => {
    const availability = availabilityColumns(source, [...keys, ...columns]);
    const id = JSON.stringify(availability);
    const known = classes.get(id) ?? { availability, latest: [], expressions: [], aggregates: [] };
    classes.set(id, known);
    return known;
  };
  for (const name of wanted) {
    const aggregate = view.aggregates[name];
    const type = source.contracts[name]?.type;
    if (view.features.includes(name) && type !== undefined) {
      classOf([name]).latest.push({ name, type });
    } else if (aggregate !== undefined) {
      const { fn, expression, window } = aggregate;
      const read = expression === null ? null : await expressionColumns(engine, source, expression);
      const into = classOf(read?.columns ?? []);
      let value = -1;
      if (expression !== null && read !== null) {
        const sql = numberExpression(view.name, name, fn, expression, read.sqlType);
        value = into.expressions.indexOf(sql);
        if (value < 0) value = into.expressions.push(sql) - 1;
      }
      into.aggregates.push({ name, type: aggregate.type, fn, value, window });
    } else {
      throw featureErrors.FEATURE_UNKNOWN(`Feature view "${view.name}" has no feature "${name}"`);
    }
  }
  return {
    name: view.name,
    source,
    keys,
    keyTypes: view.entity.keys,
    eventTime: source.eventTime ?? null,
    ttl: view.ttl ?? null,
    classes: [...classes.values()],
    longestWindow: Math.max(0, ...[...classes.values()].flatMap(({ aggregates }) => aggregates.map(({ window }) => window))),
  };
}

const NUMBERS = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U\w+INT\w*|FLOAT|REAL|DOUBLE|DECIMAL.*)$/i;

function numberExpression(view: string, feature: string, fn: AggregateFunction, expression: string, type: string): string {
  const condition = /^BOOLEAN$/i.test(type);
  if (!condition && (fn === "count" || !NUMBERS.test(type))) {
    throw featureErrors.FEATURE_AGGREGATE_TYPE(`${fn}("${expression}") of "${view}.${feature}" is over ${type}`);
  }
  // The line break ends a comment in the expression.
  return `CAST((${expression}\n) AS DOUBLE)`;
}
