import type { BoostingParams } from "./boosting-params.ts";
import type { NodeLimits, NodeSums } from "./split.ts";
import { nodeGain, nodeOutput, subtractSums } from "./split.ts";

/** Where a column's cells stand among the sums: gradient, hessian and weight, cell after cell. */
export interface ColumnCells {
  readonly sums: Float64Array;
  /** Number of the first. */
  readonly first: number;
  /** The cell after these holds missing values. */
  readonly valueBins: number;
}

/** The best split of a column of numbers so far; overwritten when a better one is found. */
export interface NumberSplit {
  gain: number;
  bin: number;
  missingLeft: boolean;
}

type LeafLimits = Pick<BoostingParams, "minLeafRows" | "minHessian">;

/**
 * What the kernel's `scanNumbers` does, where outputs are limited: each bin's upper edge is tried, with missing values on either side
 * where the node has some. Fields of `best` change where a split gains more than it.
 * @param monotone 1: the right side may not say less than the left; -1: not more; 0: anything
 */
export function splitLimitedNumbers(
  cells: ColumnCells,
  node: NodeSums,
  limits: NodeLimits,
  leaf: LeafLimits,
  monotone: number,
  best: NumberSplit,
): void {
  const { sums, first, valueBins } = cells;
  const none = { gradient: 0, hessian: 0, weight: 0 };
  scanEdges(cells, node, limits, leaf, monotone, none, false, best);
  const missing = 3 * (first + valueBins);
  if (sums[missing + 2] === 0) return;
  const start = { gradient: sums[missing], hessian: sums[missing + 1], weight: sums[missing + 2] };
  scanEdges(cells, node, limits, leaf, monotone, start, true, best);
}

/** @param start what is on the left before the first bin */
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
  let { gradient, hessian, weight } = start;
  for (let bin = 0; bin < valueBins; bin++) {
    const cell = 3 * (first + bin);
    if (sums[cell + 2] === 0) continue;
    gradient += sums[cell];
    hessian += sums[cell + 1];
    weight += sums[cell + 2];
    if (weight < minLeafRows || hessian < minHessian) continue;
    const left = { gradient, hessian, weight };
    const right = subtractSums(node, left);
    if (right.weight < minLeafRows || right.hessian < minHessian || right.weight === 0) return;
    if ((nodeOutput(right, limits) - nodeOutput(left, limits)) * monotone < 0) continue;
    const gain = nodeGain(left, limits) + nodeGain(right, limits);
    if (gain <= best.gain) continue;
    best.gain = gain;
    best.bin = bin;
    best.missingLeft = missingLeft;
  }
}
