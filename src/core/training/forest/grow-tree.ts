import type { RandomStream } from "../random.ts";
import type { BinnedMatrix } from "../trees/binning.ts";
import type { Criterion, Sample } from "./criterion.ts";
import { createNodeStore, type NodeStore } from "./node-store.ts";
import { createSplitFinder, type Split, type SplitSettings } from "./split-node.ts";

export interface GrowthLimits extends SplitSettings {
  /** 0: none. */
  readonly maxDepth: number;
  /** 0: none. */
  readonly maxLeaves: number;
  readonly minSplitWeight: number;
}

/** Writes a leaf's outputs, from the rows at positions start … end - 1 of the sample. */
export type LeafWriter = (store: NodeStore, node: number, start: number, end: number) => void;

/** A node that can be split: rows at positions start … end - 1. */
interface OpenNode {
  readonly node: number;
  readonly start: number;
  readonly end: number;
  readonly depth: number;
  readonly split: Split;
  /** What the split explains beyond the node. */
  readonly gain: number;
}

/** Grows trees of one forest: what they have in common is prepared once. */
export function createTreeGrower(binned: BinnedMatrix, criterion: Criterion, outputs: number, limits: GrowthLimits) {
  const findSplit = createSplitFinder(binned, criterion, limits);
  const total = new Float64Array(criterion.size);
  const scratch = { rows: new Uint32Array(0), weights: new Float64Array(0), targets: new Float64Array(0) };
  const byGain = limits.maxLeaves > 0;

  /** @param sample is put into the order of the leaves */
  return (sample: Sample, writeLeaf: LeafWriter, random: RandomStream): NodeStore => {
    if (scratch.rows.length < sample.rows.length) Object.assign(scratch, emptySample(sample.rows.length));
    const store = createNodeStore(outputs);
    const open: OpenNode[] = [];
    let leaves = 1;

    const enter = (start: number, end: number, depth: number): number => {
      const { weight, isPure } = criterion.summarize(sample, start, end, total);
      const node = store.add(weight);
      const mayBeSplit =
        !isPure &&
        (limits.maxDepth === 0 || depth < limits.maxDepth) &&
        weight >= Math.max(limits.minSplitWeight, 2 * limits.minWeight);
      const split = mayBeSplit ? findSplit(sample, start, end, total, random) : undefined;
      if (split === undefined) writeLeaf(store, node, start, end);
      else open.push({ node, start, end, depth, split, gain: split.score - criterion.score(total) });
      return node;
    };

    enter(0, sample.rows.length, 0);
    while (open.length > 0) {
      // Depth first, unless leaves are counted: then what gains most comes first.
      const { node, start, end, depth, split } = open.splice(byGain ? positionOfBest(open) : open.length - 1, 1)[0];
      if (byGain && leaves >= limits.maxLeaves) {
        writeLeaf(store, node, start, end);
        continue;
      }
      recordSplit(store, node, split);
      const middle = partition(sample, scratch, start, end, binned.columns[split.column].bins, split.goesLeft);
      const right = enter(middle, end, depth + 1);
      const left = enter(start, middle, depth + 1);
      store.setChildren(node, left, right);
      leaves++;
    }
    return store;
  };
}

export const emptySample = (length: number) => ({
  rows: new Uint32Array(length),
  weights: new Float64Array(length),
  targets: new Float64Array(length),
});

function recordSplit(store: NodeStore, node: number, { column, rule, missingLeft }: Split): void {
  if (rule.kind === "number") store.splitNumber(node, column, rule.threshold, missingLeft);
  else store.splitCategories(node, column, rule.codes, missingLeft);
}

/** Of equal gains the node that was entered first. */
function positionOfBest(open: readonly OpenNode[]): number {
  let best = 0;
  for (let i = 1; i < open.length; i++) if (open[i].gain > open[best].gain) best = i;
  return best;
}

/** Rows that go left first, both sides in their order; returns where the right side starts. */
function partition(sample: Sample, scratch: Sample, start: number, end: number, bins: Uint8Array, goesLeft: Uint8Array): number {
  const { rows, weights, targets } = sample;
  let left = start;
  let right = 0;
  for (let i = start; i < end; i++) {
    const row = rows[i];
    if (goesLeft[bins[row]] === 1) {
      rows[left] = row;
      weights[left] = weights[i];
      targets[left++] = targets[i];
    } else {
      scratch.rows[right] = row;
      scratch.weights[right] = weights[i];
      scratch.targets[right++] = targets[i];
    }
  }
  rows.set(scratch.rows.subarray(0, right), left);
  weights.set(scratch.weights.subarray(0, right), left);
  targets.set(scratch.targets.subarray(0, right), left);
  return left;
}
