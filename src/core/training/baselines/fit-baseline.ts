import { checkTarget } from "../check-target.ts";
import { trainErrors } from "../errors.ts";
import type { Target } from "../matrix.ts";
import type { BaselineEstimator } from "../model.ts";

export interface BaselineOptions {
  /**
   * prior: the classes' shares; majority: the most frequent class (of equally frequent ones the first); mean, median: of the
   * values; last-value: the label that became known last.
   */
  readonly strategy: "prior" | "majority" | "mean" | "median" | "last-value";
  /** How many classes the target's indexes stand for; 0 for regression. */
  readonly classes: number;
  /** When each label became known, for `last-value`; absent: in the order of rows. Of equal times the last row counts. */
  readonly knownAt?: ArrayLike<number>;
}

const STRATEGIES: readonly BaselineOptions["strategy"][] = ["prior", "majority", "mean", "median", "last-value"];

/**
 * Says the same of every row: a value, the positive class's probability, or one probability a class. Rows count by their weight.
 *
 * @throws TRAIN_PARAMETER_INVALID where the strategy is unknown or does not fit the task, TRAIN_TOO_FEW_ROWS, TRAIN_TARGET_INVALID,
 * TRAIN_WEIGHTS_INVALID
 */
export function fitBaseline(target: Target, { strategy, classes, knownAt }: BaselineOptions): BaselineEstimator {
  if (!STRATEGIES.includes(strategy)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`baseline: the strategy is ${strategy}, not one of ${STRATEGIES.join(", ")}`);
  }
  const isForClasses = strategy === "prior" || strategy === "majority";
  if (strategy !== "last-value" && isForClasses !== classes > 0) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`baseline ${strategy} is not for ${classes > 0 ? "classes" : "regression"}`);
  }
  const { shares, mean } = checkTarget(target.values.length, target, classes);
  switch (strategy) {
    case "prior":
      return constant(classes === 2 ? [shares[1]] : shares);
    case "majority":
      return constant(certain(shares.indexOf(Math.max(...shares)), classes));
    case "mean":
      return constant([mean]);
    case "median":
      return constant([weightedMedian(target)]);
    case "last-value": {
      const last = target.values[latestRow(target, knownAt)];
      return constant(classes === 0 ? [last] : certain(last, classes));
    }
  }
}

const constant = (output: readonly number[]): BaselineEstimator => ({
  kind: "baseline",
  link: "identity",
  output: Float64Array.from(output),
});

/** Probability 1 for a class. */
function certain(label: number, classes: number): number[] {
  return classes === 2 ? [label] : Array.from({ length: classes }, (_, k) => (k === label ? 1 : 0));
}

/** Half of the weight lies on either side; where that is so of all numbers between two values, their middle. */
function weightedMedian({ values, weights }: Target): number {
  const rows = [...values.keys()].filter((row) => weights === undefined || weights[row] > 0);
  rows.sort((a, b) => values[a] - values[b]);
  const weightOf = (row: number) => (weights === undefined ? 1 : weights[row]);
  const half = rows.reduce((sum, row) => sum + weightOf(row), 0) / 2;
  let below = 0;
  for (let i = 0; i < rows.length; i++) {
    below += weightOf(rows[i]);
    if (below > half || i === rows.length - 1) return values[rows[i]];
    if (below === half) return values[rows[i]] / 2 + values[rows[i + 1]] / 2;
  }
  throw new Error("checkTarget lets no target without weight through");
}

function latestRow({ values, weights }: Target, knownAt: ArrayLike<number> | undefined): number {
  if (knownAt !== undefined && knownAt.length !== values.length) {
    throw trainErrors.TRAIN_TARGET_INVALID(`${knownAt.length} times of knowledge for ${values.length} labels`);
  }
  let latest = -1;
  for (let row = 0; row < values.length; row++) {
    if (weights !== undefined && weights[row] === 0) continue;
    if (latest < 0 || knownAt === undefined || knownAt[row] >= knownAt[latest]) latest = row;
  }
  return latest;
}
