import type { TreesEstimator } from "../../training/index.ts";
import { checkTrees, expectedValue } from "./checked-trees.ts";
import { type ColumnShap, createColumnShap, type TreeGame, type TreeShapOptions } from "./column-shap.ts";
import { pathLeafTable } from "./path-leaf-table.ts";
import { createPathWalk } from "./path-walk.ts";

/**
 * Exact path-dependent SHAP values: a column that is not known sends a row both ways, in proportion to the nodes' cover. One row is
 * explained by walking the trees (see `createPathWalk`), many by tables (see `pattern-tables.ts`); both agree to rounding.
 * @param columns of the matrix
 * @throws EXPLAIN_TREE_INVALID when a tree has a cycle, a child out of range, a split on a column at or past `columns` or an inner
 *   node without cover
 */
export function createTreeShap({ base, trees }: TreesEstimator, columns: number, options: TreeShapOptions = {}): ColumnShap {
  const distinct = checkTrees(trees, columns);
  const expected = base.slice();
  trees.forEach((tree, t) => {
    expected[t % base.length] += expectedValue(tree);
  });
  const game: TreeGame = {
    createWalk: (walked, outputs, { shap }) => createPathWalk(walked, { outputs, columns, distinct }, shap),
    leafTable: pathLeafTable,
  };
  return createColumnShap(trees, expected, columns, game, options);
}
