import type { SigmoidCalibration } from "../model.ts";
import { logit, sigmoid } from "../score-estimator.ts";
import { checkRows, sumOfClasses } from "./isotonic.ts";

const MAX_STEPS = 100;
/** Of the gradient, a row: far below what a probability's 15 digits show. */
const CONVERGED = 1e-12;
/** Keeps the Newton step finite where all log-odds are alike. */
const RIDGE = 1e-12;

/**
 * Platt's calibration (1999): log-odds become slope * log-odds + intercept by logistic regression on targets that are one pseudo-row short
 * of certainty, as scikit-learn's sigmoid method on decision values; by Newton's method with halved steps (Lin, Lin and Weng 2007).
 *
 * @param probabilities raw probabilities of rows that were not trained on
 * @returns null with one class, and where the fitted slope is not above 0: a map that turns the ranking round calibrates nothing
 * @throws TRAIN_EVALUATION_INVALID for lengths that differ
 */
export function fitSigmoid(probabilities: Float64Array, labels: Uint8Array, weights?: Float64Array): SigmoidCalibration | null {
  checkRows(probabilities.length, labels, weights);
  const { positives, negatives } = sumOfClasses(labels, weights);
  if (positives === 0 || negatives === 0) return null;
  const logOdds = probabilities.map(logit);
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (negatives + 2);
  const targets = Float64Array.from(labels, (label) => (label === 1 ? high : low));
  const total = positives + negatives;
  let line = { slope: 0, intercept: Math.log((positives + 1) / (negatives + 1)) };
  let loss = lossOf(line, logOdds, targets, weights);
  for (let step = 0; step < MAX_STEPS; step++) {
    const { gradient, direction } = newtonStep(line, logOdds, targets, weights);
    if (Math.max(Math.abs(gradient[0]), Math.abs(gradient[1])) <= CONVERGED * total) break;
    const next = shorten(line, direction, loss, (candidate) => lossOf(candidate, logOdds, targets, weights));
    if (next === null) break;
    ({ line, loss } = next);
  }
  return line.slope > 0 ? { kind: "sigmoid", ...line } : null;
}

type Line = Omit<SigmoidCalibration, "kind">;

/** Cross-entropy, in a form that neither overflows nor loses the small. */
function lossOf({ slope, intercept }: Line, logOdds: Float64Array, targets: Float64Array, weights?: Float64Array): number {
  let loss = 0;
  for (let row = 0; row < logOdds.length; row++) {
    const score = slope * logOdds[row] + intercept;
    const own = Math.max(0, score) + Math.log1p(Math.exp(-Math.abs(score))) - targets[row] * score;
    loss += weights === undefined ? own : weights[row] * own;
  }
  return loss;
}

function newtonStep({ slope, intercept }: Line, logOdds: Float64Array, targets: Float64Array, weights?: Float64Array) {
  let [gradientSlope, gradientIntercept] = [0, 0];
  let [slopeSlope, slopeIntercept, interceptIntercept] = [0, 0, 0];
  for (let row = 0; row < logOdds.length; row++) {
    const own = weights === undefined ? 1 : weights[row];
    const f = logOdds[row];
    const p = sigmoid(slope * f + intercept);
    const residual = own * (p - targets[row]);
    const curvature = own * p * (1 - p);
    gradientSlope += residual * f;
    gradientIntercept += residual;
    slopeSlope += curvature * f * f;
    slopeIntercept += curvature * f;
    interceptIntercept += curvature;
  }
  slopeSlope += RIDGE * (1 + slopeSlope);
  interceptIntercept += RIDGE * (1 + interceptIntercept);
  const determinant = slopeSlope * interceptIntercept - slopeIntercept * slopeIntercept;
  return {
    gradient: [gradientSlope, gradientIntercept] as const,
    direction: {
      slope: (slopeIntercept * gradientIntercept - interceptIntercept * gradientSlope) / determinant,
      intercept: (slopeIntercept * gradientSlope - slopeSlope * gradientIntercept) / determinant,
    },
  };
}

/** The full step, or as many halvings of it as bring the loss down; null where none does any more. */
function shorten(line: Line, direction: Line, loss: number, measure: (line: Line) => number) {
  for (let length = 1; length > 1e-10; length /= 2) {
    const next = {
      slope: line.slope + length * direction.slope,
      intercept: line.intercept + length * direction.intercept,
    };
    const reached = measure(next);
    if (reached < loss) return { line: next, loss: reached };
  }
  return null;
}
