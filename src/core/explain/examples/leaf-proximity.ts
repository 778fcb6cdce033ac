import { type Dataset, encode, goesLeft, type ModelPackage, type RowSelection, type Tree } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";

/**
 * Share of the trees in which two rows come to the same leaf (Breiman, "Random forests", 2001): what the model itself takes for alike.
 * @returns proximity of a row to each of `rows`, 0 … 1
 * @throws EXPLAIN_TREES_NEEDED
 */
export function leafProximity(
  { estimator, preparation }: ModelPackage,
  dataset: Dataset,
  row: number,
  rows: RowSelection,
): Float64Array {
  if (estimator.kind !== "trees") throw explainErrors.EXPLAIN_TREES_NEEDED(`this model is ${estimator.kind}`);
  const all = new Uint32Array(rows.length + 1);
  all[0] = row;
  all.set(rows, 1);
  const { columns } = encode(preparation, dataset, all);
  const together = new Float64Array(rows.length);
  for (const tree of estimator.trees) {
    const own = leafOf(tree, columns, 0);
    for (let i = 0; i < rows.length; i++) if (leafOf(tree, columns, i + 1) === own) together[i] += 1;
  }
  return together.map((count) => (estimator.trees.length === 0 ? 0 : count / estimator.trees.length));
}

function leafOf(tree: Tree, columns: readonly Float64Array[], row: number): number {
  let node = 0;
  while (tree.feature[node] >= 0) {
    node = goesLeft(tree, node, columns[tree.feature[node]][row]) ? tree.left[node] : tree.right[node];
  }
  return node;
}
