import { trainErrors } from "./errors.ts";
import type { Target } from "./matrix.ts";

export interface TargetSummary {
  readonly totalWeight: number;
  readonly mean: number;
  /** Of each class; empty for regression. */
  readonly shares: readonly number[];
}

/** Beyond, sums of weighted squares would not be numbers. */
const LARGEST_WEIGHT = 1e100;

/**
 * The check of labels and weights that all estimators share.
 * @param classes how many classes the target's indexes stand for; 0 for regression
 * @throws TRAIN_TOO_FEW_ROWS, TRAIN_TARGET_INVALID, TRAIN_WEIGHTS_INVALID, TRAIN_PARAMETER_INVALID
 */
export function checkTarget(rows: number, { values, weights }: Target, classes: number): TargetSummary {
  if (!Number.isInteger(classes) || classes < 0 || classes === 1) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`${classes} classes: give 0 for regression, or 2 and more`);
  }
  if (rows === 0) throw trainErrors.TRAIN_TOO_FEW_ROWS("there are no rows to learn from");
  if (values.length !== rows) throw trainErrors.TRAIN_TARGET_INVALID(`${values.length} labels for ${rows} rows`);
  checkWeights(weights, rows);
  let totalWeight = 0;
  let mean = 0;
  const shares = new Array<number>(classes).fill(0);
  for (let row = 0; row < rows; row++) {
    const value = values[row];
    const weight = weights === undefined ? 1 : weights[row];
    const isLabel = classes === 0 ? Number.isFinite(value) : Number.isInteger(value) && value >= 0 && value < classes;
    if (!isLabel) {
      const expected = classes === 0 ? "a finite number" : `one of 0 … ${classes - 1}`;
      throw trainErrors.TRAIN_TARGET_INVALID(`the label of row ${row} is ${value}, not ${expected}`);
    }
    if (weight === 0) continue;
    totalWeight += weight;
    mean += (weight / totalWeight) * (value - mean);
    if (classes > 0) shares[value] += weight;
  }
  return { totalWeight, mean, shares: shares.map((weight) => weight / totalWeight) };
}

/** The sum of the weights; without weights, the number of rows. @throws TRAIN_WEIGHTS_INVALID */
export function checkWeights(weights: Float64Array | undefined, rows: number): number {
  if (weights === undefined) return rows;
  if (weights.length !== rows) throw trainErrors.TRAIN_WEIGHTS_INVALID(`${weights.length} weights for ${rows} rows`);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    if (!(weights[row] >= 0 && weights[row] <= LARGEST_WEIGHT)) {
      throw trainErrors.TRAIN_WEIGHTS_INVALID(`row ${row} has weight ${weights[row]}, not one from 0 to ${LARGEST_WEIGHT}`);
    }
    total += weights[row];
  }
  if (total === 0) throw trainErrors.TRAIN_WEIGHTS_INVALID("all weights are 0");
  return total;
}

/**
 * Classes may lack rows: a training period need not hold them all. Of one class alone there is nothing to learn.
 * @throws TRAIN_ONE_CLASS unless rows of two classes weigh something
 */
export function requireTwoClasses({ shares }: TargetSummary): void {
  if (shares.filter((share) => share > 0).length >= 2) return;
  const only = shares.findIndex((share) => share > 0);
  throw trainErrors.TRAIN_ONE_CLASS(`all training rows that weigh anything are of class ${only} of 0 … ${shares.length - 1}`);
}
