import type { ParameterValues } from "../../definitions/index.ts";
import type { OrreryError } from "../../errors.ts";
import type { Micros } from "../../time.ts";

export type Direction = "minimize" | "maximize";

/** A score on the way: after `step` units of the trial's resource (trees, folds, rows). `null` where it was undefined. */
export interface Report {
  readonly step: number;
  readonly value: number | null;
}

interface Started {
  /** From 0, in the order in which trials were asked for. */
  readonly number: number;
  readonly params: ParameterValues;
  readonly startedAt: Micros;
}

/** A trial that is to be evaluated, or is being. */
export interface RunningTrial extends Started {
  readonly limits: readonly PruningLimit[];
}

/** A trial stops when its first report at or after `step` is worse than `worst`. */
export interface PruningLimit {
  readonly step: number;
  readonly worst: number;
}

/** What came of a trial. `detail` is the evaluator's own JSON: a run's id, a reference to predictions. */
export type TrialResult =
  | { readonly state: "finished"; readonly score: number; readonly reports: readonly Report[]; readonly detail: unknown }
  | { readonly state: "pruned"; readonly reports: readonly Report[]; readonly detail: unknown };

export type TrialOutcome =
  | TrialResult
  | { readonly state: "failed"; readonly reports: readonly Report[]; readonly error: ReturnType<OrreryError["toJSON"]> };

export type EndedTrial = Started & { readonly endedAt: Micros } & TrialOutcome;
export type FinishedTrial = Extract<EndedTrial, { state: "finished" }>;

/** Scores as losses, so that less is better whatever the direction. */
export const lossOf = (score: number, direction: Direction): number => (direction === "minimize" ? score : -score);

/** The finished trials, best first; of equal ones the earlier. */
export function rankTrials(trials: readonly EndedTrial[], direction: Direction): FinishedTrial[] {
  return trials
    .filter((trial) => trial.state === "finished")
    .toSorted((a, b) => lossOf(a.score, direction) - lossOf(b.score, direction) || a.number - b.number);
}
