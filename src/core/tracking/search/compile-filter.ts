import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { MetadataStore } from "../../ports/index.ts";
import type { Scope } from "../../scope.ts";
import type { Condition, NumberOperator, Subject, Test, TextOperator } from "./check-filter.ts";
import {
  type Attribute,
  type DatasetField,
  type Entity,
  hasPrompts,
  type KeyedRoom,
  type KeyedTable,
  PROMPT_TAG,
} from "./entities.ts";
import type { DatasetChoice } from "./interfaces.ts";

export type Sql = RawBuilder<SqlBool>;

export interface Target {
  readonly entity: Entity;
  readonly engine: MetadataStore["engine"];
  readonly scope: Scope;
  /** Which data sets' metrics count, of logged models; all when empty. */
  readonly datasets: readonly DatasetChoice[];
  /**
   * A table that is gone through first and has the entity's key too: what is looked up by the key is looked up from there, so that
   * only rows that fulfil their conditions on it cost a look at the entity.
   */
  readonly driver?: Driver;
}

export interface Driver {
  readonly table: string;
  readonly alias: string;
  /** Its columns that hold the entity's key. */
  readonly owner: KeyedTable["owner"];
}

/** A column of the entity's key. */
function keyColumn(parent: string, { entity, driver }: Target): RawBuilder<unknown> {
  const held = driver?.owner.find(([, of]) => of === parent)?.[0];
  return sql.ref(held === undefined ? `${entity.table}.${parent}` : `${driver?.alias}.${held}`);
}

/**
 * A column that is no reason to choose an index. SQLite chooses without knowing how many rows an index leaves; PostgreSQL knows,
 * and would no longer if the column were hidden from it.
 */
export const withoutIndex = (column: RawBuilder<unknown>, { engine }: Target): RawBuilder<unknown> =>
  engine === "sqlite" ? sql`+${column}` : column;

export const TRUE: Sql = sql`(1 = 1)`;
export const FALSE: Sql = sql`(1 = 0)`;

/**
 * Every comparison is true or false, never null: of something that is missing it is false, and its NOT is true. Texts and numbers of
 * the filter are parameters; what stands in the SQL itself comes from entities.ts.
 */
export function compileCondition(condition: Condition, target: Target): Sql {
  switch (condition.kind) {
    case "and":
    case "or":
      return all(
        condition.parts.map((part) => compileCondition(part, target)),
        condition.kind,
      );
    case "not":
      return sql`(not ${compileCondition(condition.part, target)})`;
    case "test":
      return testOfSubject(condition.subject, condition.test, target);
  }
}

export function all(parts: readonly Sql[], by: "and" | "or" = "and"): Sql {
  const telling = by === "and" ? parts.filter((part) => part !== TRUE) : parts;
  if (telling.length === 0) return by === "and" ? TRUE : FALSE;
  return sql`(${sql.join(telling, by === "and" ? sql` and ` : sql` or `)})`;
}

function testOfSubject(subject: Subject, test: Test, target: Target): Sql {
  if (subject.of === "attribute") return attributeTest(subject.attribute, test);
  if (subject.of === "dataset") return datasetTest(subject.field, test, target);
  return keyedTest(subject.of, subject.key, test, target);
}

function attributeTest(attribute: Attribute, test: Test): Sql {
  const { value, nullable } = attribute;
  if (test.kind === "null") {
    if (!nullable) return test.missing ? FALSE : TRUE;
    return test.missing ? sql`${value} is null` : sql`${value} is not null`;
  }
  const holds = attribute.type === "text" ? textTest(value, test) : wholeTest(attribute.value, test, attribute.unit);
  return nullable ? sql`(${value} is not null and ${holds})` : holds;
}

