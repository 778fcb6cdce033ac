import { trainErrors } from "../errors.ts";
import { checkLabels, checkWeights } from "./rank-rows.ts";

/** A certain and wrong probability counts as this far from certainty (scikit-learn's clipping of doubles). */
export const LOG_LOSS_CLIP = Number.EPSILON;

/** -log of the probability that was given to what happened, in natural units. */
export function logLossOf(label: number, probability: number): number {
  const given = label === 1 ? probability : 1 - probability;
  return -Math.log(Math.min(1 - LOG_LOSS_CLIP, Math.max(LOG_LOSS_CLIP, given)));
}

/** @throws TRAIN_EVALUATION_INVALID */
export function checkProbabilities(probabilities: Float64Array): void {
  for (let row = 0; row < probabilities.length; row++) {
    const p = probabilities[row];
    if (!(p >= 0 && p <= 1)) throw trainErrors.TRAIN_EVALUATION_INVALID(`${p} (row ${row}) is not a probability`);
  }
}

/** Mean negative log-likelihood; `undefined` for no rows. @throws TRAIN_EVALUATION_INVALID */
export const logLoss = (labels: Uint8Array, probabilities: Float64Array, weights?: Float64Array): number | undefined =>
  meanLoss(labels, probabilities, weights, logLossOf);

/** Mean squared difference of probability and outcome (Brier 1950); `undefined` for no rows. @throws TRAIN_EVALUATION_INVALID */
export const brierScore = (labels: Uint8Array, probabilities: Float64Array, weights?: Float64Array): number | undefined =>
  meanLoss(labels, probabilities, weights, (label, p) => (p - label) ** 2);

function meanLoss(
  labels: Uint8Array,
  probabilities: Float64Array,
  weights: Float64Array | undefined,
  loss: (label: number, probability: number) => number,
): number | undefined {
  checkLabels(labels, probabilities.length);
  checkProbabilities(probabilities);
  checkWeights(weights, labels.length);
  let sum = 0;
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    const weight = weights === undefined ? 1 : weights[row];
    total += weight;
    sum += weight * loss(labels[row], probabilities[row]);
  }
  return total > 0 ? sum / total : undefined;
}
