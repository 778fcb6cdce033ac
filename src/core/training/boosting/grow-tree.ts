import type { GradientBoostingParams } from "../../definitions/index.ts";
import type { Tree } from "../model.ts";
import { type BinnedMatrix, MISSING_BIN } from "./binning.ts";
import { blockLength, fillHistogram, histogramLength, subtractHistogram } from "./histogram.ts";
import { bestSplit, type Split } from "./split-search.ts";

/** A node that has not been split: its rows stand together in the index. */
interface Leaf {
  readonly node: number;
  readonly start: number;
  readonly end: number;
  /** Null where the leaf is final, so that nothing has to be searched. */
  readonly histogram: Float64Array | null;
  readonly split: Split | null;
}

interface Node {
  feature: number;
  threshold: number;
  left: number;
  right: number;
  missingLeft: number;
  value: number;
  cover: number;
}

/** Grows one tree from the gradients and adds its output to `scores`; `packed` are the same gradients for histograms. */
export type TreeGrower = (gradients: Float64Array, hessians: Float64Array, packed: Float64Array, scores: Float64Array) => Tree;

/** Prepares the memory that all trees of one training share. */
export function createTreeGrower(
  matrix: BinnedMatrix,
  { leaves: maxLeaves, rate, l2, minLeafRows }: Pick<GradientBoostingParams, "leaves" | "rate" | "l2" | "minLeafRows">,
): TreeGrower {
  const { rows } = matrix;
  const index = new Uint32Array(rows);
  const rightRows = new Uint32Array(rows);
  const block = new Float64Array(blockLength(matrix));
  const free: Float64Array[] = [];
  const takeHistogram = () => free.pop() ?? new Float64Array(histogramLength(matrix));
  const giveBack = (histogram: Float64Array | null) => {
    if (histogram !== null) free.push(histogram);
  };

  return (gradients, hessians, packed, scores) => {
    for (let row = 0; row < rows; row++) index[row] = row;
    const nodes: Node[] = [];
    const addNode = (cover: number) =>
      nodes.push({ feature: -1, threshold: 0, left: -1, right: -1, missingLeft: 0, value: 0, cover }) - 1;
    const openLeaf = (start: number, end: number, histogram: Float64Array | null): Leaf => ({
      node: addNode(end - start),
      start,
      end,
      histogram,
      split: histogram === null ? null : bestSplit(matrix, histogram, { l2, minLeafRows }),
    });
    const fill = (start: number, end: number, histogram: Float64Array) => {
      fillHistogram(matrix, packed, index, start, end, block, histogram);
      return histogram;
    };

    const leaves = [openLeaf(0, rows, fill(0, rows, takeHistogram()))];
    while (leaves.length < maxLeaves) {
      const position = mostGaining(leaves);
      const leaf = leaves[position];
      if (leaf === undefined || leaf.split === null) break;
      const { start, end, split, histogram } = leaf;
      const middle = partition(matrix.byColumn[split.column], split, index, start, end, rightRows);

      const mayGrow = (size: number) => leaves.length + 1 < maxLeaves && size >= 2 * minLeafRows;
      const leftGrows = mayGrow(middle - start);
      const rightGrows = mayGrow(end - middle);
      let left: Float64Array | null = null;
      let right: Float64Array | null = null;
      if (histogram !== null && (leftGrows || rightGrows)) {
        // Only the smaller child's rows are read: the other histogram is what the parent has besides.
        const smallerIsLeft = middle - start <= end - middle;
        const smaller = smallerIsLeft ? fill(start, middle, takeHistogram()) : fill(middle, end, takeHistogram());
        subtractHistogram(histogram, smaller);
        left = smallerIsLeft ? smaller : histogram;
        right = smallerIsLeft ? histogram : smaller;
      } else {
        giveBack(histogram);
      }
      const leftLeaf = openLeaf(start, middle, leftGrows ? left : null);
      const rightLeaf = openLeaf(middle, end, rightGrows ? right : null);
      if (!leftGrows) giveBack(left);
      if (!rightGrows) giveBack(right);
      leaves[position] = leftLeaf;
      leaves.push(rightLeaf);
      const node = nodes[leaf.node];
      node.feature = split.column;
      node.threshold = matrix.edges[split.column][split.bin] ?? Number.POSITIVE_INFINITY;
      node.left = leftLeaf.node;
      node.right = rightLeaf.node;
      node.missingLeft = split.missingLeft ? 1 : 0;
    }

    for (const { node, start, end, histogram } of leaves) {
      giveBack(histogram);
      let gradient = 0;
      let hessian = 0;
      for (let i = start; i < end; i++) {
        gradient += gradients[index[i]];
        hessian += hessians[index[i]];
      }
      const curvature = hessian + l2;
      const value = curvature > Number.EPSILON ? (-rate * gradient) / curvature : 0;
      nodes[node].value = value;
      for (let i = start; i < end; i++) scores[index[i]] += value;
    }
    return toTree(nodes);
  };
}

function mostGaining(leaves: readonly Leaf[]): number {
  let best = -1;
  let bestGain = 0;
  leaves.forEach(({ split }, position) => {
    if (split === null || split.gain <= bestGain) return;
    best = position;
    bestGain = split.gain;
  });
  return best;
}

/** Moves the rows that go left before those that go right, both in their old order; returns where the right ones start. */
function partition(
  bins: Uint8Array,
  { bin: splitBin, missingLeft }: Split,
  index: Uint32Array,
  start: number,
  end: number,
  rightRows: Uint32Array,
): number {
  // Both targets are written and one position advances: a branch here would be mispredicted every other row.
  const goesLeft = new Uint8Array(MISSING_BIN + 1).fill(1, 0, splitBin + 1);
  goesLeft[MISSING_BIN] = missingLeft ? 1 : 0;
  let left = start;
  let right = 0;
  for (let i = start; i < end; i++) {
    const row = index[i];
    const isLeft = goesLeft[bins[row]];
    index[left] = row;
    rightRows[right] = row;
    left += isLeft;
    right += 1 - isLeft;
  }
  index.set(rightRows.subarray(0, right), left);
  return left;
}

function toTree(nodes: readonly Node[]): Tree {
  return {
    feature: Int32Array.from(nodes, (node) => node.feature),
    threshold: Float64Array.from(nodes, (node) => node.threshold),
    left: Int32Array.from(nodes, (node) => node.left),
    right: Int32Array.from(nodes, (node) => node.right),
    missingLeft: Uint8Array.from(nodes, (node) => node.missingLeft),
    value: Float64Array.from(nodes, (node) => node.value),
    cover: Float64Array.from(nodes, (node) => node.cover),
  };
}
