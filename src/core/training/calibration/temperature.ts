import { trainErrors } from "../errors.ts";
import { checkWeights } from "../metrics/rank-rows.ts";
import type { TemperatureCalibration } from "../model.ts";

/** A probability of 0 counts as this much. */
export const LEAST_PROBABILITY = 1e-15;
/** Bounds of the inverse temperature: beyond them probabilities are certain, or all alike. */
const LEAST_INVERSE = Math.exp(-10);
const GREATEST_INVERSE = Math.exp(10);
const MAX_STEPS = 200;

export const logProbability = (probability: number): number => Math.log(Math.max(probability, LEAST_PROBABILITY));

/**
 * Temperature scaling (Guo, Pleiss, Sun and Weinberger 2017): one number that makes the probabilities of several classes less or more
 * sure without changing their order in a row. Minimises the log loss, which is convex in the inverse temperature: the root of its
 * slope, by Newton's method inside a shrinking bracket.
 *
 * @param probabilities rows x classes, row by row, of rows that were not trained on
 * @param labels class of each row
 * @returns null where there are no rows, or where the loss does not depend on the temperature
 * @throws TRAIN_EVALUATION_INVALID
 */
export function fitTemperature(
  probabilities: Float64Array,
  labels: ArrayLike<number>,
  classes: number,
  weights?: Float64Array,
): TemperatureCalibration | null {
  if (!(classes >= 2) || probabilities.length !== labels.length * classes) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(
      `${labels.length} labels, ${probabilities.length} probabilities, ${classes} classes`,
    );
  }
  checkWeights(weights, labels.length);
  const logs = probabilities.map(logProbability);
  let low = LEAST_INVERSE;
  let high = GREATEST_INVERSE;
  let inverse = 1;
  for (let step = 0; step < MAX_STEPS && high - low > 1e-15 * high; step++) {
    const { slope, curvature } = slopeOf(inverse, logs, labels, classes, weights);
    if (curvature === 0) {
      if (slope === 0) return null;
    } else if (Math.abs(slope) <= 1e-15 * curvature * inverse) break;
    if (slope > 0) high = inverse;
    else low = inverse;
    const newton = inverse - slope / curvature;
    inverse = newton > low && newton < high ? newton : Math.sqrt(low * high);
  }
  return { kind: "temperature", classes, temperature: 1 / inverse };
}

/** First and second derivative of the log loss by the inverse temperature. */
function slopeOf(
  inverse: number,
  logs: Float64Array,
  labels: ArrayLike<number>,
  classes: number,
  weights: Float64Array | undefined,
): { slope: number; curvature: number } {
  let slope = 0;
  let curvature = 0;
  for (let row = 0; row < labels.length; row++) {
    const at = row * classes;
    let greatest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) greatest = Math.max(greatest, logs[at + k]);
    let [sum, mean, square] = [0, 0, 0];
    for (let k = 0; k < classes; k++) {
      // Measured from the greatest, so that nothing overflows and near ties do not cancel.
      const log = logs[at + k] - greatest;
      const share = Math.exp(inverse * log);
      sum += share;
      mean += share * log;
      square += share * log * log;
    }
    mean /= sum;
    const own = weights === undefined ? 1 : weights[row];
    slope += own * (mean - (logs[at + labels[row]] - greatest));
    curvature += own * Math.max(0, square / sum - mean * mean);
  }
  return { slope, curvature };
}
