import { type Kysely, sql } from "kysely";
import type { Database } from "../../ports/index.ts";
import type { View } from "../interfaces.ts";
import type { Condition, Test } from "./check-filter.ts";
import { metricTest, type Sql, type Target, TRUE, withoutIndex } from "./compile-filter.ts";
import { runs } from "./entities.ts";
import { compileConditions, conditionsOf, type FoundRow, findPage, findRows, sortTerms, withinScope } from "./find-keys.ts";
import type { FindKeys, RunSearch } from "./interfaces.ts";
import { ownedBy } from "./order-sql.ts";
import { type OrderTerm, orderOf, parseOrderTerm } from "./parse-order.ts";
import type { Position } from "./search-cursor.ts";

/** So many runs are sorted sooner than an index of all runs or metrics of the project is gone through for them. */
const FEW_RUNS = 2_000;

export const searchRunIds: FindKeys<string, RunSearch> = async ({ db, engine }, scope, search) => {
  const { filter, orderBy = [], view = "active", experimentIds } = search;
  const target: Target = { entity: runs, engine, scope, datasets: [] };
  const conditions = conditionsOf(filter, runs);
  const order = orderOf(
    orderBy.map((term) => parseOrderTerm(term, runs)),
    orderBy,
    runs,
  );
  const asked = {
    scope: [scope.workspace, scope.project, view],
    experiments: experimentIds,
    order: orderBy,
    filter: filter ?? "",
  };
  const query: RunQuery = { db, target, conditions, order, view, experimentIds };
  return findPage(
    search,
    runs,
    order,
    asked,
    (position, limit) => find(query, position, limit),
    ([id]) => String(id),
  );
};

interface RunQuery {
  readonly db: Kysely<Database>;
  readonly target: Target;
  readonly conditions: readonly Condition[];
  readonly order: readonly OrderTerm[];
  readonly view: View;
  readonly experimentIds: readonly string[] | undefined;
}

async function find(query: RunQuery, position: Position | null, limit: number): Promise<readonly FoundRow[]> {
  const { db, target, conditions, order, experimentIds } = query;
  if (experimentIds?.length === 0) return [];
  const sort = (more: readonly Sql[], scanned: boolean) =>
    findRows(db, {
      target,
      conditions: [...within(query, scanned), ...more, ...compileConditions(conditions, target)],
      terms: sortTerms(order, target),
      position,
      limit,
    });
  const first = order[0]?.subject;
  const metric = first?.of === "metric" ? first.key : null;
  const oneByStart = experimentIds?.length === 1 && first?.of === "attribute" && first.name === "start_time";
  const metrics = conditions.filter(isMetricCondition).filter(({ subject }) => subject.key !== metric);
  if ((metric !== null || !oneByStart) && (await areFew(query))) return sort([], false);
  const few = await fewByMetric(query, metrics);
  if (few !== null) return sort([few], false);
  if (metric !== null) return findByMetric(query, metric, position, limit);
  // Of several experiments the newest runs come from the index of all.
  return sort([], !oneByStart);
}

/** Runs that fulfil a condition which only few fulfil. null when there is none. */
async function fewByMetric({ db, target }: RunQuery, conditions: readonly MetricCondition[]): Promise<Sql | null> {
  const { workspace, project } = target.scope;
  for (const { subject, test } of conditions.slice(0, MOST_COUNTED)) {
    if (!isRange(test)) continue;
    const holding = db
      .selectFrom("latest_metrics")
      .select("latest_metrics.run_id")
      .where("latest_metrics.workspace", "=", workspace)
      .where("latest_metrics.project", "=", project)
      .where("latest_metrics.key", "=", subject.key)
      .where(metricTest(sql.ref("latest_metrics.value"), sql.ref("latest_metrics.is_nan"), test));
    const { counted } = await db
      .selectFrom(holding.limit(FEW_RUNS + 1).as("some"))
      .select((each) => each.fn.countAll<number>().as("counted"))
      .executeTakeFirstOrThrow();
    if (Number(counted) <= FEW_RUNS) return sql`runs.id in (${holding})`;
  }
  return null;
}

/** So many conditions are tried at most whether they are rare. */
const MOST_COUNTED = 4;

/** What an index of values answers by going through a part of it. */
const isRange = (test: Test): boolean =>
  (test.kind === "number" && test.operator !== "!=") || (test.kind === "between" && test.within);

