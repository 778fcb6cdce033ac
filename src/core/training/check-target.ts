import { trainErrors } from "./errors.ts";
import type { Target } from "./matrix.ts";

export interface TargetSummary {
  readonly totalWeight: number;
  readonly mean: number;
  /** Of each class; empty for regression. */
  readonly shares: readonly number[];
}

/**
 * @param classes how many classes the target's indexes stand for; 0 for regression
 * @throws TRAIN_TOO_FEW_ROWS, TRAIN_TARGET_INVALID, TRAIN_WEIGHTS_INVALID, TRAIN_PARAMETER_INVALID
 */
export function checkTarget(rows: number, { values, weights }: Target, classes: number): TargetSummary {
  if (!Number.isInteger(classes) || classes < 0 || classes === 1) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`${classes} classes: give 0 for regression, or 2 and more`);
  }
  if (rows === 0) throw trainErrors.TRAIN_TOO_FEW_ROWS("there are no rows to learn from");
  if (values.length !== rows) throw trainErrors.TRAIN_TARGET_INVALID(`${values.length} labels for ${rows} rows`);
  if (weights !== undefined && weights.length !== rows) {
    throw trainErrors.TRAIN_WEIGHTS_INVALID(`${weights.length} weights for ${rows} rows`);
  }
  let totalWeight = 0;
  let mean = 0;
  const shares = new Array<number>(classes).fill(0);
  for (let row = 0; row < rows; row++) {
    const value = values[row];
    const weight = weights === undefined ? 1 : weights[row];
    if (!(weight >= 0 && Number.isFinite(weight))) throw trainErrors.TRAIN_WEIGHTS_INVALID(`row ${row} has weight ${weight}`);
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
  if (totalWeight === 0) throw trainErrors.TRAIN_WEIGHTS_INVALID("all weights are 0");
  return { totalWeight, mean, shares: shares.map((weight) => weight / totalWeight) };
}
