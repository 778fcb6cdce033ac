import type { DeliveredRow, RowsOrigin, Since, SourceDefinition } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import { dataErrors } from "./errors.ts";
import type { SeenColumns, TextRow } from "./spool.ts";

/** Rows may have a name each: nobody reads more. */
const MOST_SEEN = 100;

/**
 * The rows that a source's function makes, as text: numbers with all digits, moments in UTC, NaN as no value. What is no value of a
 * column's type is a violation of its row, found where the text is read.
 * @param seen takes the names of columns that rows have and that are not declared, the first 100
 * @throws DATA_ROWS_INVALID for what is no row, DATA_ROWS_FAILED where the function throws
 */
export async function* functionRows(
  source: SourceDefinition,
  { rows }: RowsOrigin,
  since: Since,
  seen: SeenColumns,
): AsyncGenerator<TextRow> {
  const columns = Object.keys(source.contracts);
  let number = 0;
  try {
    const made: unknown = rows(since);
    if (!isIterable(made)) throw dataErrors.DATA_ROWS_INVALID(`rows of source ${source.name} returns nothing to iterate over`);
    for await (const row of made) {
      number += 1;
      if (!isRow(row)) throw dataErrors.DATA_ROWS_INVALID(`Row ${number} of source ${source.name} is no object`);
      for (const column of Object.keys(row))
        if (seen.size < MOST_SEEN && !Object.hasOwn(source.contracts, column)) seen.add(column.toWellFormed());
      yield textRow(row, columns);
    }
  } catch (cause) {
    if (cause instanceof OrreryError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw dataErrors.DATA_ROWS_FAILED(`rows of source ${source.name} failed after ${number} rows: ${why}`, { cause });
  }
}

const isIterable = (value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);

const isRow = (value: unknown): value is DeliveredRow => typeof value === "object" && value !== null && !Array.isArray(value);

/** A row's values as text: numbers with all digits, moments in UTC, NaN as no value; what is undefined is not there. */
export function textRow(row: DeliveredRow, columns: readonly string[]): TextRow {
  const text: Record<string, string | null> = {};
  for (const column of columns) {
    const value: unknown = Object.hasOwn(row, column) ? row[column] : undefined;
    if (value !== undefined) text[column] = textOf(value);
  }
  return text;
}

/** Half a surrogate pair is no character: it becomes U+FFFD, as everywhere where text leaves JavaScript. */
function textOf(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "number") return Number.isNaN(value) ? null : Object.is(value, -0) ? "-0" : String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  if (typeof value !== "object") return String(value).toWellFormed();
  return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner)).toWellFormed();
}
