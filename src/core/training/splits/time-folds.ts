import type { Micros } from "../../time.ts";
import { trainErrors } from "../errors.ts";
import type { Fold } from "./folds.ts";

export interface TimeFoldOptions {
  readonly folds: number;
  /** Time that each fold tests on; `null`: the rows in `folds` + 1 parts of equally many. */
  readonly test: Micros | null;
  /** Time between the last row trained on and the first tested on. */
  readonly gap: Micros;
}

/**
 * Folds of an expanding window: each tests on the rows after those it trains on, the last one on the newest. A row trains only if it is
 * earlier than the first tested one by more than `gap` and its label was known before that one: nobody could have trained on it else.
 *
 * @param at when the prediction would have been made (Micros), by row, in any order
 * @param labelAt when its label became known (Micros)
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_TOO_FEW_ROWS when a fold has nothing to train on or to test
 */
export function timeSeriesFolds(at: Float64Array, labelAt: Float64Array, { folds, test, gap }: TimeFoldOptions): Fold[] {
  if (!Number.isInteger(folds) || folds < 1 || !(gap >= 0) || !(test === null || test > 0)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(
      `timeFolds() needs 1 fold or more, a gap of 0 or more and a test period above 0, not ${folds}, ${gap} and ${test}`,
    );
  }
  const order = Uint32Array.from(at.keys()).sort((a, b) => at[a] - at[b] || a - b);
  const tested = test === null ? equalParts(order, folds) : equalPeriods(order, at, folds, test);
  return tested.map((rows, fold) => {
    const start = rows.length === 0 ? Number.NaN : at[rows[0]];
    const isKnown = (row: number) => at[row] < start - gap && labelAt[row] < start;
    const train = order.filter(isKnown).sort();
    if (train.length === 0 || rows.length === 0) {
      const what = rows.length === 0 ? "to test" : "to train on";
      throw trainErrors.TRAIN_TOO_FEW_ROWS(`fold ${fold + 1} of ${folds} has no rows ${what} (${at.length} rows in all)`);
    }
    return { train, test: rows.slice().sort() };
  });
}

/** The first part, which takes the rest of the division, is only trained on. */
function equalParts(order: Uint32Array, folds: number): Uint32Array[] {
  const size = Math.floor(order.length / (folds + 1));
  return Array.from({ length: folds }, (_, fold) => {
    const start = order.length - (folds - fold) * size;
    return order.subarray(start, start + size);
  });
}

function equalPeriods(order: Uint32Array, at: Float64Array, folds: number, test: Micros): Uint32Array[] {
  const newest = at[order[order.length - 1]];
  return Array.from({ length: folds }, (_, fold) => {
    const from = newest - (folds - fold) * test;
    return order.filter((row) => at[row] > from && at[row] <= from + test);
  });
}
