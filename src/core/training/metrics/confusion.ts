import type { Payoff } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import { checkLabels, checkWeights } from "./rank-rows.ts";

/** Rows by truth and decision, by their weights. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/**
 * Acts where the score is at least `threshold`.
 * @throws TRAIN_EVALUATION_INVALID
 */
export function confusionAt(labels: Uint8Array, scores: Float64Array, threshold: number, weights?: Float64Array): Confusion {
  checkLabels(labels, scores.length);
  checkWeights(weights, labels.length);
  // Index 2 * acted + label.
  const counts = new Float64Array(4);
  for (let row = 0; row < labels.length; row++) {
    const score = scores[row];
    if (Number.isNaN(score)) throw trainErrors.TRAIN_EVALUATION_INVALID(`the score of row ${row} is NaN`);
    counts[(score >= threshold ? 2 : 0) + labels[row]] += weights === undefined ? 1 : weights[row];
  }
  return confusionOf(counts);
}

/** @param counts by 2 * acted + label */
export const confusionOf = (counts: ArrayLike<number>): Confusion => ({
  trueNegatives: counts[0],
  falseNegatives: counts[1],
  falsePositives: counts[2],
  truePositives: counts[3],
});

export const ratio = (part: number, whole: number): number | undefined => (whole > 0 ? part / whole : undefined);

/** What a confusion tells; `undefined` where a denominator is 0. */
export interface DecisionMetrics {
  readonly accuracy: number | undefined;
  /** Mean of recall and specificity; undefined with one class (scikit-learn leaves out the absent one). */
  readonly balanced_accuracy: number | undefined;
  readonly precision: number | undefined;
  readonly recall: number | undefined;
  readonly specificity: number | undefined;
  readonly f1: number | undefined;
  /** Matthews' correlation; undefined where labels or decisions are all alike (scikit-learn says 0). */
  readonly mcc: number | undefined;
  /** Cohen's kappa; undefined where labels and decisions are all alike. */
  readonly kappa: number | undefined;
}

export function decisionMetrics(confusion: Confusion): DecisionMetrics {
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion;
  const positives = truePositives + falseNegatives;
  const negatives = trueNegatives + falsePositives;
  const acted = truePositives + falsePositives;
  const rows = positives + negatives;
  const recall = ratio(truePositives, positives);
  const specificity = ratio(trueNegatives, negatives);
  const marginals = Math.sqrt(positives) * Math.sqrt(negatives) * Math.sqrt(acted) * Math.sqrt(rows - acted);
  const crossed = truePositives * trueNegatives - falsePositives * falseNegatives;
  return {
    accuracy: ratio(truePositives + trueNegatives, rows),
    balanced_accuracy: recall === undefined || specificity === undefined ? undefined : (recall + specificity) / 2,
    precision: ratio(truePositives, acted),
    recall,
    specificity,
    f1: fBeta(confusion, 1),
    mcc: ratio(crossed, marginals),
    kappa: ratio(2 * crossed, acted * negatives + positives * (rows - acted)),
  };
}

/**
 * Weighted harmonic mean of precision and recall, recall counting beta times as much (van Rijsbergen 1979); undefined where
 * there is no positive, neither true nor predicted.
 * @throws TRAIN_PARAMETER_INVALID unless beta is a finite number of at least 0
 */
export function fBeta({ truePositives, falsePositives, falseNegatives }: Confusion, beta: number): number | undefined {
  if (!(beta >= 0 && beta < Number.POSITIVE_INFINITY)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`beta is ${beta}`, { hint: "Give a beta of at least 0; 1 weighs both alike." });
  }
  const squared = beta * beta;
  const hits = (1 + squared) * truePositives;
  return ratio(hits, hits + squared * falseNegatives + falsePositives);
}

/** What the decisions are worth together, by the charter's payoff. */
export function totalPayoff(confusion: Confusion, payoff: Payoff): number {
  return (
    confusion.truePositives * payoff.truePositive +
    confusion.falsePositives * payoff.falsePositive +
    confusion.falseNegatives * payoff.falseNegative +
    confusion.trueNegatives * (payoff.trueNegative ?? 0)
  );
}
