import { quoteIdentifier, timestampLiteral } from "../data/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { type AskTable, fieldColumn, temporaryTable } from "./ask-table.ts";
import type { CompiledView } from "./compile-view.ts";
import { joinLatest, type SourceRelation } from "./join-latest.ts";
import { latestInOrder, passesInOrder } from "./latest-in-order.ts";
import { type Asks, joinView } from "./point-in-time.ts";
import { inAskedOrder, type TimedAsks } from "./timed-asks.ts";
import { columnOf, type FeatureArray, numbersOf, readViewRows, viewRowColumns } from "./view-rows.ts";

/** What decides how a view is joined; measured in docs/decisions/point-in-time-joins.md. */
export interface JoinLimits {
  /** A source with fewer rows is swept whatever else: joins take longer to prepare than they save. */
  readonly joinedFrom: number;
  /** Likewise for latest values that are told while rows pass in order of time, where asks meet more. */
  readonly passedFrom: number;
  /** Joins are for latest values where asks meet at most so many times the rows that a sweep would read. */
  readonly mostMeetings: number;
  /** More rows than these are not held at once: a sweep takes the entities in several turns. */
  readonly sweptAtOnce: number;
}

const LIMITS: JoinLimits = { joinedFrom: 200_000, passedFrom: 200_000, mostMeetings: 10, sweptAtOnce: 8_000_000 };

export interface SourceRows extends SourceRelation {
  /** At most so many are in it. */
  readonly rows: number;
}

/**
 * Each feature's values at each ask, in the asks' order: latest values by joins in the engine where an entity has few rows, while
 * rows pass in the order of their events where they lie so, all else by a sweep over time. All give the same.
 *
 * @param timed the asks' times
 */
export async function joinTables(
  engine: TableEngine,
  view: CompiledView,
  source: SourceRows,
  asks: AskTable,
  timed: () => Promise<TimedAsks>,
  limits: JoinLimits = LIMITS,
): Promise<Map<string, FeatureArray>> {
  const hasLatest = view.classes.some(({ latest }) => latest.length > 0);
  const withoutLatest = { ...view, classes: view.classes.map((each) => ({ ...each, latest: [] })) };
  const isJoined = hasLatest && view.keys.length > 0 && (await areJoined(engine, view, source, asks, limits));
  const joined = isJoined ? await joinLatest(engine, view, source, asks) : null;
  if (joined !== null && view.longestWindow === 0) return joined;
  const times = await timed();
  const passed = hasLatest && joined === null ? await joinInOrder(engine, view, source, asks, times, limits) : null;
  const isLeft = joined === null && passed === null;
  const swept =
    isLeft || view.longestWindow > 0
      ? await sweep(engine, isLeft ? view : withoutLatest, source, asks, times, limits)
      : new Map<string, FeatureArray>();
  return new Map([...(joined ?? []), ...inAskedOrder(new Map([...(passed ?? []), ...swept]), times)]);
}

/** Latest values by one pass over time, where the source allows it; null where it does not. */
async function joinInOrder(
  engine: TableEngine,
  view: CompiledView,
  source: SourceRows,
  asks: AskTable,
  { at }: TimedAsks,
  { passedFrom }: JoinLimits,
): Promise<Map<string, FeatureArray> | null> {
  const { relation, versions, inOrder, rows } = source;
  if (!inOrder || versions || rows < passedFrom || asks.rows === 0 || !passesInOrder(view)) return null;
  return await latestInOrder(engine, view, `FROM ${relation}${timeBounds(view, at)}`, asks, at);
}

/** One row in so many is looked at. */
const SAMPLED = 64;

/** Whether asks meet few rows in a join. Sampled, since one entity with many rows and many asks outweighs all others. */
async function areJoined(
  engine: TableEngine,
  view: CompiledView,
  { relation, rows }: SourceRows,
  asks: AskTable,
  { joinedFrom, mostMeetings }: JoinLimits,
): Promise<boolean> {
  if (rows < joinedFrom) return false;
  const sampled = `SELECT ${keyColumns(view, asks)} FROM ${relation} WHERE __row % ${SAMPLED} = 0`;
  const asked = askedKeys(view, asks);
  // Grouped first: a join of a hundred thousand rows with as many asks of one entity would not end.
  const [{ meetings = 0 } = {}] = await engine.rows(
    `SELECT CAST(coalesce(sum(rows), 0) AS DOUBLE) * ${SAMPLED} AS meetings
     FROM ${asks.name} JOIN (SELECT ${asked}, count(*) AS rows FROM (${sampled}) GROUP BY ALL) USING (${asked})`,
  );
  return Number(meetings) <= mostMeetings * (rows + asks.rows);
}

/** A view's keys under the names that asks have them by. */
const askedKeys = (view: CompiledView, asks: AskTable): string => view.fields.map((field) => fieldColumn(asks, field)).join(", ");
const keyColumns = (view: CompiledView, asks: AskTable): string =>
  view.keys.map((key, index) => `${quoteIdentifier(key)} AS ${fieldColumn(asks, view.fields[index] ?? key)}`).join(", ");

