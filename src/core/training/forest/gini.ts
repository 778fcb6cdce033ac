import type { Cells } from "./cells.ts";
import type { Criterion } from "./criterion.ts";

const POWER_ROUNDS = 20;

/**
 * Gini impurity of class shares; statistics are the weights of the classes. Explained by a child: sum of weight_k^2 / weight. For
 * two classes the order of categories by the second one's share contains the best split (Breiman et al. 1984); for more they are
 * ordered along the first principal direction of their class shares (Coppersmith, Hong and Hosking 1999), which nearly does.
 */
export function gini(classes: number): Criterion {
  const left = new Float64Array(classes);

  return {
    size: classes,

    addRows({ rows, weights, targets }, start, end, bins, { values, occupied }) {
      for (let i = start; i < end; i++) {
        const bin = bins[rows[i]];
        occupied[bin >> 5] |= 1 << (bin & 31);
        values[bin * classes + targets[i]] += weights[i];
      }
    },

    summarize({ weights, targets }, start, end, total) {
      total.fill(0);
      let weight = 0;
      let isPure = true;
      for (let i = start; i < end; i++) {
        total[targets[i]] += weights[i];
        weight += weights[i];
        isPure &&= targets[i] === targets[start];
      }
      return { weight, isPure };
    },

    score(total) {
      let weight = 0;
      let squares = 0;
      for (let k = 0; k < classes; k++) {
        weight += total[k];
        squares += total[k] * total[k];
      }
      return squares / weight;
    },

    bestCut({ count, values, missing, hasMissing }, total, first, last, minWeight, cut) {
      cut.last = -1;
      cut.score = Number.NEGATIVE_INFINITY;
      left.fill(0);
      for (let i = 0; i <= last; i++) {
        for (let k = 0; k < classes; k++) left[k] += values[i * classes + k];
        if (i < first) continue;
        if (i < count - 1 || hasMissing) consider(i, 0, false);
        if (hasMissing && i < count - 1) consider(i, 1, true);
      }

      function consider(at: number, missingShare: 0 | 1, missingLeft: boolean): void {
        let leftWeight = 0;
        let rightWeight = 0;
        let leftSquares = 0;
        let rightSquares = 0;
        for (let k = 0; k < classes; k++) {
          const own = missingShare === 0 ? left[k] : left[k] + missing[k];
          const other = total[k] - own;
          leftWeight += own;
          rightWeight += other;
          leftSquares += own * own;
          rightSquares += other * other;
        }
        if (!(leftWeight > 0 && rightWeight > 0) || leftWeight < minWeight || rightWeight < minWeight) return;
        const score = leftSquares / leftWeight + rightSquares / rightWeight;
        if (score <= cut.score) return;
        cut.score = score;
        cut.last = at;
        cut.missingLeft = hasMissing ? missingLeft : leftWeight >= rightWeight;
      }
    },

    categoryKeys(cells, keys) {
      const direction = classes === 2 ? Float64Array.of(0, 1) : principalDirection(cells, classes);
      for (let i = 0; i < cells.count; i++) {
        let weight = 0;
        let key = 0;
        for (let k = 0; k < classes; k++) {
          weight += cells.values[i * classes + k];
          key += cells.values[i * classes + k] * direction[k];
        }
        keys[i] = key / weight;
      }
    },
  };
}

/** Of the cells' class shares about their mean, weighted, by power iteration from the class that varies most. */
function principalDirection({ count, values }: Cells, classes: number): Float64Array {
  const totals = new Float64Array(classes);
  const weights = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < classes; k++) {
      totals[k] += values[i * classes + k];
      weights[i] += values[i * classes + k];
    }
  }
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const covariance = new Float64Array(classes * classes);
  for (let i = 0; i < count; i++) {
    for (let a = 0; a < classes; a++) {
      const from = values[i * classes + a] / weights[i] - totals[a] / all;
      for (let b = 0; b < classes; b++) {
        covariance[a * classes + b] += weights[i] * from * (values[i * classes + b] / weights[i] - totals[b] / all);
      }
    }
  }
  let widest = 0;
  for (let k = 1; k < classes; k++) if (covariance[k * classes + k] > covariance[widest * classes + widest]) widest = k;
  let direction = covariance.slice(widest * classes, (widest + 1) * classes);
  for (let round = 0; round < POWER_ROUNDS; round++) {
    const next = new Float64Array(classes);
    for (let a = 0; a < classes; a++) for (let b = 0; b < classes; b++) next[a] += covariance[a * classes + b] * direction[b];
    const length = Math.hypot(...next);
    if (!(length > 0)) break;
    direction = next.map((value) => value / length);
  }
  return direction;
}
