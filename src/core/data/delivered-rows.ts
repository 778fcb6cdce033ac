import type { SourceDefinition } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { TableEngine } from "../ports/index.ts";
import { ROW } from "./column-sql.ts";
import { type CsvHeader, csvHeader, endsInQuotes } from "./csv-file.ts";
import { type DeliveredSchema, deliveredSchema, schemaAdvice } from "./delivered-schema.ts";
import type { Delivery } from "./delivery.ts";
import { dataErrors } from "./errors.ts";
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
  /** DuckDB's type of each column. */
  readonly types: ReadonlyMap<string, string>;
}

/** Of a file, which may hold more than was declared. */
export interface DeliveredFile extends DeliveredRows {
  /** How its columns differ from the declared ones; none is missing. */
  readonly schema: DeliveredSchema;
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
): Promise<DeliveredFile> {
  const declared = Object.keys(source.contracts);
  const csv = delivery.format === "csv" ? await readCsvHeader(source, delivery) : null;
  const here = await columnsOf(engine, source, delivery, csv);
  const folders = Object.entries(delivery.partition).filter(([column]) => !here.has(column));
  const types = new Map([...here, ...folders.map(([column]) => [column, "VARCHAR"] as const)]);
  const schema = deliveredSchema(source, types, delivery.format === "parquet");
  if (schema.missing.length > 0) throw missingColumns(source, delivery, schema, [...types.keys()]);
  const said = folders.map(
    ([column, value]) => `${value === null ? "NULL" : quoteLiteral(value)}::VARCHAR AS ${quoteIdentifier(column)}`,
  );
  const rows = fileRows(
    delivery,
    declared.filter((column) => here.has(column)),
    csv,
  );
  return { types, schema, relation: said.length === 0 ? rows : `(SELECT *, ${said.join(", ")} FROM ${rows})` };
}

/** Folders are read here and not by the engine, which would let them hide the file's own columns. */
function fileRows({ path, format }: ReadableDelivery, wanted: readonly string[], csv: CsvHeader | null): string {
  const files = fileList([path]);
  const numbered = (rows: string) => `(SELECT *, row_number() OVER () - 1 AS ${ROW} FROM ${rows})`;
  const texts = (names: readonly string[]) => `{${names.map((name) => `${quoteLiteral(name)}: 'VARCHAR'`).join(", ")}}`;
  switch (format) {
    case "parquet":
      return `(SELECT * EXCLUDE (file_row_number), file_row_number AS ${ROW} FROM read_parquet(${files}, file_row_number = true, hive_partitioning = false))`;
    case "csv": {
      const { delimiter, names } = csv ?? { delimiter: ",", names: [] };
      const shape = `auto_detect = false, header = true, delim = ${quoteLiteral(delimiter)}, quote = '"', escape = '"', columns = ${texts(names)}`;
      return numbered(
        `read_csv(${files}, ${shape}, nullstr = '', parallel = false, max_line_size = ${LONGEST_LINE}, compression = 'none', hive_partitioning = false)`,
      );
    }
    case "json-lines":
      return numbered(
        `read_json(${files}, format = 'newline_delimited', records = true, columns = ${texts(wanted)}, maximum_object_size = ${LONGEST_LINE}, compression = 'uncompressed', hive_partitioning = false)`,
      );
  }
}

/**
 * A CSV file's columns; one without a name or with one that another has is called by its place, which no contract can ask for.
 * @throws DATA_FILE_CORRUPT for a file that ends within a value, or names a declared column twice
 */
async function readCsvHeader(source: SourceDefinition, { name, path }: ReadableDelivery): Promise<CsvHeader> {
  const corrupt = (why: string) => dataErrors.DATA_FILE_CORRUPT(`${name} of source ${source.name} cannot be read as CSV: ${why}`);
  const header = await csvHeader(path, Object.keys(source.contracts));
  if (header === null) throw corrupt("its first line does not name its columns");
  if (header.names.some((column) => column.includes("\ufffd"))) throw corrupt("line 1 has text that is not UTF-8");
  const seen = new Set<string>();
  const names = header.names.map((column, place) => {
    const isNew = column !== "" && !seen.has(column.toLowerCase());
    if (!isNew && Object.hasOwn(source.contracts, column)) throw corrupt(`it has two columns "${column}"`);
    seen.add(column.toLowerCase());
    return isNew ? column : `__column_${place}`;
  });
  if (await endsInQuotes(path, header.delimiter)) throw corrupt("it ends in the middle of a quoted value");
  return { ...header, names };
}

