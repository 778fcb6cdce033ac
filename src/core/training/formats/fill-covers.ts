import type { Matrix } from "../matrix.ts";
import type { Tree, TreesEstimator } from "../model.ts";
import { goesLeft } from "../trees/goes-left.ts";

/**
 * The same trees with covers counted anew: the weight of the rows that reach each node. For models whose file has none (ONNX), or
 * whose own would not be those of these rows; path-dependent SHAP values weigh branches by them.
 *
 * @param weights one a row; absent: each counts once
 */
export function fillCovers(estimator: TreesEstimator, matrix: Matrix, weights?: Float64Array): TreesEstimator {
  return { ...estimator, trees: estimator.trees.map((tree) => ({ ...tree, cover: coversOf(tree, matrix, weights) })) };
}

function coversOf(tree: Tree, { columns, rows }: Matrix, weights: Float64Array | undefined): Float64Array {
  const cover = new Float64Array(tree.feature.length);
  for (let row = 0; row < rows; row++) {
    const weight = weights === undefined ? 1 : weights[row];
    let node = 0;
    cover[node] += weight;
    while (tree.feature[node] >= 0) {
      node = goesLeft(tree, node, columns[tree.feature[node]][row]) ? tree.left[node] : tree.right[node];
      cover[node] += weight;
    }
  }
  return cover;
}