async function sweep(
  engine: TableEngine,
  view: CompiledView,
  source: SourceRows,
  asks: AskTable,
  { at, ranks }: TimedAsks,
  { sweptAtOnce }: JoinLimits,
): Promise<Map<string, FeatureArray>> {
  if (view.keys.length === 0) {
    const rows = readViewRows(view, await engine.query(rowsOf(view, source, at, "")));
    return joinView(view, rows, new Int32Array(rows.rows), { entities: 1, entity: new Int32Array(asks.rows), at });
  }
  const keys = askedKeys(view, asks);
  const codes = temporaryTable("keys");
  const isKnown = view.fields.map((field) => `${fieldColumn(asks, field)} IS NOT NULL`).join(" AND ");
  await engine.run(
    `CREATE TEMP TABLE ${codes} AS SELECT CAST(row_number() OVER () - 1 AS INTEGER) AS code, *
     FROM (SELECT DISTINCT ${keys} FROM ${asks.name} WHERE ${isKnown})`,
  );
  try {
    const [{ entities: found = 0 } = {}] = await engine.rows(`SELECT count(*) AS entities FROM ${codes}`);
    const entities = Number(found);
    const coded = await engine.query(
      `SELECT CAST(__ordinal AS INTEGER) AS ordinal, code FROM ${asks.name} JOIN ${codes} USING (${keys})`,
    );
    const entity = new Int32Array(asks.rows).fill(-1);
    const code = numbersOf(columnOf(coded, "code"));
    numbersOf(columnOf(coded, "ordinal")).forEach((ordinal, index) => {
      entity[ranks === null ? ordinal : ranks[ordinal]] = code[index];
    });
    const turns = Math.max(1, Math.ceil(source.rows / sweptAtOnce));
    const turn = async (number: number, asked: Asks) => {
      const known = turns === 1 ? codes : `(SELECT * FROM ${codes} WHERE code % ${turns} = ${number})`;
      const rows = await engine.query(
        `SELECT known.code, seen.* EXCLUDE (${keys}) FROM (${rowsOf(view, source, at, keyColumns(view, asks))}) AS seen
         JOIN ${known} AS known USING (${keys})`,
      );
      return joinView(view, readViewRows(view, rows), Int32Array.from(numbersOf(columnOf(rows, "code"))), asked);
    };
    if (turns === 1) return await turn(0, { entities, entity, at });
    const parts: { readonly ordinals: Int32Array; readonly values: Map<string, FeatureArray> }[] = [];
    for (let number = 0; number < turns; number++) {
      // Asks about nobody known are in the first turn, which gives what there is without rows.
      const ordinals = Int32Array.from(entity.keys().filter((ordinal) => Math.max(0, entity[ordinal]) % turns === number));
      const asked = {
        entities,
        entity: ordinals.map((ordinal) => entity[ordinal]),
        at: Float64Array.from(ordinals, (each) => at[each]),
      };
      parts.push({ ordinals, values: await turn(number, asked) });
    }
    return together(parts, asks.rows);
  } finally {
    await engine.run(`DROP TABLE ${codes}`);
  }
}

/** Values of several turns, each at its asks' places. */
function together(
  parts: readonly { readonly ordinals: Int32Array; readonly values: Map<string, FeatureArray> }[],
  rows: number,
): Map<string, FeatureArray> {
  const joined = new Map<string, FeatureArray>();
  const [first] = parts;
  for (const name of first?.values.keys() ?? []) {
    const columns = parts.flatMap(({ ordinals, values }) => {
      const column = values.get(name);
      return column === undefined ? [] : [{ ordinals, column }];
    });
    joined.set(name, scattered(columns, rows));
  }
  return joined;
}

function scattered(
  parts: readonly { readonly ordinals: Int32Array; readonly column: FeatureArray }[],
  rows: number,
): FeatureArray {
  const placed = (valuesOf: (column: FeatureArray) => Float64Array | null) => {
    const whole = new Float64Array(rows);
    for (const { ordinals, column } of parts) {
      const values = valuesOf(column);
      if (values !== null) for (const [place, ordinal] of ordinals.entries()) whole[ordinal] = values[place];
    }
    return whole;
  };
  const [first] = parts;
  if (first === undefined) return { type: "float64", values: new Float64Array(rows).fill(Number.NaN) };
  const { type } = first.column;
  if (type === "string") {
    const whole = new Array<string | null>(rows).fill(null);
    for (const { ordinals, column } of parts)
      if (column.type === "string") for (const [place, ordinal] of ordinals.entries()) whole[ordinal] = column.values[place];
    return { type, values: whole };
  }
  const values = placed((column) => (column.type === "string" ? null : column.values));
  if (type !== "int64") return { type, values };
  const hasRest = parts.some(({ column }) => column.type === "int64" && column.rest !== undefined);
  return hasRest
    ? { type, values, rest: placed((column) => (column.type === "int64" ? (column.rest ?? null) : null)) }
    : { type, values };
}

/** The source's rows as the sweep reads them, keys first; rows that no ask can see are left out. */
const rowsOf = (view: CompiledView, { relation, versions }: SourceRelation, at: Float64Array, keys: string): string =>
  `SELECT ${keys === "" ? "" : `${keys}, `}${viewRowColumns(view, versions)} FROM ${relation}${timeBounds(view, at)}`;

function timeBounds(view: CompiledView, at: Float64Array): string {
  if (view.eventTime === null || at.length === 0) return "";
  const event = quoteIdentifier(view.eventTime);
  const bounds = [`${event} <= ${timestampLiteral(at[at.length - 1])}`];
  const reach = view.classes.some(({ latest }) => latest.length > 0) ? (view.ttl ?? Number.POSITIVE_INFINITY) : 0;
  const oldest = at[0] - Math.max(reach, view.longestWindow);
  if (Number.isFinite(oldest)) bounds.push(`${event} >= ${timestampLiteral(oldest)}`);
  return ` WHERE ${bounds.join(" AND ")}`;
}
