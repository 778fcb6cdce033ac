import type { RecordUnits } from "./boosting-kernel.ts";
import { findSplit, type SplitGround } from "./find-split.ts";
import { allowedColumns } from "./interactions.ts";
import { addParts, type RowRange, type SortGround, sortRows } from "./sort-rows.ts";
import { type NodeLimits, type NodeSums, nodeOutput, type Split } from "./split.ts";
import { draftTree, type TreeDraft } from "./tree-draft.ts";
import type { Workspace } from "./workspace.ts";

/** A leaf of a grown tree. */
export interface GrownLeaf extends RowRange {
  readonly node: number;
  /** Its Newton step, before the learning rate. */
  readonly output: number;
}

export interface GrownTree {
  readonly draft: TreeDraft;
  readonly leaves: readonly GrownLeaf[];
}

/** A node that has not been split. */
interface Leaf extends RowRange {
  readonly node: number;
  readonly depth: number;
  readonly sums: NodeSums;
  readonly limits: NodeLimits;
  /** Columns of the splits above it. */
  readonly path: ReadonlySet<number>;
  /** Position of its histogram; 0 where the leaf is final. */
  readonly histogram: number;
  readonly split: Split | null;
}

export interface TreeGround extends SplitGround, SortGround {
  /** The objective's largest step. */
  readonly mostStep: number;
}

/** Grows one tree for an output on the first `sampled` rows of the order; `sampledColumns` says which columns (1) it may use. */
export type TreeGrower = (output: number, units: RecordUnits, sampled: number, sampledColumns: Uint8Array) => GrownTree;

/** Leaf by leaf, the one that gains most first (Shi 2007; as LightGBM grows trees). Prepares what all trees of one training share. */
export function createTreeGrower(ground: TreeGround): TreeGrower {
  const { kernel, crew, workspace, views, columns, params, mostStep } = ground;
  const { cells, allRows } = workspace;
  const { takeHistogram, giveBack } = createHistogramPool(workspace);

  return (output, units, sampled, sampledColumns) => {
    kernel.copyBytes(workspace.index, workspace.order, 4 * allRows);
    const draft = draftTree(columns);
    function withSplit(leaf: Omit<Leaf, "split">): Leaf {
      if (leaf.histogram === 0) return { ...leaf, split: null };
      const allowed = allowedColumns(params.interactions, leaf.path, sampledColumns);
      const limits = { ...leaf.limits, l2: params.l2 };
      const split = findSplit(ground, { histogram: leaf.histogram, units, sums: leaf.sums, limits, allowed });
      if (split !== null) return { ...leaf, split };
      giveBack(leaf.histogram);
      return { ...leaf, histogram: 0, split };
    }

    function openRoot(): Leaf {
      const histogram = takeHistogram();
      const { gradient, hessian, weight, weightBits } = units;
      const record = (filled: number) =>
        crew.run("recordRows", workspace.rows, output, gradient, hessian, weight, weightBits, filled);
      if (sampled === workspace.rows) {
        addParts(ground, histogram, record(histogram));
      } else {
        record(0);
        addParts(ground, histogram, crew.run("fillHistogram", sampled, 0, sampled, histogram));
      }
      const firstCells = columns[0].binning.valueBins + 1;
      kernel.unpackHistogram(histogram, firstCells, units, workspace.sums);
      const sums = firstColumnSums(views.sums, firstCells);
      const limits = { l1: params.l1, l2: params.l2, lower: -mostStep, upper: mostStep };
      const range = { start: 0, end: sampled, ridersStart: sampled, ridersEnd: allRows };
      return withSplit({ ...range, node: draft.addLeaf(sums.weight), depth: 0, sums, limits, path: new Set(), histogram });
    }

    function splitLeaf(leaf: Leaf, split: Split, mayGrow: (sums: NodeSums) => boolean): readonly [Leaf, Leaf] {
      const { left, right } = split;
      const leftGrows = mayGrow(left);
      const rightGrows = mayGrow(right);
      // Only the smaller child's rows are read: the other histogram is what the parent has besides.
      const fillsLeft = left.weight <= right.weight;
      const filled = leftGrows || rightGrows ? takeHistogram() : 0;
      const [leftRows, rightRows] = sortRows(ground, leaf, split, filled, fillsLeft);
      if (filled !== 0) kernel.subtractHistogram(leaf.histogram, filled, cells);
      const histogramOf = (isLeft: boolean, grows: boolean): number => {
        const own = filled === 0 || isLeft !== fillsLeft ? leaf.histogram : filled;
        if (grows) return own;
        if (filled !== 0) giveBack(own);
        return 0;
      };
      const leftHistogram = histogramOf(true, leftGrows);
      const rightHistogram = histogramOf(false, rightGrows);
      if (filled === 0) giveBack(leaf.histogram);
      const [leftLimits, rightLimits] = childLimits(split, leaf.limits, params.monotone[split.column] ?? 0);
      const path = params.interactions.length === 0 ? leaf.path : new Set(leaf.path).add(split.column);
      const leftNode = draft.addLeaf(left.weight);
      const rightNode = draft.addLeaf(right.weight);
      draft.split(leaf.node, split, leftNode, rightNode);
      const depth = leaf.depth + 1;
      return [
        withSplit({ ...leftRows, node: leftNode, depth, sums: left, limits: leftLimits, path, histogram: leftHistogram }),
        withSplit({ ...rightRows, node: rightNode, depth, sums: right, limits: rightLimits, path, histogram: rightHistogram }),
      ];
    }

    const leaves = [openRoot()];
    while (leaves.length < params.leaves) {
      const position = mostGaining(leaves);
      if (position < 0) break;
      const leaf = leaves[position];
      if (leaf.split === null) break;
      const mayBeDeeper = params.maxDepth === 0 || leaf.depth + 1 < params.maxDepth;
      const isLast = leaves.length + 1 === params.leaves;
      const mayGrow = ({ weight, hessian }: NodeSums): boolean =>
        mayBeDeeper && !isLast && weight >= 2 * params.minLeafRows && hessian >= 2 * params.minHessian;
      const [left, right] = splitLeaf(leaf, leaf.split, mayGrow);
      leaves[position] = left;
      leaves.push(right);
    }
    for (const { histogram } of leaves) giveBack(histogram);
    return { draft, leaves: leaves.map((leaf) => ({ ...leaf, output: nodeOutput(leaf.sums, leaf.limits) })) };
  };
}

