import type { Criterion } from "./criterion.ts";

/**
 * Variance of numbers; statistics are a weight and a weighted sum. Explained by a child: sum^2 / weight. For categories the order
 * by mean contains the best split (Breiman et al., Classification and Regression Trees, 1984, 4.2.2; Fisher 1958).
 */
export const variance: Criterion = {
  size: 2,

  addRows({ rows, weights, targets }, start, end, bins, { values, occupied }) {
    for (let i = start; i < end; i++) {
      const bin = bins[rows[i]];
      const weight = weights[i];
      occupied[bin >> 5] |= 1 << (bin & 31);
      values[2 * bin] += weight;
      values[2 * bin + 1] += weight * targets[i];
    }
  },

  summarize({ weights, targets }, start, end, total) {
    let weight = 0;
    let sum = 0;
    let isPure = true;
    for (let i = start; i < end; i++) {
      weight += weights[i];
      sum += weights[i] * targets[i];
      isPure &&= targets[i] === targets[start];
    }
    total[0] = weight;
    total[1] = sum;
    return { weight, isPure };
  },

  score: (total) => (total[1] * total[1]) / total[0],

  bestCut({ count, values, missing, hasMissing }, total, first, last, minWeight, cut) {
    cut.last = -1;
    cut.score = Number.NEGATIVE_INFINITY;
    let weight = 0;
    let sum = 0;
    for (let i = 0; i <= last; i++) {
      weight += values[2 * i];
      sum += values[2 * i + 1];
      if (i < first) continue;
      if (i < count - 1 || hasMissing) consider(weight, sum, i, false);
      if (hasMissing && i < count - 1) consider(weight + missing[0], sum + missing[1], i, true);
    }

    function consider(leftWeight: number, leftSum: number, at: number, missingLeft: boolean): void {
      const rightWeight = total[0] - leftWeight;
      if (!(leftWeight > 0 && rightWeight > 0) || leftWeight < minWeight || rightWeight < minWeight) return;
      const rightSum = total[1] - leftSum;
      const score = (leftSum * leftSum) / leftWeight + (rightSum * rightSum) / rightWeight;
      if (score <= cut.score) return;
      cut.score = score;
      cut.last = at;
      cut.missingLeft = hasMissing ? missingLeft : leftWeight >= rightWeight;
    }
  },

  categoryKeys({ count, values }, keys) {
    for (let i = 0; i < count; i++) keys[i] = values[2 * i + 1] / values[2 * i];
  },
};

/** Bits that weights and targets leave to a sum that shall be exact. */
const EXACT_BITS = 52;
const FEWEST_BITS = 20;

/**
 * Targets less their mean in units so small that nothing is seen of them, as whole numbers: sums of them are then exact where
 * weights are whole too, and splits do not depend on the order of rows. (Leaves are filled with the mean of the targets
 * themselves.)
 */
export function wholeTargets(values: ArrayLike<number>, mean: number, totalWeight: number): Float64Array {
  let furthest = 0;
  for (let row = 0; row < values.length; row++) furthest = Math.max(furthest, Math.abs(values[row] - mean));
  const bits = Math.min(40, Math.max(FEWEST_BITS, EXACT_BITS - Math.ceil(Math.log2(totalWeight + 1))));
  const unit = furthest === 0 ? 1 : furthest / 2 ** bits;
  return Float64Array.from(values, (value) => Math.round((value - mean) / unit));
}
