import type { BinnedColumn } from "../trees/binning.ts";
import type { BoostingParams } from "./boosting-params.ts";
import { type NodeLimits, type NodeSums, nodeGain, type Split, subtractSums } from "./split.ts";
import { type CategorySplit, splitCategories } from "./split-categories.ts";
import { type NumberSplit, splitNumbers } from "./split-numbers.ts";

export interface SplitSearch {
  readonly columns: readonly BinnedColumn[];
  /** By column: its first cell. */
  readonly offsets: ArrayLike<number>;
  /** Gradient, hessian and weight of the node's cells, one after the other. */
  readonly sums: Float64Array;
  readonly params: BoostingParams;
}

/** A gain below this share of the node's own is rounding. */
const LEAST_GAIN = 1e-12;

/**
 * The split of a node that lowers the objective most (Chen, Guestrin 2016, equation 7). Of equal ones the first column's, at the lowest
 * bin. Missing values that no row of the node has go where more rows go.
 * @param allowed by column: whether it may be used
 * @returns null when no split within the limits gains anything
 */
export function findSplit(search: SplitSearch, node: NodeSums, limits: NodeLimits, allowed: Uint8Array): Split | null {
  const { columns, offsets, sums, params } = search;
  const unsplit = nodeGain(node.gradient, node.hessian, limits);
  const least = unsplit + params.minGain + LEAST_GAIN * Math.abs(unsplit);
  const number: NumberSplit = { gain: least, bin: -1, missingLeft: false };
  const category: CategorySplit = { gain: least, bins: [], l2: 0 };
  let best = -1;
  for (let column = 0; column < columns.length; column++) {
    const { kind, valueBins } = columns[column].binning;
    if (allowed[column] === 0) continue;
    const cells = { sums, first: offsets[column], valueBins };
    const before = Math.max(number.gain, category.gain);
    number.gain = before;
    category.gain = before;
    if (kind === "number") splitNumbers(cells, node, limits, params, params.monotone[column] ?? 0, number);
    else splitCategories(cells, node, limits, params, category);
    if (Math.max(number.gain, category.gain) > before) best = column;
  }
  if (best < 0) return null;
  const { kind, valueBins } = columns[best].binning;
  const cells = { sums, first: offsets[best], valueBins };
  const goesLeft = new Uint8Array(valueBins + 1);
  if (kind === "number") {
    goesLeft.fill(1, 0, number.bin + 1);
    goesLeft[valueBins] = number.missingLeft ? 1 : 0;
  } else {
    for (const bin of category.bins) goesLeft[bin] = 1;
  }
  const left = sumOf(cells.sums, cells.first, goesLeft);
  const right = subtractSums(node, left);
  const hasMissing = sums[3 * (cells.first + valueBins) + 2] > 0;
  if (!hasMissing) goesLeft[valueBins] = left.weight > right.weight ? 1 : 0;
  return {
    gain: Math.max(number.gain, category.gain) - unsplit,
    column: best,
    bin: kind === "number" ? number.bin : -1,
    goesLeft,
    left,
    right,
    l2: kind === "number" ? params.l2 : category.l2,
  };
}

/** Sums over the bins that go left. */
function sumOf(sums: Float64Array, first: number, goesLeft: Uint8Array): NodeSums {
  let gradient = 0;
  let hessian = 0;
  let weight = 0;
  for (let bin = 0; bin < goesLeft.length; bin++) {
    if (goesLeft[bin] === 0) continue;
    gradient += sums[3 * (first + bin)];
    hessian += sums[3 * (first + bin) + 1];
    weight += sums[3 * (first + bin) + 2];
  }
  return { gradient, hessian, weight };
}
