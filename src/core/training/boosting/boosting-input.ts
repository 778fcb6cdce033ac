import { checkMatrix as checkAnyMatrix } from "../check-matrix.ts";
import { checkTarget as checkAnyTarget, requireTwoClasses, type TargetSummary } from "../check-target.ts";
import { trainErrors } from "../errors.ts";
import type { Matrix, Target } from "../matrix.ts";
import type { BoostingParams } from "./boosting-params.ts";

/** Beyond, squares of sums of gradients would not be numbers. */
const LARGEST_TARGET = 1e100;
/** Every class takes a tree a round. */
const MOST_CLASSES = 1_000;

/** @throws TRAIN_NO_FEATURES, TRAIN_TOO_FEW_ROWS, TRAIN_COLUMN_INVALID */
export const checkMatrix = (matrix: Matrix): void => checkAnyMatrix(matrix, "gradient boosting");

/** Validation rows have the training matrix's columns, and of its categories only. */
export function checkValidation(validation: Matrix, training: Matrix): void {
  const { rows, columns, names } = validation;
  const { categories } = training;
  if (columns.length !== training.columns.length) {
    throw trainErrors.TRAIN_COLUMN_INVALID(
      `the validation rows have ${columns.length} columns, the training rows ${training.columns.length}`,
    );
  }
  checkMatrix({ rows, columns, ...(names && { names }), ...(categories && { categories }) });
}

/** A target that was checked, as numbers. */
export interface CheckedTarget {
  readonly values: Float64Array;
  readonly weights: Float64Array | null;
  /** Outputs of the multiclass objective: the largest class index and one. 1 for other objectives. */
  readonly classes: number;
  readonly summary: TargetSummary;
}

/** @throws TRAIN_TARGET_INVALID, TRAIN_WEIGHTS_INVALID */
export function checkTarget(target: Target, rows: number, objective: BoostingParams["objective"]): CheckedTarget {
  const { values, weights } = target;
  const summary = checkAnyTarget(rows, target, mostClasses(objective));
  const numbers = values instanceof Float64Array ? values : Float64Array.from(values);
  const least = objective === "poisson" ? 0 : -LARGEST_TARGET;
  const wrong = numbers.findIndex((value) => !(value >= least && value <= LARGEST_TARGET));
  if (wrong >= 0) {
    throw trainErrors.TRAIN_TARGET_INVALID(
      `the target of row ${wrong} is ${numbers[wrong]}; the ${objective} objective takes ${least} … ${LARGEST_TARGET}`,
    );
  }
  const isClass = mostClasses(objective) > 0;
  const classes = isClass ? numbers.reduce((most, value) => Math.max(most, value), 0) + 1 : 1;
  return { values: numbers, weights: weights ?? null, classes, summary };
}

/** Whether there is something to learn at all: validation rows need not pass this. @throws TRAIN_ONE_CLASS, TRAIN_TARGET_INVALID */
export function checkVariety({ summary }: CheckedTarget, objective: BoostingParams["objective"]): void {
  if (mostClasses(objective) > 0) requireTwoClasses(summary);
  if (objective === "poisson" && summary.mean === 0) {
    throw trainErrors.TRAIN_TARGET_INVALID("all counts are 0", { hint: "The poisson objective needs a row above 0." });
  }
}

/** 0 for objectives that predict a value. */
function mostClasses(objective: BoostingParams["objective"]): number {
  if (objective === "binary") return 2;
  return objective === "multiclass" ? MOST_CLASSES : 0;
}
