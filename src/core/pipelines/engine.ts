import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { toOrreryError } from "../errors.ts";
import type { Clock, Executor, MetadataStore, PipelineRunTable } from "../ports/index.ts";
import type { Actor, Scope } from "../scope.ts";
import { actorText, sortableId } from "../tracking/index.ts";
import { pipelineErrors } from "./errors.ts";
import { type Effect, type Execution, effectOf, executeRun, type PipelineEvent } from "./execute-run.ts";
import { openJournal } from "./journal.ts";
import {
  getPipelineRun,
  listPipelineRuns,
  type PipelineRun,
  type PipelineRunQuery,
  type PipelineRunSummary,
  type RunTrigger,
} from "./pipeline-run.ts";
import { notJson, type PlanIR, validatePlan } from "./plan.ts";
import { Slots } from "./slots.ts";
import { StepCode } from "./step-code.ts";

/** Where the engine says what it does; a pino logger is one. */
export interface PipelineLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface PipelineEngineOptions {
  readonly store: MetadataStore;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly scope: Scope;
  readonly log: PipelineLog;
  /** By step name, or by the part of it before a colon. */
  readonly effects: Readonly<Record<string, Effect>>;
  /** JSON added to the context of every step. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Steps in the executor at once: its number of workers. Processors of this machine when absent. */
  readonly concurrency?: number;
  /** Wait before the first retry; doubled for each further one, 30 s at most. 500 when absent. */
  readonly retryDelayMs?: number;
}

export interface StartOptions {
  /** The plan's own when absent. */
  readonly pipeline?: string;
  readonly trigger: RunTrigger;
  /** Given to every step, under the step's own params. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** What started it, once and for all: the same key is the same run, also after that has ended. */
  readonly dedupeKey: string;
  readonly actor: Actor;
  /** Made when absent. */
  readonly traceId?: string;
}

/**
 * Runs plans durably: what has happened stands in the journal before anything follows from it. Killed at any moment, a later engine
 * on the same store goes on by `resume`, repeating at most the attempts that were running. One engine at a time works on a project.
 */
export interface PipelineEngine {
  /** Resolves when the run is in the journal, not when it is done. @throws what validatePlan throws, PIPELINE_EFFECT_UNKNOWN, PIPELINE_IMPORT_COMPUTED, PIPELINE_MODULE_MISSING */
  start(plan: PlanIR, options: StartOptions): Promise<string>;
  /** Takes up every unfinished run; returns their ids. */
  resume(): Promise<string[]>;
  /** Resolves with the run when it has ended, however it did. @throws PIPELINE_RUN_UNKNOWN, PIPELINE_RUN_IDLE, PIPELINE_CLOSED, or the journal's error that stopped it */
  wait(runId: string): Promise<PipelineRun>;
  /** @throws PIPELINE_RUN_UNKNOWN */
  get(runId: string): Promise<PipelineRun>;
  /** Newest first. @throws PIPELINE_CURSOR_INVALID */
  list(query?: PipelineRunQuery): Promise<{ items: PipelineRunSummary[]; nextCursor: string | null }>;
  /** Resolves when nothing of the run is running any more; one that has ended stays as it is. @throws PIPELINE_RUN_UNKNOWN */
  cancel(runId: string): Promise<void>;
  /** Calls the listener with everything that happens from now on; returns the function that ends it. */
  subscribe(listener: (event: PipelineEvent) => void): () => void;
  /** Lets go of running steps, waits for running effects; unfinished runs stay in the journal. */
  close(): Promise<void>;
}

interface ActiveRun {
  readonly cancel: AbortController;
  readonly done: Promise<void>;
}

