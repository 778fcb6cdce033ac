import type { ParameterValues } from "../../definitions/index.ts";
import type { Executor, StepTask } from "../../ports/index.ts";
import { trainErrors } from "../errors.ts";
import { type Pruner, pruneCheck, rungs } from "./pruning.ts";
import type { Direction, PruningLimit, Report, TrialResult } from "./trial.ts";

/** A trial as its evaluator gets it; plain JSON. */
export interface TrialTask {
  readonly number: number;
  readonly params: ParameterValues;
  readonly limits: readonly PruningLimit[];
  readonly direction: Direction;
}

export interface TrialControl {
  /** Milliseconds that the trial still has; null: as long as it takes. */
  timeLeftMs(): number | null;
  /** Aborts when the search is given up. */
  readonly signal: AbortSignal;
}

/** Evaluates a trial, wherever that is. What it throws makes the trial a failed one. */
export type TrialEvaluator = (task: TrialTask, control: TrialControl) => Promise<TrialResult>;

/**
 * Tells how well a trial does after `step` units of its resource, by rising step. When the trial is to be given up it throws: let
 * that pass, it ends the computation wherever it is.
 */
export type ReportScore = (step: number, value: number) => void;

/** What a trial computes: its score, and JSON that is kept with it. */
export interface TrialScore {
  readonly score: number;
  readonly detail?: unknown;
}

class GivenUp extends Error {}

/**
 * Runs a trial's computation and stops it at the trial's limits. Computation in this process cannot be cut off from outside.
 * @throws what the computation throws, TRAIN_TRIAL_SCORE_INVALID
 */
export async function runTrial(
  { limits, direction, number }: TrialTask,
  work: (report: ReportScore) => TrialScore | Promise<TrialScore>,
): Promise<TrialResult> {
  const reports: Report[] = [];
  const stops = pruneCheck(limits, direction);
  const report: ReportScore = (step, value) => {
    const last = reports.at(-1);
    if (last !== undefined && !(step > last.step))
      throw trainErrors.TRAIN_PARAMETER_INVALID(`Trial ${number} reported step ${step} after step ${last.step}`);
    const made: Report = { step, value: Number.isFinite(value) ? value : null };
    reports.push(made);
    if (stops(made)) throw new GivenUp();
  };
  try {
    const { score, detail = null } = await work(report);
    if (!Number.isFinite(score)) throw trainErrors.TRAIN_TRIAL_SCORE_INVALID(`The score of trial ${number} is ${score}`);
    return { state: "finished", score, reports, detail };
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
    return { state: "pruned", reports, detail: null };
  }
}

/**
 * Scores a trial on more and more of its resource, as far as a halving pruner lets it: on the share of each rung, then on all. A
 * pruner without rungs goes straight to all.
 *
 * @param scoreOn trains and scores on a share of the rows, above 0; 1 for all
 */
export async function climbRungs(
  pruner: Pruner,
  report: ReportScore,
  scoreOn: (share: number) => Promise<TrialScore>,
): Promise<TrialScore> {
  if (pruner.kind === "halving") for (const step of rungs(pruner)) report(step, (await scoreOn(step / pruner.maxResource)).score);
  return scoreOn(1);
}

/** Evaluates in this process: for what takes no time, and for tests. */
export const evaluateHere =
  (work: (params: ParameterValues, report: ReportScore, task: TrialTask) => TrialScore | Promise<TrialScore>): TrialEvaluator =>
  (task) =>
    runTrial(task, (report) => work(task.params, report, task));

/** What a step module that evaluates trials is given. */
export interface TrialStepInput<Input> {
  readonly input: Input;
  readonly trial: TrialTask;
}

export interface ProcessOptions extends Pick<StepTask, "context" | "code"> {
  readonly executor: Executor;
  /** File URL of a module whose default export is `trialStep(…)`. */
  readonly module: string;
  /** JSON that every trial gets beside its parameters. */
  readonly input: unknown;
  /** Begins the tasks' ids, for the log. */
  readonly name: string;
}

/**
 * Evaluates in the processes of an executor, each trial a step. A trial that hangs is killed when its time is over, one that dies
 * takes only its own process along.
 */
export const evaluateInProcesses =
  ({ executor, name, input, ...step }: ProcessOptions): TrialEvaluator =>
  async (trial, control) => {
    const task: TrialStepInput<unknown> = { input, trial };
    // What the module answers is what trialStep makes.
    return (await runStep(executor, { ...step, id: `${name}/${trial.number}`, input: task }, control)) as TrialResult;
  };

/** Runs a step in an executor for as long as a trial may take, and cancels it when the search is given up. */
export async function runStep(
  executor: Executor,
  task: Omit<StepTask, "timeoutMs">,
  { timeLeftMs, signal }: TrialControl,
): Promise<unknown> {
  const timeoutMs = timeLeftMs();
  const handle = executor.submit({ ...task, ...(timeoutMs === null ? {} : { timeoutMs }) });
  const cancel = () => handle.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    return await handle.result;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** Makes a step module's default export of a function that computes a trial's score. */
export const trialStep =
  <Input, Context>(
    work: (task: TrialStepInput<Input>, report: ReportScore, context: Context) => TrialScore | Promise<TrialScore>,
  ) =>
  async (task: TrialStepInput<Input>, context: Context): Promise<TrialResult> =>
    runTrial(task.trial, (report) => work(task, report, context));
