import { checkLengths, checkScored, checkWidth } from "./check-matrix.ts";
import { createOnnxScorer } from "./formats/onnx-graph/create-onnx-scorer.ts";
import type { Matrix } from "./matrix.ts";
import type { FittedEstimator, LinearEstimator, Link } from "./model.ts";
import { treesScorer } from "./trees/trees-scorer.ts";

/** An estimator that reads a matrix: an ensemble reads one for each of its members, the rule none. */
export type MatrixEstimator = Exclude<FittedEstimator, { kind: "rule" | "ensemble" }>;

/** Numbers that an estimator says of a row: 1, or one a class. */
export function outputsOf(estimator: FittedEstimator): number {
  switch (estimator.kind) {
    case "baseline":
      return estimator.output.length;
    case "linear":
      return estimator.intercepts.length;
    case "trees":
      return estimator.base.length;
    case "onnx":
      return estimator.outputs;
    case "ensemble":
      return outputsOf(estimator.members[0].estimator);
    case "rule":
      return 1;
  }
}

/** Raw output of every row, rows x outputs, row by row. @throws TRAIN_COLUMN_INVALID for other columns than the estimator reads */
export function scoreMatrix(estimator: MatrixEstimator, matrix: Matrix): Float64Array {
  switch (estimator.kind) {
    case "baseline":
      return repeated(estimator.output, matrix.rows);
    case "linear":
      return scoreLinear(estimator, matrix);
    case "trees":
      return treesScorer(estimator).scoreMatrix(matrix);
    case "onnx":
      checkLengths(matrix);
      return createOnnxScorer(estimator)(matrix);
  }
}

function repeated(output: Float64Array, rows: number): Float64Array {
  const raw = new Float64Array(rows * output.length);
  for (let row = 0; row < rows; row++) raw.set(output, row * output.length);
  return raw;
}

const widthOf = ({ intercepts, coefficients }: LinearEstimator): number => coefficients.length / intercepts.length;

function scoreLinear(estimator: LinearEstimator, matrix: Matrix): Float64Array {
  checkScored(matrix, widthOf(estimator));
  const { intercepts, coefficients } = estimator;
  const { columns, rows } = matrix;
  const outputs = intercepts.length;
  const raw = repeated(intercepts, rows);
  columns.forEach((column, j) => {
    for (let output = 0; output < outputs; output++) {
      const coefficient = coefficients[output * columns.length + j];
      if (coefficient === 0) continue;
      for (let row = 0; row < rows; row++) raw[row * outputs + output] += coefficient * column[row];
    }
  });
  return raw;
}

/**
 * A function that writes the raw output of one matrix row into `out`: the figures of `scoreMatrix`. It throws TRAIN_COLUMN_INVALID for a
 * row of another width than the estimator reads.
 */
export function createRowScorer(estimator: MatrixEstimator): (row: Float64Array, out: Float64Array) => void {
  switch (estimator.kind) {
    case "baseline":
      return (_, out) => out.set(estimator.output);
    case "linear": {
      const { intercepts, coefficients } = estimator;
      const width = widthOf(estimator);
      return (row, out) => {
        checkWidth(row.length, width);
        for (let output = 0; output < intercepts.length; output++) {
          let score = intercepts[output];
          for (let j = 0; j < row.length; j++) score += coefficients[output * row.length + j] * row[j];
          out[output] = score;
        }
      };
    }
    case "trees":
      return treesScorer(estimator).scoreRow;
    case "onnx": {
      const score = createOnnxScorer(estimator);
      return (row, out) => out.set(score({ rows: 1, columns: Array.from(row, (value) => Float64Array.of(value)) }));
    }
  }
}

export const sigmoid = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds));

/** Log-odds are kept finite (JSON has no infinity): a certain answer stands for odds of 10^15. */
export const MAX_LOG_ODDS = Math.log(1e15);
export const logit = (probability: number): number =>
  Math.min(MAX_LOG_ODDS, Math.max(-MAX_LOG_ODDS, Math.log(probability / (1 - probability))));

/** Raw outputs as predictions, in place: probabilities (one of the positive class, or one a class) or values. */
export function applyLink(link: Link, raw: Float64Array, outputs: number): Float64Array {
  switch (link) {
    case "identity":
      return raw;
    case "logit":
      for (let i = 0; i < raw.length; i++) raw[i] = sigmoid(raw[i]);
      return raw;
    case "log":
      for (let i = 0; i < raw.length; i++) raw[i] = Math.exp(raw[i]);
      return raw;
    case "softmax":
      for (let start = 0; start < raw.length; start += outputs) softmax(raw, start, outputs);
      return raw;
  }
}

/** Shifted by the largest logit, so that no exponential overflows. */
function softmax(raw: Float64Array, start: number, outputs: number): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < outputs; k++) largest = Math.max(largest, raw[start + k]);
  let sum = 0;
  for (let k = 0; k < outputs; k++) sum += raw[start + k] = Math.exp(raw[start + k] - largest);
  for (let k = 0; k < outputs; k++) raw[start + k] /= sum;
}
