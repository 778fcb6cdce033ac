import type { LogisticRegressionParams } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import type { FittedEstimator } from "../model.ts";

type FittedLogisticRegression = Extract<FittedEstimator, { kind: "logistic-regression" }>;

const GRADIENT_TOLERANCE = 1e-8;
const MAX_ITERATIONS = 100;
/** Where rounding keeps the gradient from falling further, a gap to the minimum of this share of the objective is accepted. */
const GAP_TOLERANCE = 1e-12;

/**
 * Logistic regression with an L2 penalty on the coefficients, not on the intercept: minimises
 * sum of log losses + |w|^2 / (2 c), which has the minimum of scikit-learn's `LogisticRegression(C=c)`. Newton's method with
 * step halving; the linear systems by Cholesky. Stops when every gradient component, by the root mean square of its column, is at
 * most 1e-8. 0/1 columns (one-hot categories, indicators) are kept sparse, so that they cost only where they are 1.
 *
 * @param columns column-major matrix of finite numbers
 * @throws TRAIN_PARAMETER_INVALID (c), TRAIN_NOT_CONVERGED
 */
export function fitLogisticRegression(
  columns: readonly Float64Array[],
  labels: Uint8Array,
  { c }: LogisticRegressionParams,
): FittedLogisticRegression {
  if (!(c > 0 && Number.isFinite(c))) throw trainErrors.TRAIN_PARAMETER_INVALID(`logistic regression: c is ${c}, not above 0`);
  const design = createDesign(columns);
  const { size } = design;
  // Parameter 0 is the intercept.
  const penalty = new Float64Array(size).fill(1 / c);
  penalty[0] = 0;
  const share = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  let weights = new Float64Array(size);
  weights[0] = Math.log(share / (1 - share));
  let scores = scoresOf(design, weights);
  let objective = objectiveOf(scores, labels, weights, penalty);
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);

  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    derivatives(design, scores, labels, gradient, hessian);
    for (let i = 0; i < size; i++) {
      gradient[i] += penalty[i] * weights[i];
      hessian[i * size + i] += penalty[i];
    }
    if (gradient.every((value, i) => Math.abs(value) <= GRADIENT_TOLERANCE * design.norms[i])) return fitted(design, weights);
    const step = solve(hessian, gradient, size);
    const gap = step.reduce((sum, value, i) => sum + value * gradient[i], 0) / 2;

    let improved = false;
    for (let length = 1; length > 1e-10 && !improved; length /= 2) {
      const next = weights.map((value, i) => value - length * step[i]);
      const nextScores = scoresOf(design, next);
      const nextObjective = objectiveOf(nextScores, labels, next, penalty);
      // Close to the minimum the objective cannot show progress any more, while the gradient still can.
      improved = nextObjective < objective || (length === 1 && gap <= GAP_TOLERANCE * objective);
      if (improved) [weights, scores, objective] = [next, nextScores, nextObjective];
    }
    if (!improved) break;
    if (gap <= Number.EPSILON ** 2 * objective) return fitted(design, weights);
  }
  derivatives(design, scores, labels, gradient, hessian);
  for (let i = 0; i < size; i++) {
    gradient[i] += penalty[i] * weights[i];
    hessian[i * size + i] += penalty[i];
  }
  const gap = solve(hessian, gradient, size).reduce((sum, value, i) => sum + value * gradient[i], 0) / 2;
  if (Math.abs(gap) <= GAP_TOLERANCE * objective) return fitted(design, weights);
  throw trainErrors.TRAIN_NOT_CONVERGED(`logistic regression did not converge in ${MAX_ITERATIONS} iterations`);
}

/** The matrix with the intercept as its first column: dense columns by row, 0/1 columns as lists of where they are 1. */
interface Design {
  readonly rows: number;
  /** Parameters: intercept, dense columns, 0/1 columns. */
  readonly size: number;
  readonly denseSize: number;
  readonly dense: Float64Array;
  readonly onesStart: Uint32Array;
  readonly ones: Uint32Array;
  /** Parameter of each column of the matrix. */
  readonly parameterOf: Uint32Array;
  /** Root mean square of each parameter's column, at least 1. */
  readonly norms: Float64Array;
}

