import type { Kysely, Updateable } from "kysely";
import type { OrreryError } from "../errors.ts";
import type { Clock, Database, MetadataStore, PipelineRunTable, StepRunTable } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { pipelineErrors } from "./errors.ts";

export type FinalRunStatus = Extract<PipelineRunTable["status"], "succeeded" | "failed" | "cancelled">;

/** What a finished step leaves; every part is written in the transaction that says that it has finished. */
export interface StepResult {
  /** JSON text. */
  readonly output: string;
  /** Set for a step that may be taken from the cache next time. */
  readonly cacheKey: string | null;
  /** Set for an effect: the key under which its result is kept for good. */
  readonly effectKey: string | null;
}

/** The engine's memory: every change of a run is committed here before the engine acts on it. */
export interface Journal {
  /** Adds a run with its pending steps; when the dedupe key is taken, adds nothing and names the run that has it. */
  create(run: PipelineRunTable, steps: readonly string[]): Promise<{ readonly id: string; readonly created: boolean }>;
  run(id: string): Promise<PipelineRunTable | null>;
  steps(runId: string): Promise<StepRunTable[]>;
  /** Queued, running, and cancelled ones that have not come to rest; oldest first. */
  unfinished(): Promise<PipelineRunTable[]>;
  setRunning(runId: string, at: Micros): Promise<void>;
  /** Commits that an attempt begins, and numbers it. */
  begin(runId: string, step: string, at: Micros): Promise<number>;
  succeed(runId: string, step: string, attempt: number, result: StepResult, at: Micros): Promise<void>;
  takeFromCache(runId: string, step: string, cacheKey: string, output: string, at: Micros): Promise<void>;
  fail(runId: string, step: string, attempt: number, error: OrreryError, at: Micros): Promise<void>;
  skip(runId: string, step: string, at: Micros): Promise<void>;
  /** Commits that the run is to end, before its steps are told. */
  requestCancel(runId: string): Promise<void>;
  /** Ends a run; a cancelled one takes its unfinished steps along. */
  finish(runId: string, status: FinalRunStatus, at: Micros): Promise<void>;
  /** Output of an equal step that succeeded before. */
  cached(cacheKey: string): Promise<string | null>;
  /** Result of an effect that has happened. */
  effect(key: string): Promise<string | null>;
}

export function openJournal(store: MetadataStore, clock: Clock, { workspace, project }: Scope): Journal {
  const scoped = { workspace, project };
  const runs = (db: Kysely<Database>) =>
    db.selectFrom("pipeline_runs").selectAll().where("workspace", "=", workspace).where("project", "=", project);
  const setRun = (runId: string, values: Updateable<PipelineRunTable>) =>
    store.db
      .updateTable("pipeline_runs")
      .set(values)
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("id", "=", runId);
  const setStep = (db: Kysely<Database>, runId: string, step: string, values: Updateable<StepRunTable>) =>
    db
      .updateTable("step_runs")
      .set(values)
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("run_id", "=", runId)
      .where("step", "=", step);

  /** An attempt that is no longer the running one must not write over the one that is. */
  const endAttempt = async (
    db: Kysely<Database>,
    runId: string,
    step: string,
    attempt: number,
    values: Updateable<StepRunTable>,
  ) => {
    const { numUpdatedRows } = await setStep(db, runId, step, values)
      .where("attempt", "=", attempt)
      .where("status", "=", "running")
      .executeTakeFirstOrThrow();
    if (numUpdatedRows !== 1n)
      throw pipelineErrors.PIPELINE_CANCELLED(`Attempt ${attempt} of ${step} in ${runId} is no longer the running one`);
  };

  return {
    create: (run, steps) =>
      store.transaction(async (db) => {
        const taken = await runs(db).where("dedupe_key", "=", run.dedupe_key).executeTakeFirst();
        if (taken !== undefined) return { id: taken.id, created: false };
        await db.insertInto("pipeline_runs").values(run).execute();
        const pending = steps.map((step) => ({
          ...scoped,
          run_id: run.id,
          step,
          status: "pending" as const,
          attempt: 0,
          cache_key: null,
          output: null,
          error: null,
          started_at: null,
          ended_at: null,
        }));
        await db.insertInto("step_runs").values(pending).execute();
        return { id: run.id, created: true };
      }),

    run: async (id) => (await runs(store.db).where("id", "=", id).executeTakeFirst()) ?? null,

    steps: (runId) =>
      store.db
        .selectFrom("step_runs")
        .selectAll()
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("run_id", "=", runId)
        .execute(),

    unfinished: () => runs(store.db).where("ended_at", "is", null).orderBy("created_at").orderBy("id").execute(),

    async setRunning(runId, at) {
      await setRun(runId, { status: "running", started_at: at }).where("status", "=", "queued").execute();
    },

    async begin(runId, step, at) {
      const { attempt } = await setStep(store.db, runId, step, { status: "running", started_at: at, ended_at: null, error: null })
        .set((row) => ({ attempt: row("attempt", "+", 1) }))
        .where("status", "in", ["pending", "running"])
        .returning("attempt")
        .executeTakeFirstOrThrow();
      return attempt;
    },

    succeed: (runId, step, attempt, { output, cacheKey, effectKey }, at) =>
      store.transaction(async (db) => {
        await endAttempt(db, runId, step, attempt, { status: "succeeded", output, cache_key: cacheKey, ended_at: at });
        if (cacheKey !== null) {
          await db
            .insertInto("step_cache")
            .values({ ...scoped, cache_key: cacheKey, output, run_id: runId, created_at: clock.now() })
            .onConflict((conflict) => conflict.columns(["workspace", "project", "cache_key"]).doNothing())
            .execute();
        }
        if (effectKey !== null) {
          await db
            .insertInto("effects")
            .values({ ...scoped, idempotency_key: effectKey, result: output, at: clock.now() })
            .onConflict((conflict) => conflict.columns(["workspace", "project", "idempotency_key"]).doNothing())
            .execute();
        }
      }),

    async takeFromCache(runId, step, cacheKey, output, at) {
      const values = { status: "cached" as const, output, cache_key: cacheKey, started_at: at, ended_at: at };
      await setStep(store.db, runId, step, values).where("status", "in", ["pending", "running"]).execute();
    },

    fail: (runId, step, attempt, error, at) =>
      endAttempt(store.db, runId, step, attempt, { status: "failed", error: JSON.stringify(error), ended_at: at }),

    async skip(runId, step, at) {
      await setStep(store.db, runId, step, { status: "skipped", ended_at: at }).where("status", "=", "pending").execute();
    },

    async requestCancel(runId) {
      await setRun(runId, { status: "cancelled" }).where("ended_at", "is", null).execute();
    },

    finish: (runId, status, at) =>
      store.transaction(async (db) => {
        await db
          .updateTable("pipeline_runs")
          .set({ status, ended_at: at })
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("id", "=", runId)
          .where("ended_at", "is", null)
          .execute();
        await db
          .updateTable("step_runs")
          .set({ status: "skipped", ended_at: at })
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("run_id", "=", runId)
          .where("status", "in", ["pending", "running"])
          .execute();
      }),

    async cached(key) {
      const row = await store.db
        .selectFrom("step_cache")
        .select("output")
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("cache_key", "=", key)
        .executeTakeFirst();
      return row?.output ?? null;
    },

    async effect(key) {
      const row = await store.db
        .selectFrom("effects")
        .select("result")
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("idempotency_key", "=", key)
        .executeTakeFirst();
      return row?.result ?? null;
    },
  };
}
