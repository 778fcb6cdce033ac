import type { ProtectedGroups } from "./protected-groups.ts";

/** Figures of one group at the decision; absent where the denominator is 0. */
export interface GroupRates {
  /** Share of the group that is acted on. */
  readonly selection_rate?: number;
  /** Share of the group that is positive. */
  readonly base_rate?: number;
  readonly true_positive_rate?: number;
  readonly false_negative_rate?: number;
  readonly false_positive_rate?: number;
  readonly true_negative_rate?: number;
  readonly precision?: number;
  readonly accuracy?: number;
}

/** By group, four sums of weights: at 4 * group + 2 * acted + label. */
export type OutcomeCounts = Float64Array;

/**
 * Counts labels and decisions of each group, in one pass.
 * @param acts 1 where the row is acted on
 * @param weights by row; absent or null: each counts once
 */
export function countOutcomes(
  { values, group }: ProtectedGroups,
  labels: Uint8Array,
  acts: Uint8Array,
  weights: Float64Array | null = null,
): OutcomeCounts {
  const counts = new Float64Array(4 * values.length);
  if (weights === null) {
    for (let row = 0; row < group.length; row++) counts[4 * group[row] + 2 * acts[row] + labels[row]] += 1;
  } else {
    for (let row = 0; row < group.length; row++) counts[4 * group[row] + 2 * acts[row] + labels[row]] += weights[row];
  }
  return counts;
}

export function decideFrom(scores: Float64Array, threshold: number): Uint8Array {
  const acts = new Uint8Array(scores.length);
  for (let row = 0; row < scores.length; row++) acts[row] = scores[row] >= threshold ? 1 : 0;
  return acts;
}

/** The rates of every group, as fairlearn and scikit-learn define them. */
export function groupRates(counts: OutcomeCounts): GroupRates[] {
  return Array.from({ length: counts.length / 4 }, (_, group) => {
    const [trueNegatives, falseNegatives, falsePositives, truePositives] = counts.subarray(4 * group, 4 * group + 4);
    const positives = truePositives + falseNegatives;
    const negatives = trueNegatives + falsePositives;
    const acted = truePositives + falsePositives;
    const rows = positives + negatives;
    return {
      ...(rows > 0 && {
        selection_rate: acted / rows,
        base_rate: positives / rows,
        accuracy: (truePositives + trueNegatives) / rows,
      }),
      ...(positives > 0 && {
        true_positive_rate: truePositives / positives,
        false_negative_rate: falseNegatives / positives,
      }),
      ...(negatives > 0 && {
        false_positive_rate: falsePositives / negatives,
        true_negative_rate: trueNegatives / negatives,
      }),
      ...(acted > 0 && { precision: truePositives / acted }),
    };
  });
}