function keyedTest(room: KeyedRoom, key: string, test: Test, target: Target): Sql {
  const child = target.entity.rooms[room];
  if (child === undefined) return FALSE;
  if (room === "tag" && key === PROMPT_TAG && hasPrompts(target.entity)) return promptTest(child, test, target);
  const row = (holds: Sql) => sql<SqlBool>`exists (${childRow(child, key, target)} and ${holds})`;
  const counts = room === "metric" ? onDatasets(child, target.datasets) : TRUE;
  if (test.kind === "null") return test.missing ? sql`(not ${row(counts)})` : row(counts);
  const value = sql.ref<number | string>(`${child.table}.value`);
  if (room === "metric") {
    // The row is looked up by its key for each entity, and not in the index of values, which SQLite sometimes prefers.
    const isNan = withoutIndex(sql.ref(`${child.table}.is_nan`), target);
    return row(all([metricTest(value, isNan, test), counts]));
  }
  return row(textTest(value, test));
}

/** select 1 from the child where it is this entity's and has the key: the beginning of a statement that goes on with "and". */
function childRow({ table, owner }: KeyedTable, key: string, target: Target) {
  const { workspace, project } = target.scope;
  const column = (name: string) => sql.ref(`${table}.${name}`);
  const owns = owner.map(([child, parent]) => sql`${column(child)} = ${keyColumn(parent, target)}`);
  return sql`select 1 from ${sql.table(table)}
    where ${column("workspace")} = ${workspace} and ${column("project")} = ${project}
    and ${sql.join(owns, sql` and `)} and ${column("key")} = ${key}`;
}

function promptTest(child: KeyedTable, test: Test, target: Target): Sql {
  const tagged = sql<SqlBool>`exists (${childRow(child, PROMPT_TAG, target)} and ${test.kind === "null" ? TRUE : textTest(sql.ref(`${child.table}.value`), test)})`;
  if (test.kind === "null") return test.missing ? sql`(not ${tagged})` : tagged;
  const withoutTag =
    test.kind === "text" &&
    ((test.operator === "=" && test.text === "false") || (test.operator === "!=" && test.text === "true"));
  return withoutTag ? sql`(${tagged} or not exists (${childRow(child, PROMPT_TAG, target)}))` : tagged;
}

/** Not one of the prompts, which are models of their own kind. */
export const noPrompt = (target: Target): Sql =>
  keyedTest("tag", PROMPT_TAG, { kind: "text", operator: "!=", text: "true" }, target);

export function onDatasets({ table }: KeyedTable, datasets: readonly DatasetChoice[]): Sql {
  if (datasets.length === 0) return TRUE;
  const [name, digest] = [sql.ref(`${table}.dataset_name`), sql.ref(`${table}.dataset_digest`)];
  return all(
    datasets.map((each) =>
      all([
        each.name === undefined ? TRUE : sql<boolean>`${name} = ${each.name}`,
        each.digest === undefined ? TRUE : sql<boolean>`${digest} = ${each.digest}`,
      ]),
    ),
    "or",
  );
}

/** True of a run when it is true of one of its data sets. */
function datasetTest(field: DatasetField, test: Test, { engine, scope }: Target): Sql {
  const context =
    engine === "postgres"
      ? sql<string | null>`(run_datasets.tags::json ->> 'mlflow.data.context')`
      : sql<string | null>`json_extract(run_datasets.tags, '$."mlflow.data.context"')`;
  const value = field === "context" ? context : sql.ref<string>(`run_datasets.${field}`);
  const one = (holds: Sql) => sql<SqlBool>`exists (select 1 from run_datasets
    where run_datasets.workspace = ${scope.workspace} and run_datasets.project = ${scope.project}
    and run_datasets.run_id = runs.id and ${value} is not null and ${holds})`;
  if (test.kind === "null") return test.missing ? sql`(not ${one(TRUE)})` : one(TRUE);
  return one(textTest(value, test));
}