function createDesign(columns: readonly Float64Array[]): Design {
  const rows = columns[0]?.length ?? 0;
  const isBinary = columns.map((column) => column.every((x) => x === 0 || x === 1));
  const denseSize = 1 + isBinary.filter((binary) => !binary).length;
  const size = 1 + columns.length;
  const parameterOf = new Uint32Array(columns.length);
  const norms = new Float64Array(size).fill(1);
  const dense = new Float64Array(rows * denseSize);
  for (let row = 0; row < rows; row++) dense[row * denseSize] = 1;
  const onesStart = new Uint32Array(rows + 1);
  let nextDense = 1;
  let nextBinary = denseSize;
  columns.forEach((column, index) => {
    if (isBinary[index]) {
      parameterOf[index] = nextBinary++;
      for (let row = 0; row < rows; row++) onesStart[row + 1] += column[row];
      return;
    }
    const parameter = nextDense++;
    parameterOf[index] = parameter;
    let squares = 0;
    for (let row = 0; row < rows; row++) {
      dense[row * denseSize + parameter] = column[row];
      squares += column[row] ** 2;
    }
    norms[parameter] = Math.max(1, Math.sqrt(squares / rows));
  });
  for (let row = 0; row < rows; row++) onesStart[row + 1] += onesStart[row];
  const ones = new Uint32Array(onesStart[rows]);
  const next = onesStart.slice(0, rows);
  columns.forEach((column, index) => {
    if (!isBinary[index]) return;
    for (let row = 0; row < rows; row++) if (column[row] === 1) ones[next[row]++] = parameterOf[index];
  });
  return { rows, size, denseSize, dense, onesStart, ones, parameterOf, norms };
}

function scoresOf({ rows, denseSize, dense, onesStart, ones }: Design, weights: Float64Array): Float64Array {
  const scores = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let score = 0;
    for (let i = 0, at = row * denseSize; i < denseSize; i++) score += weights[i] * dense[at + i];
    for (let at = onesStart[row]; at < onesStart[row + 1]; at++) score += weights[ones[at]];
    scores[row] = score;
  }
  return scores;
}

function objectiveOf(scores: Float64Array, labels: Uint8Array, weights: Float64Array, penalty: Float64Array): number {
  let objective = 0;
  for (let i = 0; i < weights.length; i++) objective += (penalty[i] * weights[i] ** 2) / 2;
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row];
    objective += Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - labels[row] * score;
  }
  return objective;
}

/** Gradient and lower triangle of the Hessian of the sum of log losses. */
function derivatives(
  design: Design,
  scores: Float64Array,
  labels: Uint8Array,
  gradient: Float64Array,
  hessian: Float64Array,
): void {
  const { rows, size, denseSize, dense, onesStart, ones } = design;
  gradient.fill(0);
  hessian.fill(0);
  for (let row = 0; row < rows; row++) {
    const probability = 1 / (1 + Math.exp(-scores[row]));
    const residual = probability - labels[row];
    const curvature = probability * (1 - probability);
    const at = row * denseSize;
    for (let i = 0; i < denseSize; i++) {
      const x = dense[at + i];
      gradient[i] += residual * x;
      const weighted = curvature * x;
      for (let j = 0, cell = i * size; j <= i; j++) hessian[cell + j] += weighted * dense[at + j];
    }
    const end = onesStart[row + 1];
    for (let one = onesStart[row]; one < end; one++) {
      const parameter = ones[one];
      gradient[parameter] += residual;
      const cell = parameter * size;
      for (let j = 0; j < denseSize; j++) hessian[cell + j] += curvature * dense[at + j];
      // A row's parameters ascend, so these cells are in the lower triangle.
      for (let other = onesStart[row]; other <= one; other++) hessian[cell + ones[other]] += curvature;
    }
  }
}

/** Solves H x = b by Cholesky, with H scaled to a unit diagonal first; a ridge is added while H is not positive definite. */
function solve(hessian: Float64Array, b: Float64Array, size: number): Float64Array {
  const scale = Float64Array.from(b, (_, i) => 1 / Math.sqrt(Math.max(hessian[i * size + i], Number.MIN_VALUE)));
  for (let ridge = 0; ; ridge = Math.max(1e-14, ridge * 100)) {
    const factor = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) factor[i * size + j] = hessian[i * size + j] * scale[i] * scale[j];
      factor[i * size + i] += ridge;
    }
    if (!choleskyInPlace(factor, size) && ridge < 1) continue;
    const x = b.map((value, i) => value * scale[i]);
    for (let i = 0; i < size; i++) {
      let sum = x[i];
      for (let j = 0; j < i; j++) sum -= factor[i * size + j] * x[j];
      x[i] = sum / factor[i * size + i];
    }
    for (let i = size - 1; i >= 0; i--) {
      let sum = x[i];
      for (let j = i + 1; j < size; j++) sum -= factor[j * size + i] * x[j];
      x[i] = sum / factor[i * size + i];
    }
    return x.map((value, i) => value * scale[i]);
  }
}

/** Replaces the lower triangle by its Cholesky factor; false when the matrix is not positive definite. */
function choleskyInPlace(matrix: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j];
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k] * matrix[j * size + k];
      if (i !== j) matrix[i * size + j] = sum / matrix[j * size + j];
      else if (sum > 0) matrix[i * size + i] = Math.sqrt(sum);
      else return false;
    }
  }
  return true;
}

function fitted({ parameterOf }: Design, weights: Float64Array): FittedLogisticRegression {
  return {
    kind: "logistic-regression",
    intercept: weights[0],
    coefficients: Float64Array.from(parameterOf, (parameter) => weights[parameter]),
  };
}
