import { CompiledQuery as Compiled, type CompiledQuery } from "kysely";
import type { OnConflict } from "../../core/ports/index.ts";

/** A column's values: one value for every row, doubles ready to be handed to another thread, or anything else. */
export type BulkColumn =
  | { readonly constant: unknown }
  | { readonly numbers: Float64Array<ArrayBuffer> }
  | { readonly values: readonly unknown[] };

export interface BulkRows {
  readonly names: readonly string[];
  readonly columns: readonly BulkColumn[];
  readonly count: number;
}

/** Rows turned into columns. SQLite takes NaN for null, so that every database must; booleans are 0 and 1. */
export function toColumns<Row extends object>(rows: readonly Row[]): BulkRows {
  const names = Object.keys(rows[0] ?? {}) as (keyof Row & string)[];
  const columns = names.map((name): BulkColumn => {
    const values = rows.map((row) => bindable(row[name]));
    const first = values[0];
    if (values.every((value) => value === first)) return { constant: first };
    if (values.every((value) => typeof value === "number")) return { numbers: Float64Array.from(values) };
    return { values };
  });
  return { names, columns, count: rows.length };
}

/** The databases have no booleans in this schema, no undefined and no NaN. */
export function bindable(value: unknown): unknown {
  if (typeof value === "boolean") return Number(value);
  if (value === undefined || Number.isNaN(value)) return null;
  return value;
}

export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** SQLite's statement for one row, to be run for each of many. */
export function insertStatement(
  table: string,
  names: readonly string[],
  onConflict: OnConflict<Record<string, unknown>>,
): string {
  const places = names.map(() => "?").join(", ");
  return `INSERT INTO ${quoted(table)} (${names.map(quoted).join(", ")}) VALUES (${places})${conflictClause(table, onConflict)}`;
}

/** The end of an INSERT: what happens where the row's key is there already. */
export function conflictClause(table: string, onConflict: OnConflict<Record<string, unknown>>): string {
  if (onConflict === "fail") return "";
  if (onConflict === "ignore") return " ON CONFLICT DO NOTHING";
  const { key, update, whereGreater } = onConflict;
  const set = update.map((column) => `${quoted(column)} = excluded.${quoted(column)}`).join(", ");
  const tuple = (owner: string, columns: readonly string[]) =>
    `(${columns.map((column) => `${owner}.${quoted(column)}`).join(", ")})`;
  const where =
    whereGreater === undefined ? "" : ` WHERE ${tuple("excluded", whereGreater)} > ${tuple(quoted(table), whereGreater)}`;
  return ` ON CONFLICT (${key.map(quoted).join(", ")}) DO UPDATE SET ${set}${where}`;
}

const bulkRows = new WeakMap<CompiledQuery, BulkRows>();

/** A statement with one row's placeholders that is run for each of many rows; travels through Kysely like any other. */
export function bulkQuery(sql: string, rows: BulkRows): CompiledQuery {
  const query = Compiled.raw(sql);
  bulkRows.set(query, rows);
  return query;
}

export const bulkRowsOf = (query: CompiledQuery): BulkRows | undefined => bulkRows.get(query);
