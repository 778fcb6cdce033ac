import type { BoostingParams } from "./boosting-params.ts";
import type { NodeLimits, NodeSums } from "./split.ts";
import { nodeGain, nodeOutput, softThreshold } from "./split.ts";

/** Where a column's cells stand among the sums: gradient, hessian and weight, cell after cell. */
export interface ColumnCells {
  readonly sums: Float64Array;
  /** Number of the first. */
  readonly first: number;
  /** The cell after these holds missing values. */
  readonly valueBins: number;
}

/** The best split of a column so far; overwritten when a better one is found. */
export interface NumberSplit {
  gain: number;
  bin: number;
  missingLeft: boolean;
}

type LeafLimits = Pick<BoostingParams, "minLeafRows" | "minHessian">;

/**
 * Tries each bin's upper edge, with missing values on either side where the node has some. Fields of `best` change where a split
 * gains more than it.
 * @param monotone 1: the right side may not say less than the left; -1: not more; 0: anything
 */
export function splitNumbers(
  cells: ColumnCells,
  node: NodeSums,
  limits: NodeLimits,
  leaf: LeafLimits,
  monotone: number,
  best: NumberSplit,
): void {
  const { sums, first, valueBins } = cells;
  const missing = 3 * (first + valueBins);
  const hasMissing = sums[missing + 2] > 0;
  scanEdges(cells, node, limits, leaf, monotone, { gradient: 0, hessian: 0, weight: 0 }, false, best);
  if (!hasMissing) return;
  const start = { gradient: sums[missing], hessian: sums[missing + 1], weight: sums[missing + 2] };
  scanEdges(cells, node, limits, leaf, monotone, start, true, best);
}

/**
 * Fractions are compared by cross-multiplying, as a division would take longer than all the rest. Gradients are pulled to 0 by l1 first.
 * @param start what is on the left before the first bin
 */
function scanEdges(
  { sums, first, valueBins }: ColumnCells,
  node: NodeSums,
  limits: NodeLimits,
  { minLeafRows, minHessian }: LeafLimits,
  monotone: number,
  start: NodeSums,
  missingLeft: boolean,
  best: NumberSplit,
): void {
  const { l1, l2, lower, upper } = limits;
  const isLimited = lower > Number.NEGATIVE_INFINITY || upper < Number.POSITIVE_INFINITY;
  const { gradient, hessian, weight } = node;
  let leftGradient = start.gradient;
  let leftHessian = start.hessian;
  let leftWeight = start.weight;
  let most = best.gain;
  const end = 3 * (first + valueBins);
  for (let cell = 3 * first; cell < end; cell += 3) {
    // An empty bin's edge splits the rows as the one before it does.
    if (sums[cell + 2] === 0) continue;
    leftGradient += sums[cell];
    leftHessian += sums[cell + 1];
    leftWeight += sums[cell + 2];
    if (leftWeight < minLeafRows || leftHessian < minHessian) continue;
    const rightHessian = hessian - leftHessian;
    const rightWeight = weight - leftWeight;
    if (rightWeight < minLeafRows || rightHessian < minHessian || rightWeight === 0) return;
    const rightGradient = gradient - leftGradient;
    let gain: number;
    if (isLimited) {
      gain = nodeGain(leftGradient, leftHessian, limits) + nodeGain(rightGradient, rightHessian, limits);
      if (gain <= most) continue;
    } else {
      const leftPull = l1 === 0 ? leftGradient : softThreshold(leftGradient, l1);
      const rightPull = l1 === 0 ? rightGradient : softThreshold(rightGradient, l1);
      const leftCurvature = leftHessian + l2;
      const rightCurvature = rightHessian + l2;
      const numerator = leftPull * leftPull * rightCurvature + rightPull * rightPull * leftCurvature;
      const denominator = leftCurvature * rightCurvature;
      if (numerator <= most * denominator) continue;
      gain = numerator / denominator;
    }
    if (monotone !== 0) {
      const left = nodeOutput({ gradient: leftGradient, hessian: leftHessian, weight: leftWeight }, limits);
      const right = nodeOutput({ gradient: rightGradient, hessian: rightHessian, weight: rightWeight }, limits);
      if ((right - left) * monotone < 0) continue;
    }
    most = gain;
    best.gain = gain;
    best.bin = (cell - 3 * first) / 3;
    best.missingLeft = missingLeft;
  }
}
