import type { Tree } from "../model.ts";
import { goesLeft } from "./goes-left.ts";

/** Adds a tree's output to the raw score of every row of a column-major matrix; `scores` says how many rows there are. */
export function addTree(tree: Tree, columns: readonly Float64Array[], scores: Float64Array): void {
  const { feature, left, right, value } = tree;
  for (let row = 0; row < scores.length; row++) {
    let node = 0;
    while (feature[node] >= 0) node = goesLeft(tree, node, columns[feature[node]][row]) ? left[node] : right[node];
    scores[row] += value[node];
  }
}
