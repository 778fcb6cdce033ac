import { setTimeout as sleep } from "node:timers/promises";
import { type OrreryError, toOrreryError } from "../errors.ts";
import type { Executor, PipelineRunTable, StepHandle } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { cacheKey } from "./cache-key.ts";
import { pipelineErrors } from "./errors.ts";
import type { FinalRunStatus, Journal } from "./journal.ts";
import { paramsOf, planOf, type RunTrigger, triggerOf } from "./pipeline-run.ts";
import { notJson, type PlanStep } from "./plan.ts";
import type { Slots } from "./slots.ts";
import type { StepCode } from "./step-code.ts";

/** What a step takes: the run's params with its own over them, and the outputs of the steps it needs. */
export interface StepInput {
  readonly params: Readonly<Record<string, unknown>>;
  readonly needs: Readonly<Record<string, unknown>>;
}

export interface EffectContext {
  /** The same for every attempt of this step of this run, also after a crash. */
  readonly idempotencyKey: string;
  readonly runId: string;
  readonly step: string;
  readonly pipeline: string;
  readonly trigger: RunTrigger;
  readonly actor: string;
  readonly traceId: string;
  /** When the run was created. */
  readonly now: Micros;
  /** Aborts when the run is cancelled or the step's time is over. */
  readonly signal: AbortSignal;
}

/**
 * Changes something outside and returns JSON. Its result is committed together with the step's success; from then on it is
 * never called again for this step of this run. Between its return and that commit lies a moment in which a crash leads to a
 * second call with the same key: an effect asks by its key whether it has happened (or hands the key to the system it calls), and
 * then it happens once.
 */
export type Effect = (input: StepInput, context: EffectContext) => Promise<unknown>;

export type PipelineEvent =
  | { readonly kind: "run"; readonly runId: string; readonly pipeline: string; readonly status: PipelineRunTable["status"] }
  | {
      readonly kind: "step";
      readonly runId: string;
      readonly pipeline: string;
      readonly step: string;
      readonly status: "running" | "retrying" | "succeeded" | "cached" | "failed" | "skipped";
      readonly attempt: number;
      readonly error: OrreryError | null;
    }
  | {
      readonly kind: "progress";
      readonly runId: string;
      readonly pipeline: string;
      readonly step: string;
      readonly progress: unknown;
    };

/** What all runs of an engine share. */
export interface Execution {
  readonly journal: Journal;
  readonly executor: Executor;
  readonly effects: Readonly<Record<string, Effect>>;
  readonly code: StepCode;
  /** Bounds the steps that are in the executor at once, over all runs. */
  readonly slots: Slots;
  readonly scope: Scope;
  /** Added to the context of every step. */
  readonly context: Readonly<Record<string, unknown>>;
  readonly retryDelayMs: number;
  emit(event: PipelineEvent): void;
}

export interface RunControl {
  /** Ends the run. */
  readonly cancelled: AbortSignal;
  /** Lets go of the run where it stands, for a later process to take up. */
  readonly closing: AbortSignal;
  /** The run's time. */
  now(): Micros;
}

const MAX_OUTPUT_BYTES = 4_000_000;
const MAX_RETRY_DELAY_MS = 30_000;

/** The effect of a step: by its whole name, or by the part before a colon ("record:endpoint"). */
export const effectOf = (effects: Readonly<Record<string, Effect>>, step: string): Effect | undefined =>
  effects[step] ?? effects[step.split(":", 1)[0] ?? step];

/** Trying again helps against what is down or went wrong, not against what was asked wrongly. */
const mayPass = (error: OrreryError) => error.kind === "unavailable" || error.kind === "internal";

/**
 * Takes a run from where its journal stands to its end. Every finished step is committed before another one sees its output.
 * Returns the final status, or null when it let go of the run because the engine closes.
 * @throws what the journal throws; the run stays unfinished
 */
