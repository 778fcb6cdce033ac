import { sql } from "kysely";
import type { OrreryError } from "../errors.ts";
import type { MetadataStore, PipelineRunTable, StepRunTable } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { pipelineErrors } from "./errors.ts";
import type { PlanIR } from "./plan.ts";

/** What started a run, and why. */
export interface RunTrigger {
  readonly kind: string;
  readonly reason: string;
}

export interface StepRun {
  readonly step: string;
  readonly status: StepRunTable["status"];
  readonly needs: readonly string[];
  readonly effect: boolean;
  /** Attempts so far. */
  readonly attempt: number;
  readonly startedAt: Micros | null;
  readonly endedAt: Micros | null;
  readonly output: unknown;
  readonly error: ReturnType<OrreryError["toJSON"]> | null;
  readonly cacheKey: string | null;
  /** Run whose output a cached step took. */
  readonly cachedFrom: string | null;
}

export interface PipelineRunSummary {
  readonly id: string;
  readonly pipeline: string;
  readonly status: PipelineRunTable["status"];
  readonly trigger: RunTrigger;
  readonly dedupeKey: string;
  readonly actor: string;
  readonly traceId: string;
  readonly createdAt: Micros;
  readonly startedAt: Micros | null;
  readonly endedAt: Micros | null;
}

export interface PipelineRun extends PipelineRunSummary {
  readonly params: Readonly<Record<string, unknown>>;
  /** In the plan's order. */
  readonly steps: readonly StepRun[];
}

export interface PipelineRunQuery {
  readonly pipeline?: string | undefined;
  readonly status?: PipelineRunTable["status"] | undefined;
  /** 1 to 1000; 100 when absent. */
  readonly limit?: number;
  readonly cursor?: string | undefined;
}

// The engine wrote these texts, and nobody else writes them.
export const planOf = (row: PipelineRunTable) => JSON.parse(row.plan) as PlanIR;
export const paramsOf = (row: PipelineRunTable) => JSON.parse(row.params) as Readonly<Record<string, unknown>>;
export const triggerOf = (row: PipelineRunTable) => JSON.parse(row.trigger) as RunTrigger;

const summaryOf = (row: PipelineRunTable): PipelineRunSummary => ({
  id: row.id,
  pipeline: row.pipeline,
  status: row.status,
  trigger: triggerOf(row),
  dedupeKey: row.dedupe_key,
  actor: row.actor,
  traceId: row.trace_id,
  createdAt: row.created_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
});

/** @throws PIPELINE_RUN_UNKNOWN */
export async function getPipelineRun({ db }: MetadataStore, { workspace, project }: Scope, id: string): Promise<PipelineRun> {
  const row = await db
    .selectFrom("pipeline_runs")
    .selectAll()
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw pipelineErrors.PIPELINE_RUN_UNKNOWN(`There is no pipeline run ${id}`);
  const rows = await db
    .selectFrom("step_runs")
    .leftJoin("step_cache", (join) =>
      join
        .onRef("step_cache.workspace", "=", "step_runs.workspace")
        .onRef("step_cache.project", "=", "step_runs.project")
        .onRef("step_cache.cache_key", "=", "step_runs.cache_key"),
    )
    .selectAll("step_runs")
    .select("step_cache.run_id as cached_from")
    .where("step_runs.workspace", "=", workspace)
    .where("step_runs.project", "=", project)
    .where("step_runs.run_id", "=", id)
    .execute();
  const byName = new Map(rows.map((each) => [each.step, each]));
  return {
    ...summaryOf(row),
    params: paramsOf(row),
    steps: planOf(row).steps.flatMap(({ name, needs, effect }) => {
      const step = byName.get(name);
      if (step === undefined) return [];
      return {
        step: name,
        status: step.status,
        needs,
        effect,
        attempt: step.attempt,
        startedAt: step.started_at,
        endedAt: step.ended_at,
        output: step.output === null ? null : JSON.parse(step.output),
        error: step.error === null ? null : JSON.parse(step.error),
        cacheKey: step.cache_key,
        cachedFrom: step.status === "cached" ? step.cached_from : null,
      };
    }),
  };
}

/** Newest first, a page by key. @throws PIPELINE_CURSOR_INVALID */
export async function listPipelineRuns({ db }: MetadataStore, { workspace, project }: Scope, query: PipelineRunQuery) {
  const { pipeline, status, limit = 100, cursor } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    throw pipelineErrors.PIPELINE_CURSOR_INVALID(`A page cannot have ${limit} pipeline runs`);
  const scoped = db.selectFrom("pipeline_runs").selectAll().where("workspace", "=", workspace).where("project", "=", project);
  let page = scoped
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(limit + 1);
  if (pipeline !== undefined) page = page.where("pipeline", "=", pipeline);
  if (status !== undefined) page = page.where("status", "=", status);
  if (cursor !== undefined) {
    const last = await scoped.where("id", "=", Buffer.from(cursor, "base64url").toString("utf8")).executeTakeFirst();
    if (last === undefined) throw pipelineErrors.PIPELINE_CURSOR_INVALID("The cursor does not belong to this list");
    page = page.where(sql<boolean>`(created_at, id) < (${last.created_at}, ${last.id})`);
  }
  const rows = await page.execute();
  const items = rows.slice(0, limit).map(summaryOf);
  const lastId = items.at(-1)?.id;
  const nextCursor = rows.length > limit && lastId !== undefined ? Buffer.from(lastId).toString("base64url") : null;
  return { items, nextCursor };
}
