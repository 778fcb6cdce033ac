import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Database } from "../../ports/index.ts";
import { trackingErrors } from "../errors.ts";
import type { View } from "../interfaces.ts";
import { type Condition, checkFilter } from "./check-filter.ts";
import { all, compileCondition, noPrompt, type Sql, type Target } from "./compile-filter.ts";
import { type Entity, hasPrompts, PROMPT_TAG } from "./entities.ts";
import { after, type SortTerm, sortTerm } from "./order-sql.ts";
import { parseFilter } from "./parse-filter.ts";
import type { OrderTerm } from "./parse-order.ts";
import { type Asked, digestsOf, type Position, readSearchCursor, type TermPosition, writeSearchCursor } from "./search-cursor.ts";

/** A row's keys, in the order of the entity's, and where it stands. */
export interface FoundRow {
  readonly keys: readonly unknown[];
  readonly position: Position;
}

/** The filter as conditions that all must hold. @throws TRACKING_FILTER_INVALID */
export function conditionsOf(filter: string | undefined, entity: Entity): readonly Condition[] {
  const tree = parseFilter(filter ?? "");
  return tree === null ? [] : conjuncts(checkFilter(filter ?? "", tree, entity));
}

const conjuncts = (condition: Condition): readonly Condition[] =>
  condition.kind === "and" ? condition.parts.flatMap(conjuncts) : [condition];

export const compileConditions = (conditions: readonly Condition[], target: Target): readonly Sql[] => [
  ...conditions.map((condition) => compileCondition(condition, target)),
  ...(hasPrompts(target.entity) && !conditions.some(asksForPrompts) ? [noPrompt(target)] : []),
];

function asksForPrompts(condition: Condition): boolean {
  if (condition.kind === "test") return condition.subject.of === "tag" && condition.subject.key === PROMPT_TAG;
  return condition.kind === "not" ? asksForPrompts(condition.part) : condition.parts.some(asksForPrompts);
}

/** Of the project, in the view. */
export function withinScope({ entity, scope }: Target, view: View): readonly Sql[] {
  const column = (name: string) => sql.ref(`${entity.table}.${name}`);
  return [
    sql`${column("workspace")} = ${scope.workspace}`,
    sql`${column("project")} = ${scope.project}`,
    view === "all" ? sql`${column("lifecycle")} in ('active', 'deleted')` : sql`${column("lifecycle")} = ${view}`,
  ];
}

/** A page of a query whose rows come in the order of the terms; with a driver, in whose order the terms should begin. */
export interface RowQuery {
  readonly target: Target;
  readonly conditions: readonly Sql[];
  readonly terms: readonly SortTerm[];
  /** Rows after it; from the first when null. */
  readonly position: Position | null;
  readonly limit: number;
}

export const sortTerms = (order: readonly OrderTerm[], target: Target): readonly SortTerm[] =>
  order.map((term, place) => sortTerm(term, place, target));

type AnyTable = Record<string, unknown>;

export async function findRows(db: Kysely<Database>, query: RowQuery): Promise<readonly FoundRow[]> {
  const { target, terms, position } = query;
  const { entity, driver } = target;
  const table = (name: string, alias: string) => sql<AnyTable>`${sql.table(name)}`.as(alias);
  const base =
    driver === undefined
      ? db.selectFrom(table(entity.table, entity.table))
      : // SQLite goes through the tables of a cross join in their order.
        db.selectFrom(table(driver.table, driver.alias)).crossJoin(table(entity.table, entity.table));
  const conditions = [...query.conditions, ...(position === null ? [] : [after(terms, position)])];
  const selected = [
    ...entity.key.map(({ attribute }, place) => keyValue(entity, attribute).as(`k${place}`)),
    ...terms.flatMap(({ value, rank }, place) => [value.as(`v${place}`), ...(rank === null ? [] : [rank.as(`r${place}`)])]),
  ];
  let rows = base.select(selected).where(all(conditions)).limit(query.limit);
  for (const { join } of terms)
    if (join !== null && join.alias !== driver?.alias)
      rows = rows.leftJoin(table(join.table, join.alias), (on) => on.on(join.on));
  for (const { value, rank, descending } of terms) {
    if (rank !== null) rows = rows.orderBy(rank);
    rows = rows.orderBy(value, descending ? "desc" : "asc");
  }
  const found: readonly AnyTable[] = await rows.execute();
  return found.map((row) => ({
    keys: entity.key.map((_, place) => row[`k${place}`]),
    position: terms.map(({ rank }, place) => termPosition(row[`v${place}`], rank === null ? 0 : row[`r${place}`])),
  }));
}

function keyValue(entity: Entity, attribute: string): RawBuilder<unknown> {
  const found = entity.attributes[attribute];
  if (found === undefined) throw new TypeError(`the key ${attribute} is no attribute`);
  return found.value;
}

function termPosition(value: unknown, rank: unknown): TermPosition {
  if (rank === 1) return { rank, value: null };
  return rank === 2 || (typeof value !== "string" && typeof value !== "number") ? { rank: 2, value: null } : { rank: 0, value };
}

/** Finds up to `limit` rows after a position. */
export type FindRows = (position: Position | null, limit: number) => Promise<readonly FoundRow[]>;

/**
 * One page by key: rows that are added meanwhile neither repeat nor skip any.
 * @throws TRACKING_CURSOR_INVALID, TRACKING_LIMIT_INVALID
 */
export async function findPage<Key>(
  search: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
  entity: Entity,
  order: readonly OrderTerm[],
  asked: Asked,
  find: FindRows,
  keyOf: (keys: readonly unknown[]) => Key,
): Promise<{ ids: readonly Key[]; nextCursor: string | null }> {
  const { limit = 100, cursor } = search;
  if (!Number.isInteger(limit) || limit < 1 || limit > entity.limit)
    throw trackingErrors.TRACKING_LIMIT_INVALID(`A page has 1 to ${entity.limit} of these, not ${limit}`, { details: { limit } });
  const digests = digestsOf({
    ...asked,
    scope: [entity.table, asked.scope],
    order: [asked.order, order.map(({ descending }) => descending)],
  });
  const position = cursor === undefined || cursor === "" ? null : readSearchCursor(cursor, digests, order);
  const rows = await find(position, limit + 1);
  const last = rows[limit - 1];
  return {
    ids: rows.slice(0, limit).map(({ keys }) => keyOf(keys)),
    // One row more than the page was asked for tells whether there is a next page.
    nextCursor: rows.length > limit && last !== undefined ? writeSearchCursor(digests, last.position) : null,
  };
}
