import type { Tree } from "../model.ts";

/** Whether a row whose column `tree.feature[node]` holds `x` goes left at an inner node. */
export function goesLeft(tree: Tree, node: number, x: number): boolean {
  if (Number.isNaN(x)) return tree.missingLeft[node] === 1;
  const { categorical } = tree;
  if (categorical === undefined || categorical.start[node] < 0) return x <= tree.threshold[node];
  const { start, length, words } = categorical;
  const code = Math.trunc(x);
  return code >= 0 && code < 32 * length[node] && ((words[start[node] + Math.floor(code / 32)] >>> (code & 31)) & 1) === 1;
}

/** Position of the leaf that row `row` of a column-major matrix ends in. */
export function leafOf(tree: Tree, columns: readonly Float64Array[], row: number): number {
  let node = 0;
  while (tree.feature[node] >= 0) {
    node = goesLeft(tree, node, columns[tree.feature[node]][row]) ? tree.left[node] : tree.right[node];
  }
  return node;
}
