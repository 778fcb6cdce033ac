import type { ColumnType } from "../definitions/index.ts";
import { quoteIdentifier, quoteLiteral } from "./sql.ts";

/** DuckDB's name of each column type. Timestamps are kept without a zone, in UTC. */
export const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  string: "VARCHAR",
  int32: "INTEGER",
  int64: "BIGINT",
  float64: "DOUBLE",
  bool: "BOOLEAN",
  timestamp: "TIMESTAMP",
};

export const NUMERIC: ReadonlySet<ColumnType> = new Set<ColumnType>(["int32", "int64", "float64"]);

/** The row's place in its file, counted from 0. */
export const ROW = "__n";
/** Names that staging and reading add to a source's own. */
export const RESERVED = /^(__|file_row_number$|file_index$)/i;
/** A column as it was delivered, beside its typed value: where only the latter is null, it could not be read. */
export const rawName = (column: string): string => quoteIdentifier(`__raw_${column}`);

const INTEGERS = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/;
const FRACTIONS = /^(FLOAT|DOUBLE|DECIMAL.*)$/;
const MOMENTS = /^(DATE|TIMESTAMP.*)$/;

/** The column type that a delivered one is; text where none is nearer. */
export function deliveredType(delivered: string): ColumnType {
  if (INTEGERS.test(delivered))
    return /^U?(TINY|SMALL)?INT(EGER)?$/.test(delivered) && delivered !== "UINTEGER" ? "int32" : "int64";
  if (FRACTIONS.test(delivered)) return "float64";
  if (MOMENTS.test(delivered)) return "timestamp";
  return delivered === "BOOLEAN" ? "bool" : "string";
}

/** How text files write "no value" in columns that are not text. In text columns only an empty cell is none: NA is Namibia. */
const NO_VALUE = "'', 'na', 'n/a', 'nan', 'null'";

/** SQL of a delivered column with every way of saying "no value" as NULL; `delivered` is its DuckDB type in the file. */
export function rawColumn(column: string, type: ColumnType, delivered: string): string {
  const name = quoteIdentifier(column);
  if (delivered === "FLOAT" || delivered === "DOUBLE") return `CASE WHEN NOT isnan(${name}) THEN ${name} END`;
  if (delivered === "VARCHAR" && type !== "string") return `CASE WHEN lower(trim(${name})) NOT IN (${NO_VALUE}) THEN ${name} END`;
  return name;
}

/** Whether a value of this delivered type is always one of the declared type. */
export const isExact = (type: ColumnType, delivered: string): boolean => SQL_TYPES[type] === delivered;

/** SQL of a raw column as its declared type; NULL where it cannot be read as such, and never an approximation. */
export function typedColumn(column: string, type: ColumnType, delivered: string): string {
  const raw = rawName(column);
  if (isExact(type, delivered)) return type === "timestamp" ? within(raw) : raw;
  const text = delivered === "VARCHAR" ? raw : `${raw}::VARCHAR`;
  if (type === "timestamp")
    return within(MOMENTS.test(delivered) ? `TRY_CAST(${raw} AS TIMESTAMPTZ)::TIMESTAMP` : momentOf(text));
  if (type === "string") return text;
  if (INTEGERS.test(delivered) || delivered === "BOOLEAN" || (FRACTIONS.test(delivered) && !isWhole(type)))
    return `TRY_CAST(${raw} AS ${SQL_TYPES[type]})`;
  const cast = `TRY_CAST(${text} AS ${SQL_TYPES[type]})`;
  // A cast rounds: 1.5 would become 2.
  if (isWhole(type))
    return `CASE WHEN ${isPlain(text)} AND trunc(TRY_CAST(${text} AS DOUBLE)) = TRY_CAST(${text} AS DOUBLE) THEN ${cast} END`;
  // What is too large becomes infinite, which only a text that says so is.
  if (type === "float64")
    return `CASE WHEN ${isPlain(text)} AND (NOT isinf(${cast}) OR regexp_matches(${text}, '(?i)inf')) THEN ${cast} END`;
  return cast;
}

const isWhole = (type: ColumnType) => type === "int32" || type === "int64";

/** Digits may not be parted: 1_000 is a name more often than a number. */
const isPlain = (text: string) => `NOT contains(${text}, '_')`;

/** ISO 8601 with a space or a T and any number of digits after the second: in UTC, or with an offset. */
const DAY = "\\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}";
const IN_UTC = `${DAY}([T ][0-9:.]+( ?UTC|Z)?)?\\s*`;
const WITH_OFFSET = `${DAY}[T ][0-9:.]+[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?\\s*`;

/**
 * Only these forms reach the engine: it reads "epoch" and 23-03-26 too, and the name of a zone in one row changes how it reads the rows
 * after it. As a TIMESTAMP it takes no notice of an offset.
 */
function momentOf(text: string): string {
  const iso = `upper(trim(${text}))`;
  return `CASE WHEN regexp_full_match(upper(${text}), ${quoteLiteral(IN_UTC)}) THEN TRY_CAST(${iso} AS TIMESTAMP)
    WHEN regexp_full_match(upper(${text}), ${quoteLiteral(WITH_OFFSET)}) THEN TRY_CAST(${iso} AS TIMESTAMPTZ)::TIMESTAMP END`;
}

/** From the year 1 to 9999: beyond, adding to a moment may leave what can be counted. */
const within = (timestamp: string) =>
  `CASE WHEN ${timestamp} BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999' THEN ${timestamp} END`;
