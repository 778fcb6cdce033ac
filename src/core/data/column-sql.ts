import type { ColumnType } from "../definitions/index.ts";
import { quoteIdentifier } from "./sql.ts";

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
export const RESERVED = /^(__|file_row_number$)/i;
/** A column as it was delivered, beside its typed value: where only the latter is null, it could not be read. */
export const rawName = (column: string): string => quoteIdentifier(`__raw_${column}`);

const INTEGERS = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/;
const FRACTIONS = /^(FLOAT|DOUBLE|DECIMAL.*)$/;
const MOMENTS = /^(DATE|TIMESTAMP.*)$/;

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
  if (isExact(type, delivered)) return type === "timestamp" ? finite(raw) : raw;
  // By way of TIMESTAMPTZ an offset is honoured, and a text without one is UTC (the session's zone).
  if (type === "timestamp")
    return finite(`TRY_CAST(${MOMENTS.test(delivered) ? raw : `${raw}::VARCHAR`} AS TIMESTAMPTZ)::TIMESTAMP`);
  if (type === "string") return `${raw}::VARCHAR`;
  const isWhole = type === "int32" || type === "int64";
  // A cast rounds: 1.5 would become 2.
  if (isWhole && !INTEGERS.test(delivered) && delivered !== "BOOLEAN")
    return `CASE WHEN trunc(TRY_CAST(${raw}::VARCHAR AS DOUBLE)) = TRY_CAST(${raw}::VARCHAR AS DOUBLE) THEN TRY_CAST(${raw}::VARCHAR AS ${SQL_TYPES[type]}) END`;
  const direct = INTEGERS.test(delivered) || FRACTIONS.test(delivered) || delivered === "BOOLEAN";
  return `TRY_CAST(${direct ? raw : `${raw}::VARCHAR`} AS ${SQL_TYPES[type]})`;
}

const finite = (timestamp: string) => `CASE WHEN isfinite(${timestamp}) THEN ${timestamp} END`;
