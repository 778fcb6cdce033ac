import type { Calibration } from "../model.ts";

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
 * are one observation.
 */
export function poolAdjacentViolators(x: Float64Array, y: Float64Array): IsotonicBlocks {
  const order = Uint32Array.from(x, (_, i) => i).sort((a, b) => x[a] - x[b]);
  const sumX: number[] = [];
  const sumY: number[] = [];
  const weight: number[] = [];
  for (let start = 0; start < order.length; ) {
    let end = start;
    let positives = 0;
    while (end < order.length && x[order[end]] === x[order[start]]) positives += y[order[end++]];
    sumX.push(x[order[start]] * (end - start));
    sumY.push(positives);
    weight.push(end - start);
    start = end;
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
 */
export function fitCalibration(probabilities: Float64Array, labels: Uint8Array): Calibration | null {
  const rows = probabilities.length;
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (rows < MIN_ROWS || positives === 0 || positives === rows) return null;
  const lowest = probabilities.reduce((least, p) => Math.min(least, p), 1);
  const highest = probabilities.reduce((most, p) => Math.max(most, p), 0);
  const rate = positives / rows;
  const x = new Float64Array(rows + 2).fill(lowest);
  const y = new Float64Array(rows + 2).fill(rate);
  x.set(probabilities, 1);
  y.set(labels, 1);
  x[rows + 1] = highest;
  const { center, value } = poolAdjacentViolators(x, y);
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

/** The probability whose odds differ from those of `p` as those of `to` differ from `from`. */
function shifted(p: number, from: number, to: number): number {
  const odds = ((p / (1 - p)) * (to / (1 - to)) * (1 - from)) / from;
  return odds / (1 + odds);
}

/** Linear between the calibration's points, constant outside. */
export function applyCalibration({ x, y }: Calibration, probabilities: Float64Array): Float64Array {
  const last = x.length - 1;
  return probabilities.map((p) => {
    if (p <= x[0]) return y[0];
    if (p >= x[last]) return y[last];
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (x[middle] <= p) low = middle;
      else high = middle;
    }
    return y[low] + ((y[high] - y[low]) * (p - x[low])) / (x[high] - x[low]);
  });
}
