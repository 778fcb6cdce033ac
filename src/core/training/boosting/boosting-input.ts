import { trainErrors } from "../errors.ts";
import type { Matrix, Target } from "../matrix.ts";
import type { BoostingParams } from "./boosting-params.ts";

/** Beyond, squares of sums of gradients would not be numbers. */
const LARGEST_TARGET = 1e100;

/** @throws TRAIN_NO_FEATURES, TRAIN_TOO_FEW_ROWS, TRAIN_COLUMN_INVALID */
export function checkMatrix({ rows, columns, categories = [], names = [] }: Matrix): void {
  if (rows === 0) throw trainErrors.TRAIN_TOO_FEW_ROWS("gradient boosting has no rows to train on");
  if (columns.length === 0) throw trainErrors.TRAIN_NO_FEATURES("gradient boosting has no columns to train on");
  columns.forEach((column, index) => {
    const name = names[index] ?? `column ${index}`;
    if (column.length !== rows) throw trainErrors.TRAIN_COLUMN_INVALID(`${name} has ${column.length} values for ${rows} rows`);
    const count = categories[index] ?? 0;
    const wrong = count === 0 ? -1 : column.findIndex((code) => !isCode(code, count));
    if (wrong >= 0)
      throw trainErrors.TRAIN_COLUMN_INVALID(`${name} has ${count} categories; row ${wrong} holds ${column[wrong]}`);
  });
}

/** Validation rows have the training matrix's columns, and of its categories only. */
export function checkValidation(validation: Matrix, training: Matrix): void {
  const { length } = training.columns;
  if (validation.columns.length !== length) {
    throw trainErrors.TRAIN_COLUMN_INVALID(
      `the validation rows have ${validation.columns.length} columns, the training rows ${length}`,
    );
  }
  const { rows, columns, names = [] } = validation;
  checkMatrix({ rows, columns, names, categories: training.categories ?? [] });
}

const isCode = (code: number, count: number): boolean =>
  Number.isNaN(code) || (Number.isInteger(code) && code >= 0 && code < count);

/** A target that was checked, as numbers. */
export interface CheckedTarget {
  readonly values: Float64Array;
  readonly weights: Float64Array | null;
  /** Outputs of the multiclass objective: the largest class index and one. 1 for other objectives. */
  readonly classes: number;
}

/** @throws TRAIN_TARGET_INVALID, TRAIN_WEIGHTS_INVALID, TRAIN_ONE_CLASS */
export function checkTarget({ values, weights }: Target, rows: number, objective: BoostingParams["objective"]): CheckedTarget {
  if (values.length !== rows) throw trainErrors.TRAIN_TARGET_INVALID(`${values.length} targets for ${rows} rows`);
  if (weights !== undefined) checkWeights(weights, rows);
  const numbers = values instanceof Float64Array ? values : Float64Array.from(values);
  const wrong = numbers.findIndex((value) => !isTarget(value, objective));
  if (wrong >= 0)
    throw trainErrors.TRAIN_TARGET_INVALID(`row ${wrong}: ${numbers[wrong]} is no target of the ${objective} objective`);
  const isClass = objective === "binary" || objective === "multiclass";
  const classes = isClass ? numbers.reduce((most, value) => Math.max(most, value), 0) + 1 : 1;
  return { values: numbers, weights: weights ?? null, classes };
}

/** Whether there is something to learn at all: validation rows need not pass this. */
export function checkVariety({ values, weights }: CheckedTarget, objective: BoostingParams["objective"]): void {
  const weighs = (row: number): boolean => weights === null || weights[row] > 0;
  const first = values.findIndex((_, row) => weighs(row));
  if (first < 0) throw trainErrors.TRAIN_WEIGHTS_INVALID("every row has weight 0");
  if (objective === "poisson" && !values.some((value, row) => value > 0 && weighs(row))) {
    throw trainErrors.TRAIN_TARGET_INVALID("all counts are 0", { hint: "The poisson objective needs a row above 0." });
  }
  if (objective !== "binary" && objective !== "multiclass") return;
  if (values.some((value, row) => value !== values[first] && weighs(row))) return;
  throw trainErrors.TRAIN_ONE_CLASS(`all ${values.length} training rows that weigh anything are of class ${values[first]}`);
}

function isTarget(value: number, objective: BoostingParams["objective"]): boolean {
  switch (objective) {
    case "binary":
      return value === 0 || value === 1;
    case "multiclass":
      return Number.isInteger(value) && value >= 0 && value < 1_000;
    case "poisson":
      return value >= 0 && value <= LARGEST_TARGET;
    case "squared":
    case "quantile":
      return Math.abs(value) <= LARGEST_TARGET;
  }
}

function checkWeights(weights: Float64Array, rows: number): void {
  if (weights.length !== rows) throw trainErrors.TRAIN_WEIGHTS_INVALID(`${weights.length} weights for ${rows} rows`);
  const wrong = weights.findIndex((weight) => !(weight >= 0 && weight <= LARGEST_TARGET));
  if (wrong >= 0) throw trainErrors.TRAIN_WEIGHTS_INVALID(`row ${wrong} has weight ${weights[wrong]}`);
}