/** With `scanned`, the experiments are no reason to choose an index. */
function within({ target, view, experimentIds }: RunQuery, scanned: boolean): readonly Sql[] {
  if (experimentIds === undefined) return withinScope(target, view);
  const column = sql.ref("runs.experiment_id");
  const id = scanned ? withoutIndex(column, target) : column;
  const [only] = experimentIds;
  return [
    ...withinScope(target, view),
    experimentIds.length === 1 ? sql`${id} = ${only}` : sql`${id} in (${sql.join(experimentIds)})`,
  ];
}

async function areFew(query: RunQuery): Promise<boolean> {
  if (query.experimentIds === undefined) return false;
  const some = query.db
    .selectFrom("runs")
    .select("runs.id")
    .where((each) => each.and(within(query, false).map((condition) => sql<boolean>`${condition}`)))
    .limit(FEW_RUNS + 1);
  const { counted } = await query.db
    .selectFrom(some.as("some"))
    .select((each) => each.fn.countAll<number>().as("counted"))
    .executeTakeFirstOrThrow();
  return Number(counted) <= FEW_RUNS;
}

/**
 * Goes through the index of the metric's values, so that a page costs its rows and not a sort of all: runs with a value first, then
 * those where it is NaN, then those without it. Conditions on the same metric narrow what of the index is read.
 */
async function findByMetric(
  query: RunQuery,
  key: string,
  position: Position | null,
  limit: number,
): Promise<readonly FoundRow[]> {
  const { db, target, conditions, order } = query;
  const isOnMetric = (condition: Condition): condition is MetricCondition =>
    isMetricCondition(condition) && condition.subject.key === key;
  const others = (of: Target) => [
    ...within(query, true),
    ...compileConditions(
      conditions.filter((each) => !isOnMetric(each)),
      of,
    ),
  ];
  const tests = conditions.filter(isOnMetric).map(({ test }) => test);
  const terms = sortTerms(order, target);
  const [byMetric] = terms;
  const child = target.entity.rooms.metric;
  if (byMetric === undefined || child === undefined) return [];
  const driver = { table: child.table, alias: "o0", owner: child.owner };
  const driven: Target = { ...target, driver };
  const [value, isNan] = [sql.ref("o0.value"), sql.ref("o0.is_nan")];
  const owned = ownedBy(child, "o0", key, target);

  const at = position?.[0]?.rank ?? 0;
  const rows: FoundRow[] = [];
  for (const rank of [0, 1, 2] as const) {
    if (rank < at || rows.length >= limit || !tests.every((test) => canHold(test, rank))) continue;
    const begun = rank === at ? position : null;
    const from = rank === 2 ? target : driven;
    const rest = { target: from, conditions: [...others(from), ...rankConditions(rank)], limit: limit - rows.length };
    // Among runs of one rank there is nothing to compare in it, but for the values.
    if (rank === 0) {
      rows.push(...(await findRows(db, { ...rest, terms: [{ ...byMetric, rank: null }, ...terms.slice(1)], position: begun })));
    } else {
      const found = await findRows(db, { ...rest, terms: terms.slice(1), position: begun?.slice(1) ?? null });
      rows.push(...found.map((row) => ({ ...row, position: [{ rank, value: null }, ...row.position] })));
    }
  }
  return rows;

  function rankConditions(rank: 0 | 1 | 2): readonly Sql[] {
    if (rank === 2) return [sql`(not exists (select 1 from ${sql.table(driver.table)} as o0 where ${owned}))`];
    if (rank === 1) return [owned, sql`${isNan} = 1`];
    return [owned, sql`${isNan} = 0`, ...tests.map((test) => (test.kind === "null" ? TRUE : metricTest(value, isNan, test)))];
  }
}

type MetricCondition = {
  readonly kind: "test";
  readonly subject: { readonly of: "metric"; readonly key: string };
  readonly test: Test;
};

const isMetricCondition = (condition: Condition): condition is MetricCondition =>
  condition.kind === "test" && condition.subject.of === "metric";

/** Whether a test can be true of a metric of the rank; of a value it depends on the value. */
function canHold(test: Test, rank: 0 | 1 | 2): boolean {
  if (test.kind === "null") return test.missing === (rank === 2);
  if (rank !== 1) return rank === 0;
  if (test.kind === "between") return !test.within;
  if (test.kind !== "number") return false;
  if (test.operator === "!=") return !Number.isNaN(test.number);
  return test.operator === "=" && Number.isNaN(test.number);
}
