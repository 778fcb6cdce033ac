import { aggregateValue, declaredExpression, expressionColumns, quoteIdentifier, type ValueExpression } from "../data/index.ts";
import {
  type AggregateFunction,
  type ColumnType,
  type FeatureViewDefinition,
  keyFields,
  type SourceDefinition,
  viewFeatures,
} from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import { checkView } from "./check-view.ts";
import { featureErrors } from "./errors.ts";

export interface LatestFeature {
  readonly name: string;
  readonly type: ColumnType;
  /** SQL of its value over the source's row, of the type. */
  readonly sql: string;
}

export interface AggregateFeature {
  readonly name: string;
  readonly type: ColumnType;
  /** A rate is the mean of a condition that is never null. */
  readonly fn: Exclude<AggregateFunction, "rate">;
  /** Index into the class's expressions; -1 counts rows. */
  readonly value: number;
  readonly window: Micros;
  /** Of `last`, which one from the newest on; 1 where absent. */
  readonly nth?: number;
}

/** Features of a view whose columns become known together: each row has one availability for all of them. */
export interface AvailabilityClass {
  /** Timestamp columns; a row is available at the latest of them, and never where one is null. Empty: with its event. */
  readonly availability: readonly string[];
  readonly latest: readonly LatestFeature[];
  readonly expressions: readonly ValueExpression[];
  readonly aggregates: readonly AggregateFeature[];
}

/** A feature view taken apart by availability: what both the offline join and materialization work from. */
export interface CompiledView {
  readonly name: string;
  readonly source: SourceDefinition;
  readonly keys: readonly string[];
  /** The field that an ask has each key in. */
  readonly fields: readonly string[];
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

interface DraftClass extends AvailabilityClass {
  readonly latest: LatestFeature[];
  readonly expressions: ValueExpression[];
  readonly aggregates: AggregateFeature[];
}

/**
 * Takes a view apart; with `only`, just these of its features.
 * @throws what checkView throws, FEATURE_UNKNOWN, FEATURE_EXPRESSION_TYPE, FEATURE_AGGREGATE_TYPE, and core/data's errors for an
 * invalid expression
 */
export async function compileView(
  engine: TableEngine,
  view: FeatureViewDefinition,
  only?: readonly string[],
): Promise<CompiledView> {
  checkView(view);
  const { source, entity, features, expressions, aggregates } = view;
  const keys = Object.keys(entity.keys);
  const classes = new Map<string, DraftClass>();
  const classOf = (columns: readonly string[]) => {
    const availability = availabilityColumns(source, [...keys, ...columns]);
    const id = JSON.stringify(availability);
    const known = classes.get(id) ?? { availability, latest: [], expressions: [], aggregates: [] };
    classes.set(id, known);
    return known;
  };
  for (const name of only ?? viewFeatures(view).map(([each]) => each)) {
    const type = source.contracts[name]?.type;
    const id = `${view.name}.${name}`;
    if (features.includes(name) && type !== undefined) {
      classOf([name]).latest.push({ name, type, sql: quoteIdentifier(name) });
    } else if (Object.hasOwn(expressions, name)) {
      const { expression, type: declared } = expressions[name];
      const { columns, sqlType } = await expressionColumns(engine, source, expression);
      const sql = declaredExpression(expression, sqlType, declared);
      if (sql === null)
        throw featureErrors.FEATURE_EXPRESSION_TYPE(`"${expression}" of "${id}" is ${sqlType} and no ${declared}`);
      classOf(columns).latest.push({ name, type: declared, sql });
    } else if (Object.hasOwn(aggregates, name)) {
      const aggregate = aggregates[name];
      const { fn, expression, window, nth } = aggregate;
      const read = expression === null ? null : await expressionColumns(engine, source, expression);
      const into = classOf(read?.columns ?? []);
      const taken = read === null ? null : aggregateValue(aggregate, read.sqlType);
      if (read !== null && taken === null)
        throw featureErrors.FEATURE_AGGREGATE_TYPE(`${fn}("${expression}") of "${id}" is over ${read.sqlType}`);
      const value = taken === null ? -1 : placeOf(into.expressions, taken);
      const compiled = { name, type: aggregate.type, fn: fn === "rate" ? "mean" : fn, value, window } as const;
      into.aggregates.push(nth === undefined ? compiled : { ...compiled, nth });
    } else {
      throw featureErrors.FEATURE_UNKNOWN(`Feature view "${view.name}" has no feature "${name}"`);
    }
  }
  return {
    name: view.name,
    source,
    keys,
    fields: Object.values(keyFields(view)),
    keyTypes: entity.keys,
    eventTime: source.eventTime ?? null,
    ttl: view.ttl ?? null,
    classes: [...classes.values()],
    longestWindow: Math.max(0, ...[...classes.values()].flatMap(({ aggregates }) => aggregates.map(({ window }) => window))),
  };
}

/** Expressions that say the same are read once. */
function placeOf(expressions: ValueExpression[], wanted: ValueExpression): number {
  const place = expressions.findIndex(({ sql }) => sql === wanted.sql);
  return place < 0 ? expressions.push(wanted) - 1 : place;
}
