import { readFile, stat } from "node:fs/promises";
import { quoteIdentifier, quoteLiteral } from "../../core/data/index.ts";
import { OrreryError } from "../../core/errors.ts";
import { featureErrors } from "../../core/features/index.ts";
import type { TableEngine } from "../../core/ports/index.ts";

const HINT =
  'A JSON body is an array of one object for each row, with its keys and its time: [{"customer": 1, "at": "2025-06-01T12:00:00Z"}].';
/** A body without rows is not longer. */
const SHORT = 1024;

/**
 * Entity rows that came as JSON, as a Parquet file at `target`. No row at all has the columns of `columns`, which would be looked for.
 * @throws FEATURE_ROWS_INVALID for what is no JSON, or nothing
 */
export async function jsonRows(engine: TableEngine, path: string, target: string, columns: readonly string[]): Promise<void> {
  const { size } = await stat(path);
  const text = size > SHORT ? null : (await readFile(path, "utf8")).trim();
  if (text === "") throw featureErrors.FEATURE_ROWS_INVALID("The body is empty", { hint: HINT });
  const isNone = text !== null && /^\[\s*\]$/.test(text);
  const rows = isNone
    ? `SELECT ${columns.map((column) => `NULL AS ${quoteIdentifier(column)}`).join(", ")} WHERE false`
    : `SELECT * FROM read_json(${quoteLiteral(path)}, format = 'auto', records = true, sample_size = -1)`;
  try {
    await engine.run(`COPY (${rows}) TO ${quoteLiteral(target)} (FORMAT parquet)`);
  } catch (cause) {
    if (!(cause instanceof OrreryError) || cause.code !== "TABLE_QUERY_FAILED") throw cause;
    throw featureErrors.FEATURE_ROWS_INVALID("The body cannot be read as JSON rows", { hint: HINT });
  }
}