/** Type of each column that the file holds. */
async function columnsOf(
  engine: TableEngine,
  source: SourceDefinition,
  delivery: ReadableDelivery,
  csv: CsvHeader | null,
): Promise<ReadonlyMap<string, string>> {
  if (csv !== null) return new Map(csv.names.map((name) => [name, "VARCHAR"]));
  try {
    if (delivery.format === "json-lines") return await jsonColumns(engine, source, delivery);
    const described = await engine.rows(`DESCRIBE SELECT * EXCLUDE (${ROW}) FROM ${fileRows(delivery, [], null)}`);
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
  const why = format === "csv" ? csvProblem(cause) : format === "json-lines" ? jsonProblem(cause) : cause.message;
  const message = `${name} of source ${source.name} cannot be read as ${what}: ${why}`;
  // The engine's own answer quotes a text file's lines, and a cause is told with its error.
  return dataErrors.DATA_FILE_CORRUPT(message, format === "parquet" ? { cause } : {});
}

const FORMAT_NAMES = { parquet: "Parquet", csv: "CSV", "json-lines": "JSON lines" } as const;

/** The line and the reason of the engine's long answer, without the line's own text: it may be anybody's. */
function csvProblem({ message, cause }: OrreryError): string {
  const answer = cause instanceof Error ? cause.message : message;
  const line = /CSV Error on Line: (\d+)/.exec(answer)?.[1];
  const [, expected, found] = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(answer) ?? [];
  const why =
    expected !== undefined
      ? `${found} values for ${expected} columns`
      : /unterminated quote/.test(answer)
        ? "a quote that neither ends its value nor is doubled"
        : /not utf-8/i.test(answer)
          ? "text that is not UTF-8"
          : /Maximum line size/.test(answer)
            ? `more than ${LONGEST_LINE} bytes`
            : /invalid state/.test(answer)
              ? "quotes or line ends that are not those of RFC 4180"
              : message;
  return line === undefined ? why : `line ${line} has ${why}`;
}

/** As of CSV. */
function jsonProblem({ message, cause }: OrreryError): string {
  const answer = cause instanceof Error ? cause.message : message;
  const [, otherLine, found] = /in line (\d+): Expected OBJECT, but got ([A-Z]+)/.exec(answer) ?? [];
  if (otherLine !== undefined) return `line ${otherLine} is ${JSON_KINDS[found] ?? "a number"} and no object`;
  // The engine counts the lines of malformed JSON from two.
  const [, nextLine, why] = /Malformed JSON .* in line (\d+): ([a-zA-Z0-9 -]+)/.exec(answer) ?? [];
  if (nextLine !== undefined) return `line ${Number(nextLine) - 1} is no JSON: ${why.trim()}`;
  const twice = /duplicate key "[^"]*"/i.exec(answer)?.[0];
  if (twice !== undefined) return `a line has a ${twice}`;
  if (/surrogate/i.test(answer)) return "a line has half a surrogate pair";
  return /maximum_object_size/.test(answer) ? `a line has more than ${LONGEST_LINE} bytes` : "a line is no JSON object";
}

const JSON_KINDS: Readonly<Record<string, string>> = {
  ARRAY: "an array",
  VARCHAR: "a text",
  BOOLEAN: "a boolean",
  NULL: "null",
};

/** @returns DATA_COLUMN_MISSING with all that is other than declared, and what to write for it */
export function missingColumns(
  source: SourceDefinition,
  { name, path }: Pick<ReadableDelivery, "name" | "path">,
  schema: DeliveredSchema,
  there: readonly string[],
): OrreryError {
  const { missing, undeclared, retyped } = schema;
  const [first] = missing;
  const guess = first.perhaps === null ? "." : `; did you mean "${first.perhaps}"?`;
  const listed = missing.map(({ column, perhaps }) => `"${column}"${perhaps === null ? "" : ` (perhaps "${perhaps}" now)`}`);
  const lacks = missing.length === 1 ? `column "${first.column}"${guess}` : `columns ${listed.join(", ")}.`;
  const other = retyped.map(({ column, declared, delivered }) => ` "${column}" is ${delivered} instead of ${declared}.`).join("");
  return dataErrors.DATA_COLUMN_MISSING(`${name} of source ${source.name} has no ${lacks}${other} It has ${there.join(", ")}`, {
    hint: schemaAdvice(schema),
    details: { file: path, column: first.column, columns: there, missing, undeclared, retyped },
  });
}
