import type { SourceDefinition } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { TableEngine } from "../ports/index.ts";
import { ROW } from "./column-sql.ts";
import type { Delivery } from "./delivery.ts";
import { dataErrors } from "./errors.ts";
import { nearestName } from "./nearest-name.ts";
import { fileList, quoteIdentifier, quoteLiteral } from "./sql.ts";

/** A delivery that lies at `path`, readable. */
export type ReadableDelivery = Pick<Delivery, "name" | "format" | "partition"> & { readonly path: string };

/** Lines longer than this are refused: JSON's own limit, for CSV too. */
export const LONGEST_LINE = 16 * 1024 * 1024;
/** Where JSON's columns are looked for first. */
const FIRST_LINES = 10_000;

/** A delivery as a table: its rows in order, what they hold as delivered. */
export interface DeliveredRows {
  /** A parenthesised query with every declared column and the row's place. */
  readonly relation: string;
  /** DuckDB's type of each declared column. */
  readonly types: ReadonlyMap<string, string>;
}

/**
 * How a delivery is read. Text formats give every value as text, so that a bad cell is a counted violation of one row, not the end
 * of the file; a column that the file lacks may be said by a folder.
 * @throws DATA_COLUMN_MISSING, DATA_FILE_CORRUPT
 */
export async function deliveredRows(
  engine: TableEngine,
  source: SourceDefinition,
  delivery: ReadableDelivery,
): Promise<DeliveredRows> {
  const declared = Object.keys(source.contracts);
  const here = await columnsOf(engine, source, delivery);
  const folders = Object.entries(delivery.partition).filter(([column]) => !here.has(column));
  const types = new Map([...here, ...folders.map(([column]) => [column, "VARCHAR"] as const)]);
  const missing = declared.find((column) => !types.has(column));
  if (missing !== undefined) throw missingColumn(source, delivery, missing, [...types.keys()]);
  const said = folders.map(
    ([column, value]) => `${value === null ? "NULL" : quoteLiteral(value)}::VARCHAR AS ${quoteIdentifier(column)}`,
  );
  const rows = fileRows(
    delivery,
    declared.filter((column) => here.has(column)),
  );
  return { types, relation: said.length === 0 ? rows : `(SELECT *, ${said.join(", ")} FROM ${rows})` };
}

/** Folders are read here and not by the engine, which would let them hide the file's own columns. */
function fileRows({ path, format }: ReadableDelivery, wanted: readonly string[]): string {
  const files = fileList([path]);
  const numbered = (rows: string) => `(SELECT *, row_number() OVER () - 1 AS ${ROW} FROM ${rows})`;
  switch (format) {
    case "parquet":
      return `(SELECT * EXCLUDE (file_row_number), file_row_number AS ${ROW} FROM read_parquet(${files}, file_row_number = true, hive_partitioning = false))`;
    case "csv":
      return numbered(
        `read_csv(${files}, header = true, all_varchar = true, nullstr = '', parallel = false, max_line_size = ${LONGEST_LINE}, compression = 'none', hive_partitioning = false)`,
      );
    case "json-lines": {
      const columns = wanted.map((column) => `${quoteLiteral(column)}: 'VARCHAR'`).join(", ");
      return numbered(
        `read_json(${files}, format = 'newline_delimited', records = true, columns = {${columns}}, maximum_object_size = ${LONGEST_LINE}, compression = 'uncompressed', hive_partitioning = false)`,
      );
    }
  }
}

/** Type of each column that the file holds. */
async function columnsOf(
  engine: TableEngine,
  source: SourceDefinition,
  delivery: ReadableDelivery,
): Promise<ReadonlyMap<string, string>> {
  try {
    if (delivery.format === "json-lines") return await jsonColumns(engine, source, delivery);
    const described = await engine.rows(`DESCRIBE SELECT * EXCLUDE (${ROW}) FROM ${fileRows(delivery, [])}`);
    return new Map(described.map((row) => [String(row.column_name), String(row.column_type)]));
  } catch (cause) {
    throw unreadable(source, delivery, cause);
  }
}

/** JSON leaves out what has no value: a column that may be null need not be in any line. */
async function jsonColumns(
  engine: TableEngine,
  source: SourceDefinition,
  { path, partition }: ReadableDelivery,
): Promise<ReadonlyMap<string, string>> {
  const objects = `read_ndjson_objects(${fileList([path])}, maximum_object_size = ${LONGEST_LINE}, compression = 'uncompressed')`;
  const namesIn = async (lines: string) => {
    const names = await engine.rows(`SELECT DISTINCT unnest(json_keys(json)) AS name FROM ${lines} ORDER BY name`);
    return new Set(names.map(({ name }) => String(name)));
  };
  const contracts = Object.entries(source.contracts);
  const required = contracts
    .filter(([column, { nullable }]) => nullable === false || Object.hasOwn(partition, column))
    .map(([column]) => column);
  const first = await namesIn(`(SELECT json FROM ${objects} LIMIT ${FIRST_LINES})`);
  const names = required.every((column) => first.has(column)) ? first : await namesIn(objects);
  // Without any line there is nothing that a column could be missing from.
  const there =
    names.size === 0 ? contracts : contracts.filter(([column, { nullable }]) => names.has(column) || nullable !== false);
  return new Map([
    ...[...names].map((name) => [name, "VARCHAR"] as const),
    ...there.map(([column]) => [column, "VARCHAR"] as const),
  ]);
}

/** An engine that has no room is not the file's fault. */
export function unreadable(source: SourceDefinition, { name, format }: ReadableDelivery, cause: unknown): unknown {
  if (!(cause instanceof OrreryError) || cause.kind !== "invalid") return cause;
  const what = FORMAT_NAMES[format];
  return dataErrors.DATA_FILE_CORRUPT(`${name} of source ${source.name} cannot be read as ${what}: ${cause.message}`, { cause });
}

const FORMAT_NAMES = { parquet: "parquet", csv: "csv", "json-lines": "JSON lines" } as const;

/** @returns DATA_COLUMN_MISSING with the nearest name */
export function missingColumn(
  source: SourceDefinition,
  { name, path }: Pick<ReadableDelivery, "name" | "path">,
  column: string,
  there: readonly string[],
): OrreryError {
  const nearest = nearestName(column, there);
  const guess = nearest === null ? "." : `; did you mean "${nearest}"?`;
  return dataErrors.DATA_COLUMN_MISSING(
    `${name} of source ${source.name} has no column "${column}"${guess} It has ${there.join(", ")}`,
    { details: { file: path, column, columns: there } },
  );
}
