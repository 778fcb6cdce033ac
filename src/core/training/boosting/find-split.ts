import type { BinnedColumn } from "../trees/binning.ts";
import type { BoostingKernel, RecordUnits } from "./boosting-kernel.ts";
import type { BoostingParams } from "./boosting-params.ts";
import { type NodeLimits, type NodeSums, nodeGain, type Split, subtractSums } from "./split.ts";
import { type CategorySplit, splitCategories } from "./split-categories.ts";
import { type NumberSplit, splitLimitedNumbers } from "./split-limited-numbers.ts";
import type { Workspace, WorkspaceViews } from "./workspace.ts";

/** What all searches of one training share. */
export interface SplitGround {
  readonly kernel: BoostingKernel;
  readonly workspace: Workspace;
  readonly views: WorkspaceViews;
  readonly columns: readonly BinnedColumn[];
  readonly params: BoostingParams;
}

/** A node that may be split. */
export interface SplitNode {
  /** Position of its histogram. */
  readonly histogram: number;
  readonly units: RecordUnits;
  readonly sums: NodeSums;
  readonly limits: NodeLimits;
  /** By column: 1 where the node may use it. */
  readonly allowed: Uint8Array;
}

/** The best split so far, of whatever kind. */
interface Best extends NumberSplit, CategorySplit {
  column: number;
}

/** A gain below this share of the node's own is rounding. */
const LEAST_GAIN = 1e-12;

/**
 * The split of a node that lowers the objective most (Chen, Guestrin 2016, equation 7). Of equal ones that of unconstrained numbers goes
 * before others, then the first column's, at its lowest bin. Missing values that no row of the node has go where more rows go.
 * @returns null when no split within the limits gains anything
 */
export function findSplit(ground: SplitGround, node: SplitNode): Split | null {
  const { columns, params } = ground;
  const { limits, sums, allowed } = node;
  const unsplit = nodeGain(sums, limits);
  const least = unsplit + params.minGain + LEAST_GAIN * Math.abs(unsplit);
  const best: Best = { gain: least, column: -1, bin: -1, missingLeft: false, bins: [], l2: params.l2 };
  const isLimited = limits.lower > Number.NEGATIVE_INFINITY || limits.upper < Number.POSITIVE_INFINITY;
  const isFree = (column: number) =>
    !isLimited && columns[column].binning.kind === "number" && (params.monotone[column] ?? 0) === 0;
  const open = Array.from(columns.keys()).filter((column) => allowed[column] === 1);
  scanFree(ground, node, open.filter(isFree), best);
  for (const column of open) if (!isFree(column)) tryColumn(ground, node, column, best);
  return best.column < 0 ? null : toSplit(ground, node, best, best.gain - unsplit);
}

/** Numbers that nothing constrains: the kernel looks through all of them at once. */
function scanFree(
  { kernel, workspace, views, columns, params }: SplitGround,
  node: SplitNode,
  free: readonly number[],
  best: Best,
) {
  free.forEach((column, position) => {
    views.candidates[2 * position] = views.offsets[column];
    views.candidates[2 * position + 1] = columns[column].binning.valueBins;
  });
  const { histogram, units, sums } = node;
  const found = kernel.scanNumbers(
    histogram,
    workspace.candidates,
    free.length,
    units,
    sums,
    params,
    best.gain,
    workspace.scanAnswer,
  );
  if (found < 0) return;
  const [gain, bin, missingLeft] = views.scanAnswer;
  Object.assign(best, { gain, bin, missingLeft: missingLeft === 1, column: free[found] });
}

function tryColumn(ground: SplitGround, node: SplitNode, column: number, best: Best): void {
  const { columns, params } = ground;
  const before = best.gain;
  const cells = unpackColumn(ground, node, column);
  if (columns[column].binning.kind === "category") splitCategories(cells, node.sums, node.limits, params, best);
  else splitLimitedNumbers(cells, node.sums, node.limits, params, params.monotone[column] ?? 0, best);
  if (best.gain > before) best.column = column;
}

/** A column's cells as numbers. */
function unpackColumn({ kernel, workspace, views, columns }: SplitGround, { histogram, units }: SplitNode, column: number) {
  const first = views.offsets[column];
  const { valueBins } = columns[column].binning;
  kernel.unpackHistogram(histogram + first * workspace.cellBytes, valueBins + 1, units, workspace.sums + 24 * first);
  return { sums: views.sums, first, valueBins };
}

function toSplit(ground: SplitGround, node: SplitNode, { column, bin, missingLeft, bins, l2 }: Best, gain: number): Split {
  const { kind, valueBins } = ground.columns[column].binning;
  const { sums, first } = unpackColumn(ground, node, column);
  const goesLeft = new Uint8Array(valueBins + 1);
  if (kind === "number") {
    goesLeft.fill(1, 0, bin + 1);
    goesLeft[valueBins] = missingLeft ? 1 : 0;
  } else {
    for (const each of bins) goesLeft[each] = 1;
  }
  const left = sumOf(sums, first, goesLeft);
  const right = subtractSums(node.sums, left);
  const hasMissing = sums[3 * (first + valueBins) + 2] > 0;
  if (!hasMissing) goesLeft[valueBins] = left.weight > right.weight ? 1 : 0;
  const isNumber = kind === "number";
  return { gain, column, bin: isNumber ? bin : -1, goesLeft, left, right, l2: isNumber ? ground.params.l2 : l2 };
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