export async function executeRun(run: PipelineRunTable, control: RunControl, shared: Execution): Promise<FinalRunStatus | null> {
  const { journal, emit } = shared;
  const { steps } = planOf(run);
  const pipeline = run.pipeline;
  const stop = AbortSignal.any([control.cancelled, control.closing]);
  const outputs = new Map<string, unknown>();
  const ended = new Set<string>();
  for (const row of await journal.steps(run.id)) {
    if (row.status === "pending" || row.status === "running") continue;
    ended.add(row.step);
    // The journal holds JSON that this engine wrote.
    if (row.output !== null) outputs.set(row.step, JSON.parse(row.output));
  }
  await journal.setRunning(run.id, control.now());
  emit({ kind: "run", runId: run.id, pipeline, status: "running" });

  const flying = new Map<string, Promise<void>>();
  const finishStep = async (step: PlanStep) => {
    const needs = Object.fromEntries(step.needs.map((need) => [need, outputs.get(need)]));
    const result = await new StepExecution(run, step, needs, { ...control, stop }, shared).run();
    if (result === null) return;
    ended.add(step.name);
    if (result.succeeded) outputs.set(step.name, result.output);
  };
  try {
    for (;;) {
      if (!stop.aborted) {
        // In the plan's order a skipped step may stand before the one that it is skipped for; repeat until nothing changes.
        for (let before = -1; before !== ended.size; ) {
          before = ended.size;
          for (const { name, needs } of steps) {
            if (ended.has(name) || flying.has(name) || !needs.some((need) => ended.has(need) && !outputs.has(need))) continue;
            await journal.skip(run.id, name, control.now());
            ended.add(name);
            emit({ kind: "step", runId: run.id, pipeline, step: name, status: "skipped", attempt: 0, error: null });
          }
        }
        for (const step of steps) {
          if (ended.has(step.name) || flying.has(step.name) || !step.needs.every((need) => outputs.has(need))) continue;
          flying.set(
            step.name,
            finishStep(step).finally(() => flying.delete(step.name)),
          );
        }
      }
      if (flying.size === 0) break;
      await Promise.race(flying.values());
    }
  } finally {
    // After an error of the journal the others end too before anybody takes the run up again.
    await Promise.allSettled(flying.values());
  }
  if (control.closing.aborted && ended.size < steps.length) return null;
  const status = outputs.size === steps.length ? "succeeded" : control.cancelled.aborted ? "cancelled" : "failed";
  await journal.finish(run.id, status, control.now());
  emit({ kind: "run", runId: run.id, pipeline, status });
  return status;
}

type StepOutcome = { readonly succeeded: true; readonly output: unknown } | { readonly succeeded: false } | null;

/** One step of one run, with its attempts. */
class StepExecution {
  readonly #run: PipelineRunTable;
  readonly #step: PlanStep;
  readonly #input: StepInput;
  readonly #control: RunControl & { readonly stop: AbortSignal };
  readonly #shared: Execution;
  #cacheKey: string | null = null;

  constructor(
    run: PipelineRunTable,
    step: PlanStep,
    needs: Readonly<Record<string, unknown>>,
    control: RunControl & { readonly stop: AbortSignal },
    shared: Execution,
  ) {
    this.#run = run;
    this.#step = step;
    this.#input = { params: { ...paramsOf(run), ...step.params }, needs };
    this.#control = control;
    this.#shared = shared;
  }

