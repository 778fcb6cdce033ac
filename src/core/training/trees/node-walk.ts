import { createKernelMemory, planMemory } from "../kernels/kernel-memory.ts";
import { type Kernel, startKernel } from "../kernels/load-kernel.ts";
import type { Matrix } from "../matrix.ts";
import type { Tree, TreesEstimator } from "../model.ts";
import { BLOCK } from "./row-ranker.ts";
import type { TreesScorer } from "./trees-scorer.ts";

const NODE_BYTES = 16;
/** Trees, or rows, that the kernels walk at a time. */
const TOGETHER = 4;
const MISSING_LEFT = 1;
const CATEGORIES = 2;

/**
 * Scores by walking from node to node with the kernels `walkRow` (four trees together) and `walkRows` (four rows together). Any size
 * of tree.
 */
export function createNodeWalk(
  { base, trees }: TreesEstimator,
  module: Extract<Kernel, { available: true }>["module"],
): TreesScorer {
  const columns = trees.reduce((most, { feature }) => feature.reduce((last, column) => Math.max(last, column + 1), most), 1);
  const padded = Math.ceil(trees.length / TOGETHER) * TOGETHER;
  const plan = planMemory();
  const nodes = trees.reduce((sum, tree) => sum + tree.feature.length, 0) + 1;
  const place: NodePlace = {
    nodes: plan.place(NODE_BYTES * nodes),
    values: plan.place(8 * nodes),
    sets: plan.place(4 * trees.reduce((sum, { categorical }) => sum + (categorical?.words.length ?? 0), 0)),
    roots: plan.place(4 * padded),
  };
  const leavesAt = plan.place(4 * padded);
  const sumsAt = plan.place(8 * BLOCK * base.length);
  const rowsAt = plan.place(8 * columns * BLOCK);
  const memory = createKernelMemory(plan.bytes);
  writeNodes(memory.buffer, trees, padded, place);

  const kernel = startKernel(module, memory);
  const walkRow = kernel("walkRow");
  const walkRows = kernel("walkRows");
  const values = new Float64Array(memory.buffer, place.values, nodes);
  const roots = new Uint32Array(memory.buffer, place.roots, padded);
  const leaves = new Uint32Array(memory.buffer, leavesAt, padded);
  const numbers = new Float64Array(memory.buffer, rowsAt, columns * BLOCK);
  const sums = new Float64Array(memory.buffer, sumsAt, BLOCK * base.length);

  function scoreRow(row: Float64Array, out: Float64Array): void {
    for (let column = 0; column < columns; column++) numbers[column] = row[column];
    walkRow(place.roots, padded, rowsAt, leavesAt);
    out.set(base);
    for (let tree = 0, output = 0; tree < trees.length; tree++) {
      out[output] += values[(leaves[tree] - place.nodes) / NODE_BYTES];
      output = output + 1 === base.length ? 0 : output + 1;
    }
  }

  function scoreMatrix(matrix: Matrix): Float64Array {
    const raw = new Float64Array(matrix.rows * base.length);
    for (let first = 0; first < matrix.rows; first += BLOCK) {
      const inBlock = Math.min(BLOCK, matrix.rows - first);
      for (let column = 0; column < columns; column++) {
        const from = matrix.columns[column];
        for (let row = 0; row < inBlock; row++) numbers[row * columns + column] = from[first + row];
      }
      base.forEach((start, output) => {
        sums.fill(start, BLOCK * output, BLOCK * (output + 1));
      });
      for (let tree = 0; tree < trees.length; tree++) {
        const sumAt = sumsAt + 8 * BLOCK * (tree % base.length);
        walkRows(roots[tree], inBlock, rowsAt, 8 * columns, place.nodes, place.values, sumAt);
      }
      for (let row = 0; row < inBlock; row++) {
        for (let output = 0; output < base.length; output++)
          raw[(first + row) * base.length + output] = sums[BLOCK * output + row];
      }
    }
    return raw;
  }

  return { scoreRow, scoreMatrix };
}

interface NodePlace {
  readonly nodes: number;
  readonly values: number;
  readonly sets: number;
  readonly roots: number;
}

/** Writes all nodes, children side by side below their parent, and the roots; trees are padded with one that is a single leaf. */
function writeNodes(buffer: ArrayBuffer | SharedArrayBuffer, trees: readonly Tree[], padded: number, place: NodePlace): void {
  const view = new DataView(buffer);
  let end = place.nodes;
  const take = (): number => (end += NODE_BYTES) - NODE_BYTES;
  const writeNode = (at: number, test: number, child: number): void => {
    view.setUint32(at + 8, test, true);
    view.setUint32(at + 12, child, true);
  };
  const writeLeaf = (at: number, value: number): void => {
    // It leads to itself whatever the row holds.
    view.setFloat64(at, Number.POSITIVE_INFINITY, true);
    writeNode(at, MISSING_LEFT, at);
    view.setFloat64(place.values + (at - place.nodes) / 2, value, true);
  };
  const roots = new Uint32Array(buffer, place.roots, padded);
  let sets = place.sets;
  trees.forEach((tree, t) => {
    const { categorical } = tree;
    if (categorical !== undefined) new Uint32Array(buffer, sets, categorical.words.length).set(categorical.words);
    roots[t] = take();
    const waiting = [{ node: 0, at: roots[t] }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { node, at } = next;
      if (tree.feature[node] < 0) {
        writeLeaf(at, tree.value[node]);
        continue;
      }
      const left = take();
      const right = take();
      const test = 8 * tree.feature[node] + (tree.missingLeft[node] === 1 ? MISSING_LEFT : 0);
      if (categorical !== undefined && categorical.start[node] >= 0) {
        view.setUint32(at, sets + 4 * categorical.start[node], true);
        view.setUint32(at + 4, categorical.length[node], true);
        writeNode(at, test + CATEGORIES, left);
      } else {
        view.setFloat64(at, tree.threshold[node], true);
        writeNode(at, test, left);
      }
      waiting.push({ node: tree.right[node], at: right }, { node: tree.left[node], at: left });
    }
    sets += 4 * (categorical?.words.length ?? 0);
  });
  const none = take();
  writeLeaf(none, 0);
  roots.fill(none, trees.length);
}
