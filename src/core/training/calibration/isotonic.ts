import { trainErrors } from "../errors.ts";
import { rowsByScore } from "../metrics/rank-rows.ts";
import type { IsotonicCalibration } from "../model.ts";

/** Below this many rows, or with one class among them, a map learnt from them would be noise. */
const MIN_ROWS = 100;

/** Blocks of equal fitted value, in ascending order of x. */
export interface IsotonicBlocks {
  /** Mean x of the block's rows. */
  readonly center: Float64Array;
  /** Fitted value: the weighted mean y of the block's rows. Strictly increasing from block to block. */
  readonly value: Float64Array;
  readonly weight: Float64Array;
}

/**
 * Least-squares isotonic regression by pooling adjacent violators (Barlow, Bartholomew, Bremner, Brunk 1972). Rows of equal x
 * are one observation; rows of weight 0 are none.
 */
export function poolAdjacentViolators(x: Float64Array, y: Float64Array, weights?: Float64Array): IsotonicBlocks {
  const order = rowsByScore(x).reverse();
  const sumX: number[] = [];
  const sumY: number[] = [];
  const weight: number[] = [];
  for (let start = 0; start < order.length; ) {
    let end = start;
    let tied = 0;
    let tiedY = 0;
    while (end < order.length && x[order[end]] === x[order[start]]) {
      const row = order[end++];
      const own = weights === undefined ? 1 : weights[row];
      tied += own;
      tiedY += own * y[row];
    }
    const at = x[order[start]];
    start = end;
    if (tied === 0) continue;
    sumX.push(at * tied);
    sumY.push(tiedY);
    weight.push(tied);
    for (let last = weight.length - 1; last > 0; last--) {
      // Compared by products: a quotient's rounding would keep blocks apart that are equal.
      if (sumY[last - 1] * weight[last] < sumY[last] * weight[last - 1]) break;
      sumX[last - 1] += sumX.pop() ?? 0;
      sumY[last - 1] += sumY.pop() ?? 0;
      weight[last - 1] += weight.pop() ?? 0;
    }
  }
  return {
    center: Float64Array.from(sumX, (sum, block) => sum / weight[block]),
    value: Float64Array.from(sumY, (sum, block) => sum / weight[block]),
    weight: Float64Array.from(weight),
  };
}

/**
 * Isotonic calibration that keeps the ranking: linear between the centres of the pooled blocks, whose values strictly increase,
 * so that two scores become equal only where floating point runs out. (Steps at the blocks' edges, the textbook form, would tie
 * thousands of rows and cost ROC AUC.) One virtual row of the base rate at either end keeps values off 0 and 1, which no finite
 * sample proves. Beyond the outermost centres the block's shift in log-odds goes on to the outermost score, then the line runs
 * to (0, 0) and (1, 1).
 *
 * @param probabilities raw probabilities of rows that were not trained on
 * @returns null when there are fewer than 100 rows or only one class
 * @throws TRAIN_EVALUATION_INVALID for lengths that differ
 */
export function fitIsotonic(probabilities: Float64Array, labels: Uint8Array, weights?: Float64Array): IsotonicCalibration | null {
  const rows = probabilities.length;
  checkRows(rows, labels, weights);
  const { positives, negatives } = sumOfClasses(labels, weights);
  if (rows < MIN_ROWS || positives === 0 || negatives === 0) return null;
  const lowest = probabilities.reduce((least, p) => Math.min(least, p), 1);
  const highest = probabilities.reduce((most, p) => Math.max(most, p), 0);
  const x = new Float64Array(rows + 2).fill(lowest);
  const y = new Float64Array(rows + 2).fill(positives / (positives + negatives));
  x.set(probabilities, 1);
  y.set(labels, 1);
  x[rows + 1] = highest;
  const { center, value } = poolAdjacentViolators(x, y, weights === undefined ? undefined : withOneAtEnds(weights));
  const last = center.length - 1;
  const points: [number, number][] = [
    [0, 0],
    [lowest, shifted(lowest, center[0], value[0])],
    ...Array.from(center, (at, block): [number, number] => [at, value[block]]),
    [highest, shifted(highest, center[last], value[last])],
    [1, 1],
  ];
  // Points that do not advance (a single score, a score of exactly 0) would make a line of no length.
  const kept: [number, number][] = [];
  for (const point of points) {
    const previous = kept.at(-1);
    if (previous === undefined || (point[0] > previous[0] && point[1] > previous[1])) kept.push(point);
  }
  return { kind: "isotonic", x: Float64Array.from(kept, ([at]) => at), y: Float64Array.from(kept, ([, to]) => to) };
}

export function sumOfClasses(labels: Uint8Array, weights?: Float64Array): { positives: number; negatives: number } {
  let positives = 0;
  let negatives = 0;
  labels.forEach((label, row) => {
    const own = weights === undefined ? 1 : weights[row];
    if (label === 1) positives += own;
    else negatives += own;
  });
  return { positives, negatives };
}

export function checkRows(rows: number, labels: ArrayLike<number>, weights?: Float64Array): void {
  if (labels.length !== rows || (weights !== undefined && weights.length !== rows)) {
    const given = weights === undefined ? "" : `, ${weights.length} weights`;
    throw trainErrors.TRAIN_EVALUATION_INVALID(`${rows} probabilities, ${labels.length} labels${given}`);
  }
}

function withOneAtEnds(weights: Float64Array): Float64Array {
  const extended = new Float64Array(weights.length + 2).fill(1);
  extended.set(weights, 1);
  return extended;
}

/** The probability whose odds differ from those of `p` as those of `to` differ from `from`. */
function shifted(p: number, from: number, to: number): number {
  const odds = ((p / (1 - p)) * (to / (1 - to)) * (1 - from)) / from;
  return odds / (1 + odds);
}
