import { quoteIdentifier } from "../data/index.ts";
import type { ColumnType } from "../definitions/index.ts";
import type { Column, ColumnTable } from "../ports/index.ts";
import { type CompiledView, latestOf } from "./compile-view.ts";
import { featureErrors } from "./errors.ts";

/** A feature's values in a column. In numbers, NaN is null and booleans are 0 and 1; timestamps are Micros. */
export type FeatureArray =
  | { readonly type: "string"; readonly values: readonly (string | null)[] }
  | { readonly type: Exclude<ColumnType, "string">; readonly values: Float64Array };

export interface ClassRows {
  /** When a row's values of this class can be seen: the later of its event and its availability; NaN is never. */
  readonly visibleAt: Float64Array;
  /** NaN where not available; -Infinity where known always. Breaks ties between rows of one event time. */
  readonly availableAt: Float64Array;
  readonly latest: readonly FeatureArray[];
  /** NaN is null. Infinite values count as null too: no sum survives them. */
  readonly expressions: readonly Float64Array[];
}

/** Rows of a view's source, in columns. */
export interface ViewRows {
  readonly rows: number;
  /** -Infinity where the source has no event time; NaN where it is null. */
  readonly eventAt: Float64Array;
  /** Position in the snapshot: the last tie-break. */
  readonly position: Float64Array;
  readonly classes: readonly ClassRows[];
}

/** The select list behind `readViewRows`, over a snapshot relation with row numbers; `table` qualifies nothing but `__row`. */
export function viewRowColumns(view: CompiledView): string {
  const eventTime = view.eventTime === null ? null : quoteIdentifier(view.eventTime);
  const columns = [`CAST(__row AS DOUBLE) AS p`, ...(eventTime === null ? [] : [`${eventTime} AS e`])];
  view.classes.forEach(({ availability, latest, expressions }, index) => {
    if (availability.length > 0) columns.push(`${latestOf(availability, "NULL")} AS a${index}`);
    columns.push(...latest.map(({ name }, feature) => `${quoteIdentifier(name)} AS l${index}_${feature}`));
    columns.push(...expressions.map((sql, value) => `${sql} AS x${index}_${value}`));
  });
  return columns.join(", ");
}

/** @throws FEATURE_INTEGER_UNSAFE */
export function readViewRows(view: CompiledView, table: ColumnTable): ViewRows {
  const { rows } = table;
  const constant = (value: number) => new Float64Array(rows).fill(value);
  const eventAt = view.eventTime === null ? constant(Number.NEGATIVE_INFINITY) : numbersOf(columnOf(table, "e"));
  const classes = view.classes.map(({ availability, latest, expressions }, index): ClassRows => {
    const availableAt = availability.length === 0 ? eventAt : numbersOf(columnOf(table, `a${index}`));
    // Math.max gives NaN where either is NaN.
    const visibleAt = availableAt === eventAt ? eventAt : availableAt.map((at, row) => Math.max(at, eventAt[row] ?? Number.NaN));
    return {
      availableAt,
      visibleAt,
      latest: latest.map(({ name, type }, feature) =>
        featureArray(columnOf(table, `l${index}_${feature}`), type, `${view.name}.${name}`),
      ),
      expressions: expressions.map((_, value) =>
        numbersOf(columnOf(table, `x${index}_${value}`)).map((number) => (Number.isFinite(number) ? number : Number.NaN)),
      ),
    };
  });
  return { rows, eventAt, position: numbersOf(columnOf(table, "p")), classes };
}

export function columnOf(table: ColumnTable, name: string): Column {
  const column = table.columns.get(name);
  if (column === undefined) throw new TypeError(`The query gave no column ${name}`);
  return column;
}

/** A numeric column with NaN for null; 64-bit integers become doubles, rounded beyond 2^53. */
export function numbersOf(column: Column): Float64Array {
  if (column.type === "string") throw new TypeError("A text column where numbers were asked for");
  const values = column.type === "int64" ? Float64Array.from(column.values, Number) : column.values;
  const { nulls } = column;
  if (nulls === null) return values;
  return values.map((value, row) => (nulls[row] === 1 ? Number.NaN : value));
}

/** @throws FEATURE_INTEGER_UNSAFE */
export function featureArray(column: Column, type: ColumnType, id: string): FeatureArray {
  if (type === "string") {
    if (column.type !== "string") throw new TypeError(`${id} is a string by its contract and ${column.type} in its file`);
    return { type, values: column.values };
  }
  const values = numbersOf(column);
  if (column.type === "int64" && values.some((value) => Math.abs(value) > Number.MAX_SAFE_INTEGER)) {
    throw featureErrors.FEATURE_INTEGER_UNSAFE(`"${id}" holds integers beyond 2^53`);
  }
  return { type, values };
}
