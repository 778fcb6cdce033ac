import { quoteIdentifier } from "../data/index.ts";
import type { ColumnType } from "../definitions/index.ts";
import type { Column, ColumnTable } from "../ports/index.ts";
import { type CompiledView, latestOf } from "./compile-view.ts";
import { exactInteger, type Integer, restOf } from "./integers.ts";
import type { ExactValue } from "./plan.ts";

/** A feature's values in a column. In numbers, NaN is null and booleans are 0 and 1; timestamps are Micros. */
export type FeatureArray =
  | { readonly type: "string"; readonly values: readonly (string | null)[] }
  | IntegerArray
  | { readonly type: Exclude<ColumnType, "string" | "int64">; readonly values: Float64Array };

/** An integer is `values` and `rest` together, both whole: a double alone lacks digits beyond 2^53. No rest: none lacks any. */
export interface IntegerArray {
  readonly type: "int64";
  readonly values: Float64Array;
  readonly rest?: Float64Array;
}

/** An expression's values as windows take them. */
export interface WindowValues {
  /** NaN is null, and so are infinite values: no sum survives them. Of texts, positions among `texts`. */
  readonly values: Float64Array;
  readonly texts: readonly string[] | null;
}

export interface ClassRows {
  /** When a row's values of this class can be seen: the later of its event and its availability; NaN is never. */
  readonly visibleAt: Float64Array;
  /** NaN where not available; -Infinity where known always. Breaks ties between rows of one event time. */
  readonly availableAt: Float64Array;
  readonly latest: readonly FeatureArray[];
  readonly expressions: readonly WindowValues[];
}

/** Rows of a view's source, in columns. */
export interface ViewRows {
  readonly rows: number;
  /** -Infinity where the source has no event time; NaN where it is null. */
  readonly eventAt: Float64Array;
  /** Position in the snapshot: the last tie-break. */
  readonly position: Float64Array;
  /** When a later version of the row, or its deletion, becomes known; NaN is never. Null: no row has one. */
  readonly supersededAt: Float64Array | null;
  readonly classes: readonly ClassRows[];
}

/** The select list behind `readViewRows`, over a snapshot relation with row numbers and, where there are `versions`, with these. */
export function viewRowColumns(view: CompiledView, versions: boolean): string {
  const eventTime = view.eventTime === null ? null : quoteIdentifier(view.eventTime);
  const columns = [`CAST(__row AS DOUBLE) AS p`, ...(eventTime === null ? [] : [`${eventTime} AS e`])];
  if (versions) columns.push("__superseded_at AS s");
  view.classes.forEach(({ availability, latest, expressions }, index) => {
    if (availability.length > 0) columns.push(`${latestOf(availability, "NULL")} AS a${index}`);
    columns.push(...latest.map(({ sql }, feature) => `${sql} AS l${index}_${feature}`));
    columns.push(...expressions.map(({ sql }, value) => `${sql} AS x${index}_${value}`));
  });
  return columns.join(", ");
}

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
      expressions: expressions.map((_, value) => windowValues(columnOf(table, `x${index}_${value}`))),
    };
  });
  const superseded = table.columns.get("s");
  const supersededAt = superseded === undefined ? null : numbersOf(superseded);
  return { rows, eventAt, position: numbersOf(columnOf(table, "p")), supersededAt, classes };
}

function windowValues(column: Column): WindowValues {
  if (column.type !== "string")
    return { values: numbersOf(column).map((number) => (Number.isFinite(number) ? number : Number.NaN)), texts: null };
  const codes = new Map<string, number>();
  const values = Float64Array.from(column.values, (text) => {
    if (text === null) return Number.NaN;
    const code = codes.get(text) ?? codes.size;
    codes.set(text, code);
    return code;
  });
  return { values, texts: [...codes.keys()] };
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

export function featureArray(column: Column, type: ColumnType, id: string): FeatureArray {
  if (type === "string") {
    if (column.type !== "string") throw new TypeError(`${id} is a string by its contract and ${column.type} in its file`);
    return { type, values: column.values };
  }
  if (type !== "int64" || column.type !== "int64") return { type, values: numbersOf(column) };
  const { values, nulls } = column;
  return integerArray(values.length, (row) => (nulls?.[row] === 1 ? null : values[row]));
}

/** Integers of 64 bits, null where `at` gives null. */
export function integerArray(rows: number, at: (row: number) => Integer | null): IntegerArray {
  const values = new Float64Array(rows);
  let rest: Float64Array | null = null;
  for (let row = 0; row < rows; row++) {
    const integer = at(row);
    const near = integer === null ? Number.NaN : Number(integer);
    values[row] = near;
    if (integer === null || Number.isSafeInteger(near)) continue;
    rest ??= new Float64Array(rows);
    rest[row] = restOf(integer);
  }
  return rest === null ? { type: "int64", values } : { type: "int64", values, rest };
}

/** What positions among texts (NaN is null) stand for: texts, or integers that are written as such. */
export function decodedTexts(codes: Float64Array, texts: readonly string[], type: ColumnType): FeatureArray {
  const at = (row: number) => (Number.isNaN(codes[row]) ? null : texts[codes[row]]);
  if (type !== "int64") return { type: "string", values: Array.from(codes, (_, row) => at(row)) };
  return integerArray(codes.length, (row) => {
    const digits = at(row);
    return digits === null ? null : BigInt(digits);
  });
}

/** One row's value, to the last digit. */
export function valueAt(column: FeatureArray, row: number): ExactValue {
  if (column.type === "string") return column.values[row];
  const value = column.values[row];
  if (Number.isNaN(value)) return null;
  if (column.type === "bool") return value === 1;
  return column.type === "int64" ? exactInteger(value, column.rest?.[row] ?? 0) : value;
}

/** The values of some rows, in their order; a row below 0 has none. */
export function takeRows(source: FeatureArray, rows: ArrayLike<number>): FeatureArray {
  const { length } = rows;
  if (source.type === "string") {
    const values = new Array<string | null>(length);
    for (let index = 0; index < length; index++) values[index] = rows[index] < 0 ? null : source.values[rows[index]];
    return { type: source.type, values };
  }
  const pick = (from: Float64Array) => {
    const values = new Float64Array(length);
    for (let index = 0; index < length; index++) values[index] = rows[index] < 0 ? Number.NaN : from[rows[index]];
    return values;
  };
  const values = pick(source.values);
  if (source.type !== "int64") return { type: source.type, values };
  return source.rest === undefined ? { type: source.type, values } : { type: source.type, values, rest: pick(source.rest) };
}
