import type { LinearEstimator, Tree, TreesEstimator } from "../model.ts";

/** A model that another library trained, translated; it reads a matrix whose columns are the library's features in their order. */
export interface ImportedModel<E = TreesEstimator | LinearEstimator> {
  readonly estimator: E;
  /** Names of the matrix's columns. */
  readonly features: readonly string[];
  /** As in Matrix: 0 for numbers, else how many codes the column may hold. */
  readonly categories: readonly number[];
  /** What the library calls its objective. */
  readonly objective: string;
}

/** More outputs or columns than these are damage, and would take the memory they announce. */
export const MAX_OUTPUTS = 10_000;
export const MAX_COLUMNS = 1_000_000;
/** Words of a tree's sets of categories: 64 MB. */
const MAX_WORDS = 2 ** 24;
/** Trees after `interleaveTrees` has filled in those that say 0. */
const MAX_TREES = 4_000_000;

/** A node of a tree as a file says it. Children are numbers that `nodeAt` understands. */
export type DescribedNode =
  | { readonly kind: "leaf"; readonly value: number; readonly cover: number }
  | (DescribedSplit & { readonly kind: "number"; readonly threshold: number })
  | (DescribedSplit & { readonly kind: "categories"; readonly words: ArrayLike<number> });

interface DescribedSplit {
  readonly feature: number;
  readonly left: number;
  readonly right: number;
  readonly missingLeft: boolean;
  readonly cover: number;
  /** Shares of the children's covers that this node gets, where several nodes lead to one child, which is then copied; 1 if absent. */
  readonly leftShare?: number;
  readonly rightShare?: number;
}

export interface TreeDescription {
  readonly root: number;
  readonly nodeAt: (node: number) => DescribedNode;
  /** Columns of the matrix. */
  readonly columns: number;
  /** A tree with more nodes than this must go in circles. */
  readonly maxNodes: number;
  /** Makes the error for a description that is no tree. */
  readonly fail: (message: string) => Error;
}

interface Visit {
  readonly described: number;
  readonly share: number;
  /** Where the number of the new node is written. */
  readonly parent: number;
  readonly side: "left" | "right";
}

/**
 * A Tree of what a file describes, nodes in depth-first order, root first.
 * @throws what `fail` makes, when nodes go in circles, columns do not exist or numbers are not finite
 */
export function assembleTree({ root, nodeAt, columns, maxNodes, fail }: TreeDescription): Tree {
  const nodes: DescribedNode[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const cover: number[] = [];
  const pending: Visit[] = [{ described: root, share: 1, parent: -1, side: "left" }];
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    if (nodes.length >= maxNodes) throw fail(`a tree has more than ${maxNodes} nodes or goes in circles`);
    const node = nodeAt(visit.described);
    checkNode(node, columns, fail);
    const index = nodes.push(node) - 1;
    left.push(0);
    right.push(0);
    cover.push(node.cover * visit.share);
    if (visit.parent >= 0) (visit.side === "left" ? left : right)[visit.parent] = index;
    if (node.kind === "leaf") continue;
    const { share } = visit;
    pending.push({ described: node.right, share: share * (node.rightShare ?? 1), parent: index, side: "right" });
    pending.push({ described: node.left, share: share * (node.leftShare ?? 1), parent: index, side: "left" });
  }
  const tree: Tree = {
    feature: Int32Array.from(nodes, (node) => (node.kind === "leaf" ? -1 : node.feature)),
    threshold: Float64Array.from(nodes, (node) =>
      node.kind === "number" ? node.threshold : node.kind === "leaf" ? 0 : Number.NaN,
    ),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    missingLeft: Uint8Array.from(nodes, (node) => (node.kind !== "leaf" && node.missingLeft ? 1 : 0)),
    value: Float64Array.from(nodes, (node) => (node.kind === "leaf" ? node.value : 0)),
    cover: Float64Array.from(cover),
  };
  return nodes.some(({ kind }) => kind === "categories") ? { ...tree, categorical: categoricalSplits(nodes, fail) } : tree;
}

function checkNode(node: DescribedNode, columns: number, fail: (message: string) => Error): void {
  if (!(node.cover >= 0 && node.cover < Number.POSITIVE_INFINITY)) throw fail(`a node has the cover ${node.cover}`);
  if (node.kind === "leaf") {
    if (!Number.isFinite(node.value)) throw fail(`a leaf has the value ${node.value}`);
    return;
  }
  if (!(Number.isInteger(node.feature) && node.feature >= 0 && node.feature < columns)) {
    throw fail(`a node splits on column ${node.feature} of ${columns}`);
  }
  if (node.kind === "number" && Number.isNaN(node.threshold)) throw fail("a threshold is no number");
}

function categoricalSplits(nodes: readonly DescribedNode[], fail: (message: string) => Error): NonNullable<Tree["categorical"]> {
  const start = new Int32Array(nodes.length).fill(-1);
  const length = new Int32Array(nodes.length);
  const words: number[] = [];
  nodes.forEach((node, index) => {
    if (node.kind !== "categories") return;
    start[index] = words.length;
    length[index] = node.words.length;
    if (words.length + node.words.length > MAX_WORDS) throw fail("a tree's sets of categories are larger than any data has them");
    for (let i = 0; i < node.words.length; i++) words.push(node.words[i]);
  });
  return { start, length, words: Uint32Array.from(words) };
}

/**
 * Trees by output, as TreesEstimator wants them: tree t belongs to output t % outputs. Outputs with fewer trees than others get
 * trees that say 0.
 * @throws what `fail` makes, for more outputs than MAX_OUTPUTS or trees than memory would hold
 */
export function interleaveTrees(
  trees: readonly Tree[],
  outputOf: (tree: number) => number,
  outputs: number,
  fail: (message: string) => Error,
): Tree[] {
  if (!(outputs >= 1 && outputs <= MAX_OUTPUTS)) throw fail(`trees have ${outputs} outputs; 1 to ${MAX_OUTPUTS} can be`);
  const byOutput: Tree[][] = Array.from({ length: outputs }, () => []);
  trees.forEach((tree, index) => {
    byOutput[outputOf(index)].push(tree);
  });
  const rounds = byOutput.reduce((most, { length }) => Math.max(most, length), 0);
  if (rounds * outputs > MAX_TREES) throw fail(`${rounds} trees for each of ${outputs} outputs are more than ${MAX_TREES}`);
  return Array.from({ length: rounds * outputs }, (_, t) => byOutput[t % outputs][Math.floor(t / outputs)] ?? leafTree(0, 0));
}

/** A tree of one leaf. */
export function leafTree(value: number, cover: number): Tree {
  return {
    feature: Int32Array.of(-1),
    threshold: Float64Array.of(0),
    left: Int32Array.of(0),
    right: Int32Array.of(0),
    missingLeft: Uint8Array.of(0),
    value: Float64Array.of(value),
    cover: Float64Array.of(cover),
  };
}
