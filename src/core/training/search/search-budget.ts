import type { Micros } from "../../time.ts";
import { trainErrors } from "../errors.ts";
import { type Direction, type EndedTrial, lossOf, rankTrials } from "./trial.ts";

/** A search ends at the first of these that is reached; at least one is given, but for a grid, which has an end. */
export interface SearchBudget {
  /** Trials, whatever came of them. */
  readonly trials?: number;
  /** Time of all processes that worked on it one after the other. */
  readonly time?: Micros;
  /** Ends when so many trials have ended since the best score last improved. */
  readonly patience?: number;
  /** What counts as an improvement is at least this much better; 0 when absent. */
  readonly improvement?: number;
}

/** Why a search ended. `exhausted`: every point has been tried; `cancelled`: its signal was aborted. */
export type SearchEnd = "trials" | "time" | "patience" | "exhausted" | "cancelled";

/** @throws TRAIN_PARAMETER_INVALID */
export function checkBudget({ trials, time, patience, improvement }: SearchBudget, endless: boolean): void {
  if (endless && trials === undefined && time === undefined && patience === undefined)
    throw trainErrors.TRAIN_PARAMETER_INVALID("A search without a budget would not end: give trials, time or patience");
  const whole = { trials, patience };
  for (const [name, value] of Object.entries(whole))
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      throw trainErrors.TRAIN_PARAMETER_INVALID(`The budget's ${name} is ${value}; it takes an integer from 1`);
  if (time !== undefined && !(time > 0)) throw trainErrors.TRAIN_PARAMETER_INVALID(`The budget's time is ${time} microseconds`);
  if (improvement !== undefined && !(improvement >= 0))
    throw trainErrors.TRAIN_PARAMETER_INVALID(`The budget's improvement is ${improvement}; it takes a number from 0`);
}

/** Whether the last `patience` trials, in the order in which they ended, brought no improvement. */
export function isStale(
  ended: readonly EndedTrial[],
  direction: Direction,
  { patience, improvement = 0 }: SearchBudget,
): boolean {
  if (patience === undefined || rankTrials(ended, direction).length === 0) return false;
  let best = Number.POSITIVE_INFINITY;
  let since = 0;
  for (const trial of ended.toSorted((a, b) => a.endedAt - b.endedAt || a.number - b.number)) {
    since += 1;
    if (trial.state !== "finished") continue;
    const loss = lossOf(trial.score, direction);
    if (!(best - loss > improvement)) continue;
    best = loss;
    since = 0;
  }
  return since >= patience;
}
