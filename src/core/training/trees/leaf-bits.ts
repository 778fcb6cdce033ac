import { createKernelMemory, type KernelMemory, type MemoryPlan, planMemory } from "../kernels/kernel-memory.ts";
import { type Kernel, startKernel } from "../kernels/load-kernel.ts";
import type { Matrix } from "../matrix.ts";
import type { Tree, TreesEstimator } from "../model.ts";
import { groupTrees, type RankedSplits, rankSplits } from "./ranked-splits.ts";
import { BLOCK, createKernelRanker, placeRanks, type RankPlace, writeRankTables } from "./row-ranker.ts";

/** A leaf's number is a byte. */
const MOST_LEAVES = 256;
/** Leaves in a plane of bytes. */
const PLANE = 8;
const BIAS = 128;
const PLANE_BYTES = 12;
const SPLIT_BYTES = 8;
const TREE_BYTES = 16;
/** Rows that the kernel takes at a time, and a byte for each one's leaf. */
const ROWS = 64;
const LEAVES_BYTES = ROWS;

/** Whether every tree is small enough for `createLeafBitScorer`. */
export const fitsLeafBits = (trees: readonly Tree[]): boolean =>
  trees.every((tree) => (tree.feature.length + 1) / 2 <= MOST_LEAVES);

/** A split that clears leaves of one plane when it sends a row right. */
interface PlaneSplit {
  readonly slot: number;
  readonly rank: number;
  readonly cleared: number;
}

interface LeafBits {
  /** Values of the leaves from left to right. */
  readonly values: readonly number[];
  /** By plane. */
  readonly planes: readonly (readonly PlaneSplit[])[];
}

/** Numbers the leaves of a tree from left to right and says which of them each split clears. */
function leafBits(tree: Tree, slotOf: Int32Array, rankOf: Uint8Array): LeafBits {
  const values: number[] = [];
  const planes: PlaneSplit[][] = [];
  const visit = (node: number): void => {
    if (tree.feature[node] < 0) {
      if (values.length % PLANE === 0) planes.push([]);
      values.push(tree.value[node]);
      return;
    }
    const first = values.length;
    visit(tree.left[node]);
    const end = values.length;
    for (let plane = Math.floor(first / PLANE); plane * PLANE < end; plane++) {
      let cleared = 0;
      for (let bit = 0; bit < PLANE; bit++) {
        const leaf = plane * PLANE + bit;
        if (leaf >= first && leaf < end) cleared |= 1 << bit;
      }
      planes[plane].push({ slot: slotOf[node], rank: rankOf[node], cleared });
    }
    visit(tree.right[node]);
  };
  visit(0);
  return { values, planes };
}

/** One group of trees in a kernel's memory. */
interface PlacedGroup {
  readonly splits: RankedSplits;
  readonly ranks: RankPlace;
  readonly trees: readonly LeafBits[];
  /** Where the records of trees, planes, splits and the leaves' values begin. */
  readonly at: { readonly trees: number; readonly planes: number; readonly splits: number; readonly values: number };
}

function placeGroup(plan: MemoryPlan, group: readonly Tree[]): PlacedGroup {
  const splits = rankSplits(group);
  const trees = group.map((tree, t) => leafBits(tree, splits.slotOf[t], splits.rankOf[t]));
  const sum = (count: (tree: LeafBits) => number): number => trees.reduce((total, tree) => total + count(tree), 0);
  return {
    splits,
    ranks: placeRanks(plan, splits),
    trees,
    at: {
      trees: plan.place(TREE_BYTES * trees.length),
      planes: plan.place(PLANE_BYTES * sum(({ planes }) => planes.length)),
      splits: plan.place(SPLIT_BYTES * sum(({ planes }) => planes.reduce((n, plane) => n + plane.length, 0))),
      values: plan.place(8 * sum(({ values }) => values.length)),
    },
  };
}

/**
 * Scores matrices block by block with the kernel `scoreTrees`: sixteen rows at a time run over the splits of a tree without a branch.
 * Figures are those of walking each tree, to the last bit, because comparisons are exact and leaves are added in the trees' order.
 *
 * @param estimator one that `fitsLeafBits`
 * @returns raw output, rows x outputs, row by row
 */
export function createLeafBitScorer(
  { base, trees }: TreesEstimator,
  module: Extract<Kernel, { available: true }>["module"],
): (matrix: Matrix) => Float64Array {
  const outputs = base.length;
  const plan = planMemory();
  const groups = groupTrees(trees).map((group) => placeGroup(plan, group));
  const sumsAt = plan.place(8 * BLOCK * outputs);
  const leavesAt = plan.place(LEAVES_BYTES);
  const memory = createKernelMemory(plan.bytes);
  let firstTree = 0;
  for (const group of groups) {
    writeRankTables(memory, group.splits, group.ranks);
    writeTrees(memory, group, firstTree, outputs);
    firstTree += group.trees.length;
  }
  const kernel = startKernel(module, memory);
  const scoreTrees = kernel("scoreTrees");
  const rankers = groups.map(({ splits, ranks }) => createKernelRanker(kernel, memory, splits, ranks));
  const sums = new Float64Array(memory.buffer, sumsAt, BLOCK * outputs);

  return ({ columns, rows }) => {
    const raw = new Float64Array(rows * outputs);
    for (let first = 0; first < rows; first += BLOCK) {
      const inBlock = Math.min(BLOCK, rows - first);
      base.forEach((start, output) => {
        sums.fill(start, BLOCK * output, BLOCK * (output + 1));
      });
      groups.forEach(({ trees: { length }, at, ranks }, g) => {
        rankers[g](columns, first, inBlock);
        scoreTrees(at.trees, length, ranks.ranks, Math.ceil(inBlock / ROWS) * ROWS, sumsAt, leavesAt);
      });
      for (let output = 0; output < outputs; output++) {
        for (let row = 0; row < inBlock; row++) raw[(first + row) * outputs + output] = sums[BLOCK * output + row];
      }
    }
    return raw;
  };
}

function writeTrees({ buffer }: KernelMemory, { trees, at }: PlacedGroup, firstTree: number, outputs: number): void {
  const view = new DataView(buffer);
  let { planes: plane, splits: split, values: value } = at;
  trees.forEach((tree, t) => {
    const record = at.trees + TREE_BYTES * t;
    const output = (firstTree + t) % outputs;
    [plane, tree.planes.length, value, 8 * BLOCK * output].forEach((word, i) => {
      view.setUint32(record + 4 * i, word, true);
    });
    // The kernel takes the last plane first, so that the first one that has a leaf decides.
    for (let p = tree.planes.length - 1; p >= 0; p--, plane += PLANE_BYTES) {
      view.setUint32(plane, split, true);
      for (const { slot, rank, cleared } of tree.planes[p]) {
        view.setUint32(split, slot * BLOCK, true);
        view.setInt8(split + 4, rank - BIAS);
        view.setUint8(split + 5, cleared);
        split += SPLIT_BYTES;
      }
      view.setUint32(plane + 4, split, true);
      new Uint8Array(buffer, plane + 8, 4).fill(p * PLANE);
    }
    for (const each of tree.values) {
      view.setFloat64(value, each, true);
      value += 8;
    }
  });
}
