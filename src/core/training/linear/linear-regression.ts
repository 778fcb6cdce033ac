import { LINEAR_RULES, linearRegression } from "../../definitions/index.ts";
import { checkTarget } from "../check-target.ts";
import { checkValues } from "../check-values.ts";
import { trainErrors } from "../errors.ts";
import type { Matrix, Target } from "../matrix.ts";
import type { LinearEstimator } from "../model.ts";
import { blockCapacity } from "./block-kernel.ts";
import { createDesign, type Design, type Moments, momentsOf } from "./design.ts";
import { type Coefficients, fitGeneralized } from "./fit-generalized.ts";
import { squaredError } from "./loss-family.ts";
import { appendRows, emptyTriangle, leastSquares } from "./orthogonal-factor.ts";
import { ITERATION_RULES, type IterationParams, stoppingRule } from "./params.ts";

export interface LinearRegressionParams extends IterationParams {
  /**
   * Strength of the penalty: of the sum of squared errors where l1Ratio is 0, of half their mean otherwise; 0 is least squares.
   */
  readonly alpha?: number;
  /** Share of the penalty that is on absolute values (which makes coefficients 0) and not on squares: 0 is ridge, 1 lasso. */
  readonly l1Ratio?: number;
}

/** Least squares and ridge keep a triangle of columns x columns numbers. */
const COLUMN_LIMIT = 4000;

/**
 * Linear regression, intercept unpenalised, with scikit-learn's scaling of penalties and weights w:
 *
 * - alpha 0 (`LinearRegression`): sum of w error^2; where columns depend on each other, the shortest of the best coefficients
 * - l1Ratio 0 (`Ridge`): sum of w error^2 + alpha b^2
 * - otherwise (`ElasticNet`, `Lasso`): sum of w error^2 / (2 sum of w) + alpha (l1Ratio |b| + (1 - l1Ratio) b^2 / 2)
 *
 * The first two by an orthogonal decomposition; `tolerance` and `maxIterations` are for the last.
 *
 * @param params what is left out is taken from `linearRegression()`: ridge with alpha 1
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_TARGET_INVALID, TRAIN_TOO_MANY_COLUMNS, TRAIN_NOT_CONVERGED, and what createDesign
 * throws
 */
export function fitLinearRegression(matrix: Matrix, target: Target, params: LinearRegressionParams = {}): LinearEstimator {
  const values = { ...linearRegression().params, ...params };
  checkValues("linear regression", values, { ...LINEAR_RULES, ...ITERATION_RULES });
  const { alpha, l1Ratio } = values;
  const stopping = stoppingRule(values);
  const design = createDesign(matrix, target.weights);
  const moments = targetMoments(target, design);
  const iterates = alpha > 0 && (l1Ratio > 0 || design.columns.length > COLUMN_LIMIT);
  const { intercepts, coefficients } = iterates
    ? fitElasticNet(design, target, moments, l1Ratio === 0 ? alpha / design.totalWeight : alpha, l1Ratio, stopping)
    : fitLeastSquares(design, target, moments, alpha);
  return { kind: "linear", link: "identity", intercepts, coefficients };
}

function targetMoments(target: Target, design: Design): Moments {
  checkTarget(design.rows, target, 0);
  const moments = momentsOf(target.values, target.weights, design.totalWeight);
  if (Number.isFinite(moments.mean) && Number.isFinite(moments.scale)) return moments;
  throw trainErrors.TRAIN_TARGET_INVALID("the targets are too far apart for 64-bit numbers");
}

/** With the target brought to mean 0 and variance 1, so that one tolerance fits all. */
function fitElasticNet(
  design: Design,
  { values }: Target,
  { mean, scale }: Moments,
  alpha: number,
  l1Ratio: number,
  stopping: { readonly tolerance: number; readonly maxIterations: number },
): Coefficients {
  const unit = scale > 0 ? scale : 1;
  const targets = Float64Array.from(values, (value) => (value - mean) / unit);
  const penalties = { l1: (alpha * l1Ratio) / unit, l2: alpha * (1 - l1Ratio) };
  const problem = { design, targets, family: squaredError, penalties, intercepts: [0] };
  const fitted = fitGeneralized(problem, stopping, "linear regression");
  return {
    intercepts: fitted.intercepts.map((intercept) => mean + unit * intercept),
    coefficients: fitted.coefficients.map((coefficient) => unit * coefficient),
  };
}

function fitLeastSquares(design: Design, target: Target, { mean, scale }: Moments, alpha: number): Coefficients {
  const count = design.columns.length;
  if (count > COLUMN_LIMIT) {
    throw trainErrors.TRAIN_TOO_MANY_COLUMNS(`least squares takes ${COLUMN_LIMIT} columns at most, not ${count}`, {
      hint: "Set alpha above 0: ridge regression, elastic net and lasso take more columns.",
    });
  }
  const unit = scale > 0 ? scale : 1;
  const triangle = emptyTriangle(count + 1);
  appendDesign(triangle, design, target, mean, unit);
  if (alpha > 0) appendPenalty(triangle, design, alpha);
  // A coefficient in the matrix's units is unit / scale of the one found here.
  const solved = leastSquares(
    triangle,
    design.scales.map((each) => 1 / each),
    resolutionsOf(design),
  );
  const coefficients = new Float64Array(design.width);
  let intercept = mean;
  design.positions.forEach((position, j) => {
    coefficients[position] = (unit * solved[j]) / design.scales[j];
    intercept -= coefficients[position] * design.means[j];
  });
  return { intercepts: Float64Array.of(intercept), coefficients };
}

/**
 * What rounding leaves of a column that others make up, as a share of its length: a little more with each row, and more where
 * numbers vary little about a large mean, since they were rounded before we saw them.
 */
function resolutionsOf({ rows, columns, means, scales }: Design): Float64Array {
  const ofArithmetic = 16 * (columns.length + 1) + Math.sqrt(rows);
  return means.map((mean, j) => Number.EPSILON * (ofArithmetic + (4 * Math.abs(mean)) / scales[j]));
}

/** All rows, standardised and times the root of their weight, the target as last column. */
function appendDesign(
  triangle: ReturnType<typeof emptyTriangle>,
  { rows, columns, means, scales, weights }: Design,
  { values }: Target,
  mean: number,
  unit: number,
): void {
  const capacity = blockCapacity(triangle.size);
  const block = new Float64Array(triangle.size * capacity);
  for (let start = 0; start < rows; start += capacity) {
    const count = Math.min(capacity, rows - start);
    const fill = (at: number, source: ArrayLike<number>, middle: number, scale: number) => {
      for (let row = 0; row < count; row++) {
        const value = (source[start + row] - middle) / scale;
        block[at + row] = weights === undefined ? value : value * Math.sqrt(weights[start + row]);
      }
    };
    columns.forEach((column, j) => {
      fill(j * capacity, column, means[j], scales[j]);
    });
    fill(columns.length * capacity, values, mean, unit);
    appendRows(triangle, block, count, capacity);
  }
}

/** A row for each coefficient whose squared error is its penalty. */
function appendPenalty(triangle: ReturnType<typeof emptyTriangle>, design: Design, alpha: number): void {
  const count = design.columns.length;
  const block = new Float64Array(triangle.size * count);
  for (let j = 0; j < count; j++) block[j * count + j] = Math.min(Math.sqrt(alpha) / design.scales[j], Number.MAX_VALUE ** 0.25);
  appendRows(triangle, block, count, count);
}
