import type { OnConflict } from "../../core/ports/index.ts";
import { type BulkColumn, type BulkRows, conflictClause, quoted } from "./bulk-insert.ts";
import { metadataErrors } from "./errors.ts";
import type { Session } from "./postgres-sessions.ts";

/** Types of a table's columns by name, as a cast takes them. */
export async function columnTypes(session: Session, schema: string, table: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await session.query(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type from pg_attribute as a
    where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped`,
    [`${quoted(schema)}.${quoted(table)}`],
  );
  return new Map(rows.map(({ name, type }) => [String(name), String(type)]));
}

export interface BulkStatement {
  readonly sql: string;
  readonly values: unknown[];
}

/** One INSERT that takes each column as one parameter: an array, or its value where every row has the same. */
export function insertFromArrays(
  table: string,
  { names, columns, count }: BulkRows,
  types: ReadonlyMap<string, string>,
  onConflict: OnConflict<Record<string, unknown>>,
): BulkStatement {
  const values: unknown[] = [];
  const arrays: string[] = [];
  const selected = columns.map((column, index) => {
    const name = names[index] ?? "";
    const type = types.get(name);
    if (type === undefined) throw metadataErrors.STATE_QUERY_FAILED(`The table ${table} has no column ${name}`);
    if ("constant" in column) {
      values.push(column.constant);
      return `$${values.length}::${type}`;
    }
    values.push(arrayLiteral(column));
    arrays.push(`$${values.length}::${type}[]`);
    return `c${arrays.length}`;
  });
  const aliases = arrays.map((_, index) => `c${index + 1}`).join(", ");
  const rows = arrays.length === 0 ? `generate_series(1, ${count})` : `unnest(${arrays.join(", ")}) as given (${aliases})`;
  const sql = `insert into ${quoted(table)} (${names.map(quoted).join(", ")}) select ${selected.join(", ")} from ${rows}`;
  return { sql: `${sql}${conflictClause(table, onConflict)}`, values };
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function arrayLiteral(column: Exclude<BulkColumn, { constant: unknown }>): string {
  if ("numbers" in column) return `{${column.numbers.join()}}`;
  const cells = column.values.map((value) => {
    if (value === null) return "NULL";
    return typeof value === "string" ? `"${value.replace(/["\\]/g, "\\$&")}"` : String(value);
  });
  return `{${cells.join()}}`;
}
