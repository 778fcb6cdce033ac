import type { ColumnType, SourceDefinition } from "../definitions/index.ts";
import { type OrreryError, toOrreryError } from "../errors.ts";
import type { TableEngine } from "../ports/index.ts";
import { SQL_TYPES } from "./column-sql.ts";
import { dataErrors } from "./errors.ts";
import { nearestName } from "./nearest-name.ts";
import { quoteIdentifier, quoteLiteral } from "./sql.ts";

export interface ExpressionFacts {
  /** Source columns it reads, sorted. */
  readonly columns: readonly string[];
  /** DuckDB's type of its value. */
  readonly sqlType: string;
}

type Json = null | boolean | number | string | readonly Json[] | JsonObject;
type JsonObject = { readonly [key: string]: Json };
const isList = (json: Json | undefined): json is readonly Json[] => Array.isArray(json);
const isObject = (json: Json | undefined): json is JsonObject => typeof json === "object" && json !== null && !isList(json);

/** Classes of DuckDB's syntax tree that a scalar expression cannot have. */
const REFUSED: Readonly<Record<string, string>> = {
  SUBQUERY: "has a subquery",
  WINDOW: "has a window function",
  STAR: "has a star",
  PARAMETER: "has a parameter",
  LAMBDA: "has a lambda",
  DEFAULT: "asks for a default",
  POSITIONAL_REFERENCE: "names a column by its place",
};

/** Functions that make several rows of one, or read what is not in the row. */
const NOT_SCALAR = new Set(["unnest", "generate_subscripts", "getvariable", "current_setting", "getenv", "nextval", "currval"]);

type Refuse = (why: string) => OrreryError;

/**
 * What a scalar expression over a source's columns reads and gives. Nothing of it is run: it is parsed to JSON, looked through,
 * and only then described against an empty table, so that no text can smuggle in a statement. What is accepted stays one
 * expression wherever it is put between parentheses.
 * @throws DATA_EXPRESSION_INVALID
 */
export async function expressionColumns(
  engine: TableEngine,
  source: SourceDefinition,
  expression: string,
): Promise<ExpressionFacts> {
  const refuse = refusal(expression, `source ${source.name}`);
  const columns = new Set<string>();
  for (const name of await references(engine, expression, refuse)) columns.add(columnNamed(source, name, refuse));
  return { columns: [...columns].sort(), sqlType: await typeOf(engine, source.contracts, expression, refuse) };
}

/**
 * The names that a scalar expression reads, as written ("view.feature" in two parts), where they are no source's columns.
 * @throws DATA_EXPRESSION_INVALID
 */
export const expressionNames = (engine: TableEngine, expression: string): Promise<(readonly string[])[]> =>
  references(engine, expression, refusal(expression, "features"));

const refusal =
  (expression: string, over: string): Refuse =>
  (why) =>
    dataErrors.DATA_EXPRESSION_INVALID(`"${expression}" on ${over} ${why}`);

async function references(engine: TableEngine, expression: string, refuse: Refuse): Promise<(readonly string[])[]> {
  if (expression.trim() === "") throw refuse("is empty");
  // With parentheses on one line a comment would swallow the last; without them it must stand on its own, balanced.
  const node = await parseExpression(engine, `(${expression})`, refuse);
  await parseExpression(engine, expression, refuse);
  const names: (readonly string[])[] = [];
  const functions = new Set<string>();
  for (const part of objectsIn(node)) {
    const { class: kind, function_name: name, column_names: parts } = part;
    if (typeof kind === "string" && REFUSED[kind] !== undefined) throw refuse(REFUSED[kind]);
    if (kind === "FUNCTION" && typeof name === "string") functions.add(name.toLowerCase());
    if (kind === "COLUMN_REF") names.push(isList(parts) ? parts.map(String) : []);
  }
  await refuseUnstable(engine, [...functions], refuse);
  return names;
}

function* objectsIn(json: Json | undefined): Generator<JsonObject> {
  if (isList(json)) for (const item of json) yield* objectsIn(item);
  if (!isObject(json)) return;
  yield json;
  for (const value of Object.values(json)) yield* objectsIn(value);
}

/** The syntax tree of the one item that `SELECT … FROM t` selects. */
async function parseExpression(engine: TableEngine, expression: string, refuse: Refuse): Promise<JsonObject> {
  const [row] = await engine.rows("SELECT json_serialize_sql($1::VARCHAR) AS tree", [`SELECT ${expression} FROM t`]);
  const tree: Json = JSON.parse(String(row?.tree));
  if (!isObject(tree) || tree.error === true) {
    throw refuse(`cannot be read: ${isObject(tree) ? String(tree.error_message).split("\n", 1)[0] : "no tree"}`);
  }
  const [statement, ...others] = isList(tree.statements) ? tree.statements : [];
  const select = isObject(statement) ? statement.node : undefined;
  const items = isObject(select) ? select.select_list : undefined;
  const isPlain = isObject(select) && EMPTY_CLAUSES.every((clause) => isEmpty(select[clause]));
  const [item, ...more] = isList(items) ? items : [];
  if (others.length > 0 || !isPlain || !isObject(item) || more.length > 0) throw refuse("is not one expression");
  if (item.alias !== "") throw refuse("gives itself a name");
  return item;
}

/** What a select may have beside its list and its table; none of it may come out of an expression. */
const EMPTY_CLAUSES = ["where_clause", "group_expressions", "having", "qualify", "sample", "modifiers"];
const isEmpty = (json: Json | undefined) => json === undefined || json === null || (isList(json) && json.length === 0);

function columnNamed(source: SourceDefinition, parts: readonly string[], refuse: Refuse): string {
  const [name = ""] = parts;
  const columns = Object.keys(source.contracts);
  // SQL names ignore case; the source's own spelling is the name everywhere else.
  const known = columns.find((column) => column.toLowerCase() === name.toLowerCase());
  if (known !== undefined && parts.length === 1) return known;
  const nearest = nearestName(parts.join("."), columns);
  const guess = nearest === null ? ` (there are ${columns.join(", ")})` : `; did you mean "${nearest}"?`;
  throw refuse(`reads "${parts.join(".")}", which is not a declared column${guess}`);
}

/** Only functions whose value depends on nothing but their arguments, row by row. */
async function refuseUnstable(engine: TableEngine, names: readonly string[], refuse: Refuse): Promise<void> {
  const special = names.find((name) => NOT_SCALAR.has(name));
  if (special !== undefined) throw refuse(`calls ${special}, whose value is not fixed by the row`);
  if (names.length === 0) return;
  const [first] = await engine.rows(
    `SELECT DISTINCT function_name AS name, function_type AS type FROM duckdb_functions()
     WHERE lower(function_name) IN (${names.map(quoteLiteral).join(", ")})
       AND (function_type NOT IN ('scalar', 'macro') OR coalesce(stability, 'CONSISTENT') <> 'CONSISTENT')
     ORDER BY ALL`,
  );
  if (first === undefined) return;
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
    const [row] = await engine.rows(`DESCRIBE SELECT (${expression}) AS value FROM (SELECT ${empty.join(", ")}) AS t`);
    return String(row?.column_type);
  } catch (error) {
    throw refuse(`does not fit the columns: ${toOrreryError(error).message}`);
  }
}