/** Positions of histograms that no leaf holds. */
function createHistogramPool({ histograms, leaves, cells, cellBytes }: Workspace) {
  const free = Array.from({ length: leaves }, (_, i) => histograms + i * cells * cellBytes);
  return {
    takeHistogram(): number {
      const histogram = free.pop();
      if (histogram === undefined) throw new Error("a tree has more histograms than leaves");
      return histogram;
    },
    giveBack(histogram: number): void {
      if (histogram !== 0) free.push(histogram);
    },
  };
}

/** Position of the leaf whose split gains most; the first of equal ones; -1 where none gains. */
function mostGaining(leaves: readonly Leaf[]): number {
  let best = -1;
  let gain = 0;
  leaves.forEach(({ split }, position) => {
    if (split === null || split.gain <= gain) return;
    best = position;
    gain = split.gain;
  });
  return best;
}

/** A node's sums, which any column's cells add up to. */
function firstColumnSums(sums: Float64Array, cells: number): NodeSums {
  let gradient = 0;
  let hessian = 0;
  let weight = 0;
  for (let at = 0; at < 3 * cells; at += 3) {
    gradient += sums[at];
    hessian += sums[at + 1];
    weight += sums[at + 2];
  }
  return { gradient, hessian, weight };
}

/** Where the column is monotone, neither side's descendants may pass the middle of the two sides (LightGBM's basic method). */
function childLimits(split: Split, limits: NodeLimits, monotone: number): readonly [NodeLimits, NodeLimits] {
  const own = { ...limits, l2: split.l2 };
  if (monotone === 0) return [own, own];
  const middle = (nodeOutput(split.left, own) + nodeOutput(split.right, own)) / 2;
  const below = { ...own, upper: Math.min(own.upper, middle) };
  const above = { ...own, lower: Math.max(own.lower, middle) };
  return monotone > 0 ? [below, above] : [above, below];
}
