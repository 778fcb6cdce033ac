import type { ColumnType, SourceDefinition } from "../definitions/index.ts";
import { toOrreryError } from "../errors.ts";
import type { TableEngine } from "../ports/index.ts";
import { SQL_TYPES } from "./column-sql.ts";
import { dataErrors } from "./errors.ts";
import { quoteIdentifier, quoteLiteral } from "./sql.ts";

export interface ExpressionFacts {
  /** Source columns it reads, sorted. */
  readonly columns: readonly string[];
  /** DuckDB's type of its value. */
  readonly sqlType: string;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
const isNode = (json: Json): json is { readonly [key: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json);

const REFUSED = new Map([
  ["SUBQUERY", "a subquery"],
  ["WINDOW", "a window function"],
  ["STAR", "a star"],
  ["PARAMETER", "a parameter"],
  ["LAMBDA", "a lambda"],
]);

/**
 * What a scalar expression over a source's columns reads and gives. Nothing of it is run: it is parsed to JSON, looked through,
 * and only then prepared against an empty table, so that no text can smuggle in a statement.
 * @throws DATA_EXPRESSION_INVALID
 */
export async function expressionColumns(
  engine: TableEngine,
  source: SourceDefinition,
  expression: string,
): Promise<ExpressionFacts> {
  const refuse = (why: string) => dataErrors.DATA_EXPRESSION_INVALID(`"${expression}" on source ${source.name} ${why}`);
  const node = await parseExpression(engine, expression, refuse);
  const columns = new Set<string>();
  const functions = new Set<string>();
  const visit = (json: Json): void => {
    if (Array.isArray(json)) for (const each of json) visit(each);
    if (!isNode(json)) return;
    const refused = typeof json.class === "string" ? REFUSED.get(json.class) : undefined;
    if (refused !== undefined) throw refuse(`has ${refused}`);
    if (json.class === "FUNCTION" && typeof json.function_name === "string") functions.add(json.function_name);
    if (json.class === "COLUMN_REF" && Array.isArray(json.column_names)) {
      const [name] = json.column_names;
      if (typeof name === "string") columns.add(columnNamed(source, name, refuse));
    }
    for (const each of Object.values(json)) visit(each);
  };
  visit(node);
  await refuseUnstable(engine, [...functions], refuse);
  return { columns: [...columns].sort(), sqlType: await typeOf(engine, source.contracts, expression, refuse) };
}

type Refuse = (why: string) => Error;

/** The expression's syntax tree, as the one item that `SELECT (…) FROM t` selects. */
async function parseExpression(engine: TableEngine, expression: string, refuse: Refuse): Promise<Json> {
  const [row] = await engine.rows("SELECT json_serialize_sql($1::VARCHAR) AS tree", [`SELECT (${expression}\n) FROM t`]);
  const tree = JSON.parse(String(row?.tree)) as {
    error: boolean;
    error_message?: string;
    statements?: { node: { [key: string]: Json } }[];
  };
  if (tree.error) throw refuse(`cannot be read: ${tree.error_message}`);
  const [statement, ...others] = tree.statements ?? [];
  const items = statement?.node.select_list;
  const plain =
    statement !== undefined && others.length === 0 && statement.node.where_clause === null && statement.node.qualify === null;
  if (!plain || !Array.isArray(items) || items.length !== 1) throw refuse("is not one expression");
  return items[0];
}

function columnNamed(source: SourceDefinition, name: string, refuse: Refuse): string {
  // SQL names ignore case; the source's own spelling is the name everywhere else.
  const known = Object.keys(source.contracts).find((column) => column.toLowerCase() === name.toLowerCase());
  if (known === undefined)
    throw refuse(`reads "${name}", which is not a declared column (there are ${Object.keys(source.contracts).join(", ")})`);
  return known;
}

/** Only functions whose value depends on nothing but their arguments, row by row. */
async function refuseUnstable(engine: TableEngine, names: readonly string[], refuse: Refuse): Promise<void> {
  if (names.length === 0) return;
  const bad = await engine.rows(
    `SELECT DISTINCT function_name AS name, function_type AS type, stability FROM duckdb_functions()
     WHERE function_name IN (${names.map(quoteLiteral).join(", ")})
       AND (function_type NOT IN ('scalar', 'macro') OR coalesce(stability, 'CONSISTENT') <> 'CONSISTENT')`,
  );
  const [first] = bad;
  if (first !== undefined)
    throw refuse(
      first.type === "aggregate"
        ? `has the aggregate ${first.name}`
        : `calls ${first.name}, whose value is not fixed by its arguments`,
    );
}

async function typeOf(
  engine: TableEngine,
  columns: Readonly<Record<string, { type: ColumnType }>>,
  expression: string,
  refuse: Refuse,
): Promise<string> {
  const empty = Object.entries(columns).map(([column, { type }]) => `NULL::${SQL_TYPES[type]} AS ${quoteIdentifier(column)}`);
  try {
    const [row] = await engine.rows(`SELECT any_value(typeof((${expression}\n))) AS type FROM (SELECT ${empty.join(", ")}) AS t`);
    return String(row?.type);
  } catch (error) {
    throw refuse(`does not fit the columns: ${toOrreryError(error).message}`);
  }
}
