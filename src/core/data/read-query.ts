import { type PostgresOrigin, resolveSecret, type SourceDefinition } from "../definitions/index.ts";
import type { QueryReader } from "../ports/index.ts";
import { missingColumns } from "./delivered-rows.ts";
import { deliveredSchema } from "./delivered-schema.ts";
import { dataErrors } from "./errors.ts";
import type { SeenColumns, TextRow } from "./spool.ts";
import type { Start } from "./watermark.ts";

/**
 * The rows of a source's query as text, from `start` on, in the order of its watermark and key: the same rows come in the same order.
 * @param seen takes the names of its columns that are not declared, before any row
 * @throws SECRET_MISSING, DATA_COLUMN_MISSING, DATA_QUERY_INVALID, and what the reader throws
 */
export async function* queryRows(
  source: SourceDefinition,
  { url, query }: PostgresOrigin,
  reader: QueryReader,
  start: Start | null,
  seen: SeenColumns,
): AsyncGenerator<TextRow> {
  const { watermark, key, availability, eventTime } = source;
  const columns = Object.keys(source.contracts);
  const order = [...key, availability.default, eventTime].filter((column) => column !== undefined);
  const batches = reader.read({
    url: resolveSecret(url),
    query,
    order,
    ...(watermark === undefined ? {} : { watermark: { column: watermark.column, start } }),
  });
  for await (const { columns: delivered, rows } of batches) {
    const places = columns.map((column) => {
      const place = delivered.indexOf(column);
      if (place < 0) {
        const there = new Map(delivered.map((each) => [each, "VARCHAR"]));
        throw missingColumns(source, { name: "The query", path: "" }, deliveredSchema(source, there, false), delivered);
      }
      if (delivered.lastIndexOf(column) !== place)
        throw dataErrors.DATA_QUERY_INVALID(`The query of source ${source.name} has two columns "${column}"`);
      return [column, place] as const;
    });
    for (const column of delivered) if (!Object.hasOwn(source.contracts, column)) seen.add(column);
    for (const row of rows) yield Object.fromEntries(places.map(([column, place]) => [column, row[place] ?? null]));
  }
}
