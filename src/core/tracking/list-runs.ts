import { type ExpressionBuilder, type Kysely, type SelectQueryBuilder, sql } from "kysely";
import type { Database, RunTable } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { trackingErrors } from "./errors.ts";
import { readCursor, writeCursor } from "./page-cursor.ts";

export interface RunQuery {
  /** The experiment's name. */
  readonly experiment?: string | undefined;
  readonly status?: RunTable["status"] | undefined;
  readonly parentRunId?: string | undefined;
  /** Runs at most so far below one without a parent: 0 for those alone, 1 for their children too; all when absent. */
  readonly depth?: 0 | 1 | undefined;
  /** By start, or by the last value of a metric; runs without it (or with NaN) come last in either direction. */
  readonly orderBy?: "startedAt" | { readonly metric: string };
  readonly direction?: "asc" | "desc";
  /** 1 to 1000; 100 when absent. */
  readonly limit?: number;
  /** nextCursor of the page before. */
  readonly cursor?: string | undefined;
}

export interface RunRows {
  readonly rows: readonly (RunTable & { readonly experiment: string })[];
  readonly nextCursor: string | null;
}

type Joined = SelectQueryBuilder<Database, "runs" | "experiments", object>;

/** One page by key: rows that are added meanwhile neither repeat nor skip any. */
export async function listRuns(db: Kysely<Database>, scope: Scope, query: RunQuery): Promise<RunRows> {
  const { orderBy = "startedAt", direction = "desc", limit = 100, cursor } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    throw trackingErrors.TRACKING_LIMIT_INVALID(`A page cannot have ${limit} runs`);
  const order = `${orderBy === "startedAt" ? "startedAt" : `metric ${orderBy.metric}`} ${direction}`;
  const after = cursor === undefined ? null : readCursor(cursor, order);
  const filtered = filter(db, scope, query);
  const beyond = sql.raw(direction === "desc" ? "<" : ">");

  if (orderBy === "startedAt") {
    const page = await filtered
      .$if(after !== null, (each) => each.where(sql<boolean>`(runs.started_at, runs.id) ${beyond} (${after?.at}, ${after?.id})`))
      .selectAll("runs")
      .select("experiments.name as experiment")
      .orderBy("runs.started_at", direction)
      .orderBy("runs.id", direction)
      .limit(limit + 1)
      .execute();
    return pageOf(page, limit, (run) => ({ order, at: run.started_at, id: run.id }));
  }

  const valued = filtered
    .selectAll("runs")
    .select("experiments.name as experiment")
    .select((each) =>
      each
        .selectFrom("metrics")
        .select("metrics.value")
        .whereRef("metrics.workspace", "=", "runs.workspace")
        .whereRef("metrics.project", "=", "runs.project")
        .whereRef("metrics.run_id", "=", "runs.id")
        .where("metrics.key", "=", orderBy.metric)
        .orderBy("metrics.step", "desc")
        .orderBy("metrics.logged_at", "desc")
        .limit(1)
        .as("sort_value"),
    );
  const page = await db
    .selectFrom(valued.as("valued"))
    .selectAll()
    .$if(after !== null && after.at !== null, (each) =>
      each.where(sql<boolean>`(sort_value IS NULL OR (sort_value, id) ${beyond} (${after?.at}, ${after?.id}))`),
    )
    .$if(after !== null && after.at === null, (each) =>
      each.where(sql<boolean>`sort_value IS NULL AND id ${beyond} ${after?.id}`),
    )
    .orderBy(sql`sort_value IS NULL`)
    .orderBy("sort_value", direction)
    .orderBy("id", direction)
    .limit(limit + 1)
    .execute();
  return pageOf(page, limit, (run) => ({ order, at: run.sort_value ?? null, id: run.id }));
}

function filter(
  db: Kysely<Database>,
  { workspace, project }: Scope,
  { experiment, status, parentRunId, depth }: RunQuery,
): Joined {
  return db
    .selectFrom("runs")
    .innerJoin("experiments", (join) =>
      join
        .onRef("experiments.workspace", "=", "runs.workspace")
        .onRef("experiments.project", "=", "runs.project")
        .onRef("experiments.id", "=", "runs.experiment_id"),
    )
    .where("runs.workspace", "=", workspace)
    .where("runs.project", "=", project)
    .$if(experiment !== undefined, (each) => each.where("experiments.name", "=", experiment ?? ""))
    .$if(status !== undefined, (each) => each.where("runs.status", "=", status ?? "running"))
    .$if(parentRunId !== undefined, (each) => each.where("runs.parent_run_id", "=", parentRunId ?? ""))
    .$if(depth === 0, (each) => each.where("runs.parent_run_id", "is", null))
    .$if(depth === 1, (each) => each.where(hasNoGrandparent));
}

function hasNoGrandparent({ not, exists, selectFrom }: ExpressionBuilder<Database, "runs">) {
  const childsParent = selectFrom("runs as parent")
    .select("parent.id")
    .whereRef("parent.workspace", "=", "runs.workspace")
    .whereRef("parent.project", "=", "runs.project")
    .whereRef("parent.id", "=", "runs.parent_run_id")
    .where("parent.parent_run_id", "is not", null);
  return not(exists(childsParent));
}

/** One row more than the page was asked for: whether there is a next page. */
function pageOf<Row>(found: readonly Row[], limit: number, position: (row: Row) => Parameters<typeof writeCursor>[0]) {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, nextCursor: found.length > limit && last !== undefined ? writeCursor(position(last)) : null };
}
