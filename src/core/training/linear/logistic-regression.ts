import { checkTarget } from "../check-target.ts";
import { trainErrors } from "../errors.ts";
import type { Matrix, Target } from "../matrix.ts";
import type { LinearEstimator } from "../model.ts";
import { createDesign } from "./design.ts";
import { fitGeneralized } from "./fit-generalized.ts";
import { logistic, softmax } from "./loss-family.ts";
import { type IterationParams, stoppingRule } from "./params.ts";

export interface LogisticRegressionParams extends IterationParams {
  /** Inverse strength of the penalty; infinite for none. */
  readonly c?: number;
  /** Share of the penalty that is on absolute values (which makes coefficients 0) and not on squares; 0 … 1. */
  readonly l1Ratio?: number;
  /** How many classes there are; 2 gives one score, more give one a class. */
  readonly classes?: number;
}

/**
 * Logistic regression: minimises sum of weight x log loss + (l1Ratio |w| + (1 - l1Ratio) w^2 / 2) / c over the coefficients,
 * intercepts unpenalised, which has the minimum of scikit-learn's `LogisticRegression(C=c, l1_ratio=l1Ratio)`. More than two
 * classes share a softmax; their intercepts sum to 0. Stops when no component of the mean loss's gradient, by columns of mean 0
 * and variance 1, is above `tolerance`.
 *
 * @param target class indexes 0 … classes - 1
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_TARGET_INVALID, TRAIN_ONE_CLASS, TRAIN_NOT_CONVERGED, and what createDesign throws
 */
export function fitLogisticRegression(matrix: Matrix, target: Target, params: LogisticRegressionParams = {}): LinearEstimator {
  const { c = 1, l1Ratio = 0, classes = 2 } = params;
  if (!(c > 0)) throw trainErrors.TRAIN_PARAMETER_INVALID(`logistic regression: c is ${c}, not above 0`);
  if (!(l1Ratio >= 0 && l1Ratio <= 1)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`logistic regression: l1Ratio is ${l1Ratio}, not 0 … 1`);
  }
  if (!(Number.isInteger(classes) && classes >= 2)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`logistic regression: ${classes} classes, not 2 or more`);
  }
  const stopping = stoppingRule("logistic regression", params);
  const design = createDesign(matrix, target.weights);
  const { shares } = checkTarget(matrix.rows, target, classes);
  const absent = shares.indexOf(0);
  if (absent >= 0) throw trainErrors.TRAIN_ONE_CLASS(`no row is of class ${absent} of 0 … ${classes - 1}`);
  const strength = 1 / (c * design.totalWeight);
  const isBinary = classes === 2;
  const fitted = fitGeneralized(
    {
      design,
      targets: target.values,
      family: isBinary ? logistic : softmax(classes),
      penalties: { l1: l1Ratio * strength, l2: (1 - l1Ratio) * strength },
      intercepts: isBinary ? [Math.log(shares[1] / shares[0])] : shares.map(Math.log),
    },
    stopping,
    "logistic regression",
  );
  if (strength === 0) refuseSeparation(matrix, target, fitted, classes);
  const middle = isBinary ? 0 : fitted.intercepts.reduce((sum, intercept) => sum + intercept, 0) / classes;
  return {
    kind: "linear",
    link: isBinary ? "logit" : "softmax",
    intercepts: fitted.intercepts.map((intercept) => intercept - middle),
    coefficients: fitted.coefficients,
  };
}

/**
 * Without a penalty there is no minimum where every row can be put on its own side: scaling such coefficients up always gains.
 */
function refuseSeparation(
  matrix: Matrix,
  { values, weights }: Target,
  { intercepts, coefficients }: { intercepts: Float64Array; coefficients: Float64Array },
  classes: number,
): void {
  const width = matrix.columns.length;
  for (let row = 0; row < matrix.rows; row++) {
    if (weights !== undefined && weights[row] === 0) continue;
    const scores = Array.from(intercepts, (intercept, k) =>
      matrix.columns.reduce((sum, column, j) => sum + coefficients[k * width + j] * column[row], intercept),
    );
    const own = values[row];
    const margin = classes === 2 ? scores[0] * (2 * own - 1) : scores[own] - Math.max(...scores.filter((_, k) => k !== own));
    if (!(margin > 0)) return;
  }
  throw trainErrors.TRAIN_NOT_CONVERGED(
    "logistic regression: the columns separate the classes, so without a penalty the coefficients grow without end",
    { hint: "Give c a finite value." },
  );
}
