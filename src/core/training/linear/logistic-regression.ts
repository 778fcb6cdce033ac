import { aboveZero, either, LOGISTIC_RULES, logisticRegression, type ValueRules, wholeFrom } from "../../definitions/index.ts";
import { checkTarget, requireTwoClasses } from "../check-target.ts";
import { checkValues } from "../check-values.ts";
import { trainErrors } from "../errors.ts";
import type { Matrix, Target } from "../matrix.ts";
import type { LinearEstimator } from "../model.ts";
import { MAX_LOG_ODDS } from "../score-estimator.ts";
import { createDesign } from "./design.ts";
import { type Coefficients, fitGeneralized } from "./fit-generalized.ts";
import { logistic, softmax } from "./loss-family.ts";
import { ITERATION_RULES, type IterationParams, stoppingRule } from "./params.ts";

export interface LogisticRegressionParams extends IterationParams {
  /** Inverse strength of the penalty; infinite for none. */
  readonly c?: number;
  /** Share of the penalty that is on absolute values (which makes coefficients 0) and not on squares; 0 … 1. */
  readonly l1Ratio?: number;
  /** How many classes there are; 2 gives one score, more give one a class. */
  readonly classes?: number;
}

/** Unlike in a definition, which travels as JSON, there may be no penalty at all. */
const RULES: ValueRules = {
  ...LOGISTIC_RULES,
  ...ITERATION_RULES,
  c: either(aboveZero, { wanted: "infinite", accepts: (value) => value === Number.POSITIVE_INFINITY }),
  classes: wholeFrom(2),
};

/**
 * Logistic regression: minimises sum of weight x log loss + (l1Ratio |w| + (1 - l1Ratio) w^2 / 2) / c over the coefficients,
 * intercepts unpenalised, which has the minimum of scikit-learn's `LogisticRegression(C=c, l1_ratio=l1Ratio)`. More than two
 * classes share a softmax; their intercepts sum to 0. Stops when no component of the mean loss's gradient, by columns of mean 0
 * and variance 1, is above `tolerance`.
 *
 * Of more than two classes some may have no rows: their probability is 0, as near as finite numbers come (below 10^-15), and the others
 * are what they would be without them.
 *
 * @param target class indexes 0 … classes - 1
 * @param params what is left out is taken from `logisticRegression()`; two classes
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_TARGET_INVALID, TRAIN_ONE_CLASS where fewer than two classes have rows, TRAIN_NOT_CONVERGED, and what createDesign throws
 */
export function fitLogisticRegression(matrix: Matrix, target: Target, params: LogisticRegressionParams = {}): LinearEstimator {
  const values = { ...logisticRegression().params, classes: 2, ...params };
  checkValues("logistic regression", values, RULES);
  const { c, l1Ratio, classes } = values;
  const stopping = stoppingRule(values);
  const design = createDesign(matrix, target.weights);
  const summary = checkTarget(matrix.rows, target, classes);
  requireTwoClasses(summary);
  const present = [...summary.shares.keys()].filter((k) => summary.shares[k] > 0);
  const placeOf = Int32Array.from(summary.shares, (_, k) => present.indexOf(k));
  const shares = present.map((k) => summary.shares[k]);
  const strength = 1 / (c * design.totalWeight);
  const isBinary = classes === 2;
  const dense = { values: Int32Array.from(target.values, (k) => Math.max(0, placeOf[k])), weights: target.weights };
  const fitted = fitGeneralized(
    {
      design,
      targets: dense.values,
      family: isBinary ? logistic : softmax(present.length),
      penalties: { l1: l1Ratio * strength, l2: (1 - l1Ratio) * strength },
      intercepts: isBinary ? [Math.log(shares[1] / shares[0])] : shares.map(Math.log),
    },
    stopping,
    "logistic regression",
  );
  if (strength === 0) refuseSeparation(matrix, dense, fitted);
  if (isBinary) return { kind: "linear", link: "logit", ...fitted };
  return { kind: "linear", link: "softmax", ...withAbsentClasses(fitted, placeOf) };
}

/**
 * Classes that no row is of would have an intercept of minus infinity. Theirs is finite instead: such a class scores log 10^15 below the
 * mean score of the others, so that its probability is below 10^-15 for every row.
 * @param placeOf by class: its output among those that were fitted; -1 for an absent class
 */
function withAbsentClasses({ intercepts, coefficients }: Coefficients, placeOf: Int32Array): Coefficients {
  const width = coefficients.length / intercepts.length;
  const mean = meanOutput(intercepts, coefficients);
  const all = { intercepts: new Float64Array(placeOf.length), coefficients: new Float64Array(placeOf.length * width) };
  placeOf.forEach((place, k) => {
    const isAbsent = place < 0;
    all.intercepts[k] = isAbsent ? mean.intercept - MAX_LOG_ODDS : intercepts[place];
    all.coefficients.set(isAbsent ? mean.coefficients : coefficients.subarray(place * width, (place + 1) * width), k * width);
  });
  const middle = all.intercepts.reduce((sum, intercept) => sum + intercept, 0) / placeOf.length;
  return { ...all, intercepts: all.intercepts.map((intercept) => intercept - middle) };
}

function meanOutput(intercepts: Float64Array, coefficients: Float64Array) {
  const outputs = intercepts.length;
  const mean = new Float64Array(coefficients.length / outputs);
  coefficients.forEach((coefficient, at) => {
    mean[at % mean.length] += coefficient / outputs;
  });
  return { intercept: intercepts.reduce((sum, intercept) => sum + intercept, 0) / outputs, coefficients: mean };
}

/**
 * Without a penalty there is no minimum where every row can be put on its own side: scaling such coefficients up always gains.
 */
function refuseSeparation(
  matrix: Matrix,
  { values, weights }: { readonly values: ArrayLike<number>; readonly weights: Float64Array | undefined },
  { intercepts, coefficients }: Coefficients,
): void {
  const width = matrix.columns.length;
  for (let row = 0; row < matrix.rows; row++) {
    if (weights !== undefined && weights[row] === 0) continue;
    const scores = Array.from(intercepts, (intercept, k) =>
      matrix.columns.reduce((sum, column, j) => sum + coefficients[k * width + j] * column[row], intercept),
    );
    const own = values[row];
    const isBinary = scores.length === 1;
    const margin = isBinary ? scores[0] * (2 * own - 1) : scores[own] - Math.max(...scores.filter((_, k) => k !== own));
    if (!(margin > 0)) return;
  }
  throw trainErrors.TRAIN_NOT_CONVERGED(
    "logistic regression: the columns separate the classes, so without a penalty the coefficients grow without end",
    { hint: "Give c a finite value." },
  );
}
