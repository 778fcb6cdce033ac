import { type RawBuilder, sql } from "kysely";
import { all, FALSE, onDatasets, type Sql, type Target } from "./compile-filter.ts";
import type { KeyedTable } from "./entities.ts";
import type { OrderTerm } from "./parse-order.ts";
import type { Position, TermPosition } from "./search-cursor.ts";

/** One term of an order as SQL. */
export interface SortTerm {
  readonly value: RawBuilder<unknown>;
  /** 0 with a value, 1 NaN, 2 without a value: always ascending. null where there always is a value. */
  readonly rank: RawBuilder<unknown> | null;
  readonly descending: boolean;
  /** What must be joined for it, each row at most once. */
  readonly join: { readonly table: string; readonly alias: string; readonly on: Sql } | null;
}

export function sortTerm(term: OrderTerm, place: number, target: Target): SortTerm {
  const { subject, descending } = term;
  if (subject.of === "attribute") {
    const { value, nullable } = subject.attribute;
    return { value, rank: nullable ? sql`(case when ${value} is null then 2 else 0 end)` : null, descending, join: null };
  }
  const child = target.entity.rooms[subject.of];
  if (child === undefined) return { value: sql`null`, rank: sql`2`, descending, join: null };
  if (subject.of === "metric" && child.table === "logged_model_metrics")
    return loggedModelMetric(child, subject.key, term, target);
  const alias = `o${place}`;
  const on = ownedBy(child, alias, subject.key, target);
  const value = sql.ref(`${alias}.value`);
  const rank =
    subject.of === "metric"
      ? sql`coalesce(${sql.ref(`${alias}.is_nan`)}, 2)`
      : sql`(case when ${value} is null then 2 else 0 end)`;
  return { value, rank, descending, join: { table: child.table, alias, on } };
}

export function ownedBy({ owner }: KeyedTable, alias: string, key: string, { entity, scope }: Target): Sql {
  const column = (name: string) => sql.ref(`${alias}.${name}`);
  const owns = owner.map(([child, parent]) => sql<boolean>`${column(child)} = ${sql.ref(`${entity.table}.${parent}`)}`);
  return all([
    sql`${column("workspace")} = ${scope.workspace}`,
    sql`${column("project")} = ${scope.project}`,
    ...owns,
    sql`${column("key")} = ${key}`,
  ]);
}

/** A logged model has a metric many times: the one that was logged last counts, of the order's data set. */
function loggedModelMetric(child: KeyedTable, key: string, { descending, dataset }: OrderTerm, target: Target): SortTerm {
  const latest = (column: string) => sql`(
    select ${sql.ref(`${child.table}.${column}`)} from ${sql.table(child.table)}
    where ${ownedBy(child, child.table, key, target)} and ${onDatasets(child, dataset === undefined ? [] : [dataset])}
    order by ${sql.ref(`${child.table}.logged_at`)} desc, ${sql.ref(`${child.table}.step`)} desc, ${sql.ref(`${child.table}.run_id`)} limit 1
  )`;
  return { value: latest("value"), rank: sql`coalesce(${latest("is_nan")}, 2)`, descending, join: null };
}

/** Rows after a position. The first term's bound stands alone too, so that an index on it can begin there. */
export function after(terms: readonly SortTerm[], position: Position): Sql {
  const [term, ...rest] = terms;
  const [at, ...below] = position;
  if (term === undefined || at === undefined) return FALSE;
  const beyond = beyondTerm(term, at);
  if (rest.length === 0) return beyond;
  const next = sql<boolean>`(${beyond} or (${sameTerm(term, at)} and ${after(rest, below)}))`;
  return term.rank === null ? sql`(${term.value} ${direction(term, "=")} ${at.value} and ${next})` : next;
}

function beyondTerm(term: SortTerm, { rank, value }: TermPosition): Sql {
  const further = sql<boolean>`${term.value} ${direction(term, "")} ${value}`;
  if (term.rank === null) return further;
  return rank === 0 ? sql`(${term.rank} > 0 or (${term.rank} = 0 and ${further}))` : sql`${term.rank} > ${sql.lit(rank)}`;
}

function sameTerm(term: SortTerm, { rank, value }: TermPosition): Sql {
  if (term.rank === null) return sql`${term.value} = ${value}`;
  return rank === 0 ? sql`(${term.rank} = 0 and ${term.value} = ${value})` : sql`${term.rank} = ${sql.lit(rank)}`;
}

const direction = ({ descending }: SortTerm, equal: "" | "="): RawBuilder<unknown> => {
  if (descending) return equal === "=" ? sql`<=` : sql`<`;
  return equal === "=" ? sql`>=` : sql`>`;
};