/** Of a metric that is there. NaN differs from every number, and is neither greater nor less nor between. */
export function metricTest(value: RawBuilder<unknown>, isNan: RawBuilder<unknown>, test: Test): Sql {
  const [nan, number] = [sql<SqlBool>`${isNan} = 1`, sql<SqlBool>`${isNan} = 0`];
  if (test.kind === "between") {
    const outside = sql<SqlBool>`(${value} < ${test.low} or ${value} > ${test.high})`;
    return test.within ? sql`(${number} and ${value} >= ${test.low} and ${value} <= ${test.high})` : sql`(${nan} or ${outside})`;
  }
  if (test.kind !== "number") return FALSE;
  if (Number.isNaN(test.number)) return test.operator === "=" ? nan : number;
  const compared = sql<SqlBool>`${value} ${comparison(test.operator)} ${test.number}`;
  return test.operator === "!=" ? sql`(${nan} or ${compared})` : sql`(${number} and ${compared})`;
}

function textTest(value: RawBuilder<unknown>, test: Test): Sql {
  if (test.kind === "texts") {
    const list = sql.join(test.texts);
    return test.within ? sql`${value} in (${list})` : sql`${value} not in (${list})`;
  }
  return test.kind === "text" ? oneTextTest(value, test.operator, test.text) : FALSE;
}

function oneTextTest(value: RawBuilder<unknown>, operator: TextOperator, text: string): Sql {
  switch (operator) {
    case "=":
      return sql`${value} = ${text}`;
    case "!=":
      return sql`${value} <> ${text}`;
    case "LIKE":
    case "NOT LIKE":
    case "ILIKE":
    case "NOT ILIKE": {
      const any = operator.endsWith("ILIKE");
      const [left, right] = any ? [sql`lower(${value})`, lowerAscii(likePattern(text))] : [value, likePattern(text)];
      const like = sql<SqlBool>`${left} like ${right} escape '\\'`;
      return operator.startsWith("NOT") ? sql`(not ${like})` : like;
    }
  }
}

/** Both databases' lower() of such columns changes these letters alone. */
const lowerAscii = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** A backslash takes the meaning from %, _ and itself; before anything else, or at the end, it stands for itself. */
export const likePattern = (text: string): string => text.replace(/\\[%_\\]|\\/g, (found) => (found === "\\" ? "\\\\" : found));

/** Greatest whole number that both databases and JavaScript keep exactly; no time and no version comes near. */
const FAR = Number.MAX_SAFE_INTEGER;
const bounded = (number: number): number => Math.min(FAR, Math.max(-FAR, number));

/** Compares floor(column / unit), with the arithmetic on the filter's side so that an index can serve. */
function wholeTest(value: RawBuilder<unknown>, test: Test, unit: number): Sql {
  const least = (number: number) => bounded(Math.ceil(number) * unit);
  const beyond = (number: number) => bounded((Math.floor(number) + 1) * unit);
  if (test.kind === "between") {
    const within = sql<SqlBool>`(${value} >= ${least(test.low)} and ${value} < ${beyond(test.high)})`;
    return test.within ? within : sql`(not ${within})`;
  }
  if (test.kind !== "number") return FALSE;
  const { operator, number } = test;
  switch (operator) {
    case "<":
      return sql`${value} < ${least(number)}`;
    case ">=":
      return sql`${value} >= ${least(number)}`;
    case "<=":
      return sql`${value} < ${beyond(number)}`;
    case ">":
      return sql`${value} >= ${beyond(number)}`;
    case "=":
    case "!=": {
      const equal = Number.isInteger(number)
        ? sql<SqlBool>`(${value} >= ${least(number)} and ${value} < ${beyond(number)})`
        : FALSE;
      return operator === "=" ? equal : sql`(not ${equal})`;
    }
  }
}

function comparison(operator: NumberOperator): RawBuilder<unknown> {
  switch (operator) {
    case "=":
      return sql`=`;
    case "!=":
      return sql`<>`;
    case ">":
      return sql`>`;
    case ">=":
      return sql`>=`;
    case "<":
      return sql`<`;
    case "<=":
      return sql`<=`;
  }
}
