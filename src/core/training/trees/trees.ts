import type { Tree } from "../model.ts";

/** Adds a tree's output (log-odds) to the score of every row of a column-major matrix. */
export function addTree(tree: Tree, columns: readonly Float64Array[], scores: Float64Array): void {
  const { feature, threshold, left, right, missingLeft, value } = tree;
  for (let row = 0; row < scores.length; row++) {
    let node = 0;
    let split = feature[0];
    while (split >= 0) {
      const x = columns[split][row];
      const goesLeft = x <= threshold[node] || (Number.isNaN(x) && missingLeft[node] === 1);
      node = goesLeft ? left[node] : right[node];
      split = feature[node];
    }
    scores[row] += value[node];
  }
}

/** All trees in one set of arrays, so that a single row walks through memory that stands together. */
export interface FlatTrees {
  readonly roots: Int32Array;
  readonly feature: Int32Array;
  /** Threshold of an inner node, output of a leaf. */
  readonly number: Float64Array;
  /** Where x <= threshold leads, and where it does not. */
  readonly children: Int32Array;
  readonly missingLeft: Uint8Array;
}

export function flattenTrees(trees: readonly Tree[]): FlatTrees {
  const nodes = trees.reduce((sum, tree) => sum + tree.feature.length, 0);
  const flat = {
    roots: new Int32Array(trees.length),
    feature: new Int32Array(nodes),
    number: new Float64Array(nodes),
    children: new Int32Array(2 * nodes),
    missingLeft: new Uint8Array(nodes),
  };
  let base = 0;
  trees.forEach((tree, index) => {
    flat.roots[index] = base;
    flat.feature.set(tree.feature, base);
    flat.missingLeft.set(tree.missingLeft, base);
    for (let node = 0; node < tree.feature.length; node++) {
      const leaf = tree.feature[node] < 0;
      flat.number[base + node] = leaf ? tree.value[node] : tree.threshold[node];
      flat.children[2 * (base + node)] = leaf ? -1 : base + tree.left[node];
      flat.children[2 * (base + node) + 1] = leaf ? -1 : base + tree.right[node];
    }
    base += tree.feature.length;
  });
  return flat;
}

/** Sum of the trees' outputs for one row, added to `baseScore` in the trees' order: the same figure as `addTree` makes. */
export function scoreRow(trees: FlatTrees, row: Float64Array, baseScore: number): number {
  const { roots, feature, number, children, missingLeft } = trees;
  let score = baseScore;
  for (let tree = 0; tree < roots.length; tree++) {
    let node = roots[tree];
    let split = feature[node];
    while (split >= 0) {
      const x = row[split];
      const goesLeft = x <= number[node] || (Number.isNaN(x) && missingLeft[node] === 1);
      node = children[goesLeft ? 2 * node : 2 * node + 1];
      split = feature[node];
    }
    score += number[node];
  }
  return score;
}
