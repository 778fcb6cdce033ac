import { toOrreryError } from "../../errors.ts";
import type { Clock } from "../../ports/index.ts";
import type { Micros } from "../../time.ts";
import { trainErrors } from "../errors.ts";
import type { JournaledStudy } from "./journaled-study.ts";
import type { TrialControl, TrialEvaluator } from "./run-trial.ts";
import { isStale, type SearchBudget, type SearchEnd } from "./search-budget.ts";
import type { EndedTrial, RunningTrial, TrialOutcome } from "./trial.ts";
import { workInParallel } from "./work-in-parallel.ts";

/** A study together with what evaluates its trials. */
export interface SearchedStudy {
  readonly name: string;
  readonly journaled: JournaledStudy;
  readonly evaluate: TrialEvaluator;
}

export interface SearchSettings {
  readonly budget: SearchBudget;
  /** Trials that are evaluated at once; 1 when absent. */
  readonly workers?: number;
  readonly clock: Clock;
  /** A trial that takes longer is killed and counts as failed. */
  readonly trialTime?: Micros;
  /** Failed trials in a row after which a study is given up; 5 when absent. */
  readonly failures?: number;
  /** Ends the search; running trials are cut off and can be taken up again from the journal. */
  readonly signal?: AbortSignal;
}

export const DEFAULT_FAILURES = 5;

/** @throws TRAIN_PARAMETER_INVALID */
export function checkSettings({ workers = 1, trialTime = 1, failures = DEFAULT_FAILURES }: SearchSettings): void {
  const refuse = (what: string) => trainErrors.TRAIN_PARAMETER_INVALID(`A search takes ${what}`);
  if (!(Number.isSafeInteger(workers) && workers > 0)) throw refuse(`workers from 1, not ${workers}`);
  if (!(Number.isSafeInteger(failures) && failures > 0)) throw refuse(`failures from 1, not ${failures}`);
  if (!(trialTime > 0)) throw refuse(`a trial's time above 0, not ${trialTime} microseconds`);
}

/**
 * Asks, evaluates and tells until the budget is spent or nothing is left to ask. The studies' scores must be comparable.
 *
 * @param choose which of the studies that may have more to ask is asked next; null: none
 * @param onEnded after each trial that was told, in the order in which they ended
 * @throws what the journal throws
 */
export async function runSearch(
  studies: readonly SearchedStudy[],
  settings: SearchSettings,
  choose: (open: readonly SearchedStudy[]) => SearchedStudy | null,
  onEnded: (trial: EndedTrial, study: SearchedStudy) => void,
): Promise<SearchEnd> {
  const { budget, clock, workers = 1, signal = new AbortController().signal } = settings;
  const giveUp = new AbortController();
  const stop = AbortSignal.any([signal, giveUp.signal]);
  const spent = Math.max(0, ...studies.map(({ journaled }) => journaled.spent));
  const deadline = budget.time === undefined ? Number.POSITIVE_INFINITY : clock.now() + budget.time - spent;
  const exhausted = new Set<SearchedStudy>();

  const reached = (): SearchEnd | null => {
    if (stop.aborted) return "cancelled";
    if (clock.now() >= deadline) return "time";
    const ended = studies.flatMap(({ journaled }) => journaled.study.ended);
    const begun = studies.reduce((sum, { journaled }) => sum + journaled.study.running.length, ended.length);
    if (budget.trials !== undefined && begun >= budget.trials) return "trials";
    return isStale(ended, studies[0].journaled.study.spec.direction, budget) ? "patience" : null;
  };

  const evaluate = async (study: SearchedStudy, trial: RunningTrial): Promise<void> => {
    const outcome = await outcomeOf(study, trial, { signal: stop, timeLeftMs: timeLeft(settings, deadline) });
    // What the end of the search cut off has neither finished nor failed: the journal holds it as begun.
    if (outcome.state === "failed" && (stop.aborted || clock.now() >= deadline)) return;
    onEnded(await study.journaled.tell(trial.number, outcome, clock.now()), study);
  };

  const next = async () => {
    while (reached() === null) {
      const study = choose(studies.filter((each) => !exhausted.has(each)));
      if (study === null) return null;
      const trial = await study.journaled.ask(clock.now());
      if (trial !== null) return () => evaluate(study, trial);
      exhausted.add(study);
    }
    return null;
  };

  await workInParallel(workers, next, () => giveUp.abort());
  return reached() ?? "exhausted";
}

/** What is left of a trial's and of the search's time, from now on. */
function timeLeft({ trialTime = Number.POSITIVE_INFINITY, clock }: SearchSettings, deadline: Micros): () => number | null {
  const end = Math.min(clock.now() + trialTime, deadline);
  if (end === Number.POSITIVE_INFINITY) return () => null;
  // Rounded up, so that the deadline has passed when the time is over.
  return () => Math.ceil(Math.max(0, end - clock.now()) / 1_000) + 1;
}

async function outcomeOf(
  { journaled, evaluate }: SearchedStudy,
  { number, params, limits }: RunningTrial,
  control: TrialControl,
): Promise<TrialOutcome> {
  const { direction } = journaled.study.spec;
  try {
    return await evaluate({ number, params, limits, direction }, control);
  } catch (error) {
    return { state: "failed", reports: [], error: toOrreryError(error).toJSON() };
  }
}
