import type { Tree } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";

/**
 * @param columns of the matrix
 * @returns most distinct columns on one path
 * @throws EXPLAIN_TREE_INVALID when a tree has a cycle, a child out of range, a split on a column at or past `columns` or an inner
 *   node without cover
 */
export function checkTrees(trees: readonly Tree[], columns: number): number {
  return trees.reduce((most, tree, index) => Math.max(most, checkTree(tree, columns, index)), 0);
}

function checkTree(tree: Tree, columns: number, index: number): number {
  const nodes = tree.feature.length;
  const seen = new Uint8Array(nodes);
  const uses = new Uint32Array(columns);
  const invalid = (what: string) => explainErrors.EXPLAIN_TREE_INVALID(`Tree ${index} ${what}`);
  let most = 0;
  const visit = (node: number, distinct: number): void => {
    if (node < 0 || node >= nodes) throw invalid(`points to node ${node} of ${nodes}`);
    if (seen[node] === 1) throw invalid(`reaches node ${node} twice`);
    seen[node] = 1;
    const split = tree.feature[node];
    if (split < 0) {
      most = Math.max(most, distinct);
      return;
    }
    if (split >= columns) throw invalid(`splits on column ${split} of ${columns}`);
    if (!(tree.cover[node] > 0)) throw invalid(`has no cover at inner node ${node}`);
    const below = uses[split] === 0 ? distinct + 1 : distinct;
    uses[split]++;
    visit(tree.left[node], below);
    visit(tree.right[node], below);
    uses[split]--;
  };
  visit(0, 0);
  return most;
}

/** Mean of the leaves under a node, by cover. */
export function expectedValue(tree: Tree, node = 0): number {
  if (tree.feature[node] < 0) return tree.value[node];
  const left = tree.left[node];
  const right = tree.right[node];
  const weighted = tree.cover[left] * expectedValue(tree, left) + tree.cover[right] * expectedValue(tree, right);
  return weighted / tree.cover[node];
}