  /** null when it was let go before it had an end. */
  async run(): Promise<StepOutcome> {
    const { journal, slots, retryDelayMs } = this.#shared;
    for (let failures = 0; ; failures += 1) {
      const release = this.#step.effect ? () => {} : await slots.take();
      let attempt = 0;
      let error: OrreryError;
      try {
        if (this.#control.stop.aborted) return null;
        const cached = await this.#fromCache();
        if (cached !== null) return cached;
        attempt = await journal.begin(this.#run.id, this.#step.name, this.#control.now());
        this.#emit("running", attempt);
        const outcome = await this.#attempt(attempt);
        if ("output" in outcome) return { succeeded: true, output: outcome.output };
        error = outcome.error;
      } finally {
        release();
      }
      if (this.#control.closing.aborted) return null;
      if (this.#control.cancelled.aborted) error = pipelineErrors.PIPELINE_CANCELLED(`Step ${this.#step.name} was cancelled`);
      const again = mayPass(error) && error.code !== "PIPELINE_EFFECT_TIMEOUT" && failures < this.#step.retries;
      if (!again || this.#control.stop.aborted) {
        await journal.fail(this.#run.id, this.#step.name, attempt, error, this.#control.now());
        this.#emit("failed", attempt, error);
        return { succeeded: false };
      }
      this.#emit("retrying", attempt, error);
      const delay = Math.min(retryDelayMs * 2 ** failures, MAX_RETRY_DELAY_MS);
      await sleep(delay, undefined, { signal: this.#control.stop }).catch(() => undefined);
    }
  }

  /** Errors of the step are returned; errors of the journal are thrown, because they are the engine's. */
  async #attempt(attempt: number): Promise<{ readonly output: unknown } | { readonly error: OrreryError }> {
    const { journal } = this.#shared;
    const effectKey = this.#step.effect ? `${this.#run.id}/${this.#step.name}` : null;
    const known = effectKey === null ? null : await journal.effect(effectKey);
    let output = known;
    if (output === null) {
      try {
        const value = effectKey === null ? await this.#compute(attempt) : await this.#effect(effectKey);
        output = outputText(value, this.#step.name);
      } catch (error) {
        return { error: toOrreryError(error) };
      }
    }
    const result = { output, cacheKey: this.#cacheKey, effectKey };
    await journal.succeed(this.#run.id, this.#step.name, attempt, result, this.#control.now());
    this.#emit("succeeded", attempt);
    // What the next steps see is what the journal holds, whatever the step did to its objects since.
    return { output: JSON.parse(output) };
  }

  async #fromCache(): Promise<StepOutcome> {
    if (!this.#step.cache || this.#step.effect) return null;
    let code: string;
    try {
      code = await this.#shared.code.digestOf(this.#step);
    } catch {
      // Without a digest there is nothing to look up; the attempt meets the same problem and reports it.
      return null;
    }
    this.#cacheKey = cacheKey({ codeDigest: code, params: this.#input.params, needs: this.#input.needs });
    const output = await this.#shared.journal.cached(this.#cacheKey);
    if (output === null) return null;
    await this.#shared.journal.takeFromCache(this.#run.id, this.#step.name, this.#cacheKey, output, this.#control.now());
    this.#emit("cached", 0);
    return { succeeded: true, output: JSON.parse(output) };
  }

  async #compute(attempt: number): Promise<unknown> {
    const { code, executor, scope, context } = this.#shared;
    const { id, created_at, actor, trace_id, pipeline } = this.#run;
    const { name, module, timeoutMs } = this.#step;
    await code.digestOf(this.#step);
    const task = {
      id: `${id}/${name}/${attempt}`,
      module,
      input: this.#input,
      context: { ...context, scope, now: created_at, actor, traceId: trace_id, pipeline, runId: id, step: name, attempt },
      timeoutMs,
      code: await code.digests(),
    };
    const handle: StepHandle = executor.submit(task, (progress) =>
      this.#shared.emit({ kind: "progress", runId: id, pipeline, step: name, progress }),
    );
    const cancel = () => handle.cancel();
    this.#control.stop.addEventListener("abort", cancel, { once: true });
    if (this.#control.stop.aborted) cancel();
    try {
      return await handle.result;
    } finally {
      this.#control.stop.removeEventListener("abort", cancel);
    }
  }

  async #effect(idempotencyKey: string): Promise<unknown> {
    const { name, timeoutMs } = this.#step;
    const work = effectOf(this.#shared.effects, name);
    if (work === undefined) throw pipelineErrors.PIPELINE_EFFECT_UNKNOWN(`There is no effect ${name}`);
    const { id, pipeline, actor, trace_id, created_at } = this.#run;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    const timedOut = new Promise<never>((_, reject) => {
      late.signal.addEventListener("abort", () =>
        reject(pipelineErrors.PIPELINE_EFFECT_TIMEOUT(`The effect ${name} took longer than ${timeoutMs} ms`)),
      );
    });
    try {
      // A closing engine waits for an effect that has begun: it may have happened already.
      return await Promise.race([
        work(this.#input, {
          idempotencyKey,
          runId: id,
          step: name,
          pipeline,
          trigger: triggerOf(this.#run),
          actor,
          traceId: trace_id,
          now: created_at,
          signal: AbortSignal.any([late.signal, this.#control.cancelled]),
        }),
        timedOut,
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  #emit(
    status: "running" | "retrying" | "succeeded" | "cached" | "failed",
    attempt: number,
    error: OrreryError | null = null,
  ): void {
    const { id, pipeline } = this.#run;
    this.#shared.emit({ kind: "step", runId: id, pipeline, step: this.#step.name, status, attempt, error });
  }
}

/** @throws PIPELINE_OUTPUT_INVALID */
function outputText(value: unknown, step: string): string {
  const path = value === undefined ? null : notJson(value);
  if (path !== null) throw pipelineErrors.PIPELINE_OUTPUT_INVALID(`The output of ${step} is not JSON at output${path}`);
  const text = JSON.stringify(value ?? null);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_OUTPUT_BYTES) throw pipelineErrors.PIPELINE_OUTPUT_INVALID(`The output of ${step} has ${bytes} bytes`);
  return text;
}