export function createPipelineEngine(options: PipelineEngineOptions): PipelineEngine {
  const {
    store,
    executor,
    clock,
    scope,
    log,
    effects,
    context = {},
    concurrency = availableParallelism(),
    retryDelayMs = 500,
  } = options;
  const journal = openJournal(store, clock, scope);
  const code = new StepCode();
  const listeners = new Set<(event: PipelineEvent) => void>();
  const active = new Map<string, ActiveRun>();
  const closing = new AbortController();

  const emit = (event: PipelineEvent) => {
    report(event, log);
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        log.warn({ error: toOrreryError(error) }, "a listener of pipeline events failed");
      }
    }
  };
  const shared: Execution = {
    journal,
    executor,
    effects,
    code,
    slots: new Slots(concurrency),
    scope,
    context,
    retryDelayMs,
    emit,
  };

  const activate = (run: PipelineRunTable) => {
    if (active.has(run.id)) return;
    const cancel = new AbortController();
    const done = executeRun(run, { cancelled: cancel.signal, closing: closing.signal, now: runTime(clock) }, shared)
      .then(() => undefined)
      .finally(() => active.delete(run.id));
    // Whoever waits is told too.
    done.catch((error: unknown) => log.error({ run_id: run.id, error: toOrreryError(error) }, "a pipeline run had to stop"));
    active.set(run.id, { cancel, done });
  };

  const engine: PipelineEngine = {
    async start(plan, { pipeline = plan.pipeline, trigger, params = {}, dedupeKey, actor, traceId }) {
      if (closing.signal.aborted) throw closed();
      validatePlan(plan);
      const path = notJson(params);
      if (path !== null) throw pipelineErrors.PIPELINE_PLAN_INVALID(`The run has a param that is not JSON: params${path}`);
      for (const step of plan.steps) {
        if (!step.effect) await code.digestOf(step);
        else if (effectOf(effects, step.name) === undefined)
          throw pipelineErrors.PIPELINE_EFFECT_UNKNOWN(`There is no effect ${step.name}`);
      }
      const row: PipelineRunTable = {
        ...scope,
        id: sortableId("pipeline-run", clock),
        pipeline,
        status: "queued",
        trigger: JSON.stringify(trigger),
        dedupe_key: dedupeKey,
        params: JSON.stringify(params),
        plan: JSON.stringify(plan),
        actor: actorText(actor),
        trace_id: traceId ?? randomBytes(16).toString("hex"),
        created_at: clock.now(),
        started_at: null,
        ended_at: null,
      };
      const { id, created } = await journal.create(
        row,
        plan.steps.map(({ name }) => name),
      );
      // After a close in between, the run waits in the journal.
      if (created && !closing.signal.aborted) activate(row);
      return id;
    },

    async resume() {
      if (closing.signal.aborted) throw closed();
      const unfinished = await journal.unfinished();
      for (const run of unfinished) {
        if (run.status === "cancelled" && !active.has(run.id)) {
          await journal.finish(run.id, "cancelled", clock.now());
          continue;
        }
        if (!active.has(run.id))
          log.info({ run_id: run.id, pipeline: run.pipeline, trace_id: run.trace_id }, "taking up an unfinished run");
        activate(run);
      }
      return unfinished.filter(({ status }) => status !== "cancelled").map(({ id }) => id);
    },

    async wait(runId) {
      await active.get(runId)?.done;
      const run = await engine.get(runId);
      if (run.status !== "queued" && run.status !== "running") return run;
      if (closing.signal.aborted) throw closed();
      throw pipelineErrors.PIPELINE_RUN_IDLE(`The pipeline run ${runId} is ${run.status}, but nobody works on it`);
    },

    get: (runId) => getPipelineRun(store, scope, runId),

    list: (query = {}) => listPipelineRuns(store, scope, query),

    async cancel(runId) {
      await engine.get(runId);
      await journal.requestCancel(runId);
      const running = active.get(runId);
      running?.cancel.abort();
      await running?.done;
      await journal.finish(runId, "cancelled", clock.now());
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    async close() {
      closing.abort();
      await Promise.allSettled([...active.values()].map(({ done }) => done));
    },
  };
  return engine;
}

const closed = () => pipelineErrors.PIPELINE_CLOSED("The pipeline engine is closed");

/** A virtual clock stands still while a run works: its time, and from there the time that really passes, so that durations are real. */
function runTime(clock: Clock): () => number {
  if (clock.kind === "system") return () => clock.now();
  const began = clock.now();
  const mark = performance.now();
  return () => began + Math.round((performance.now() - mark) * 1_000);
}

function report(event: PipelineEvent, log: PipelineLog): void {
  if (event.kind === "progress") return;
  if (event.kind === "run") {
    log.info({ run_id: event.runId, pipeline: event.pipeline, status: event.status }, `pipeline run ${event.status}`);
    return;
  }
  const fields = { run_id: event.runId, pipeline: event.pipeline, step: event.step, attempt: event.attempt };
  if (event.error === null) log.info(fields, `step ${event.status}`);
  else log.warn({ ...fields, error: event.error.toJSON() }, `step ${event.status}`);
}
