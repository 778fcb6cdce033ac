import { goesLeft, type Tree, type TreesEstimator } from "../../training/index.ts";
import { checkRow } from "./check-columns.ts";
import { checkTrees, expectedValue } from "./checked-trees.ts";
import { type LeafPath, leafPathsOf } from "./leaf-paths.ts";
import { gaussLegendre } from "./quadrature.ts";

export interface TreeInteractions {
  readonly outputs: number;
  /** As of `createTreeShap`. */
  readonly base: Float64Array;
  /**
   * Writes outputs x columns x columns numbers: element (i, j) is half of what columns i and j do together, (i, i) what column i does
   * alone. A row's sum is the column's SHAP value. EXPLAIN_FEATURES_MISMATCH for a row of other columns.
   */
  explainRow(row: Float64Array, phi: Float64Array): void;
}

/**
 * Exact path-dependent SHAP interaction values (Lundberg et al., Nature Machine Intelligence 2, 2020, equations 8 to 10). As in
 * `createPathWalk`, the sum over all sets of columns is an integral: for a leaf with value v,
 *
 *     phi_ij = v / 2 (o_i - z_i) (o_j - z_j) ∫ ∏ k≠i,j (t o_k + (1 - t) z_k) dt
 *
 * Time is O(leaves x D^3) a tree, D being the distinct columns on a path.
 * @throws EXPLAIN_TREE_INVALID
 */
export function createTreeInteractions({ base: start, trees }: TreesEstimator, columns: number): TreeInteractions {
  const distinct = checkTrees(trees, columns);
  const outputs = start.length;
  const base = start.slice();
  trees.forEach((tree, t) => {
    base[t % outputs] += expectedValue(tree);
  });
  const paths = trees.map(leafPathsOf);
  const addLeaf = createLeafAdder(distinct, columns);
  return {
    outputs,
    base,
    explainRow(row, phi) {
      checkRow(row, phi, columns, outputs * columns * columns);
      phi.fill(0);
      trees.forEach((tree, t) => {
        const offset = (t % outputs) * columns * columns;
        for (const path of paths[t]) addLeaf(tree, path, row, phi, offset);
      });
    },
  };
}

function createLeafAdder(distinct: number, columns: number) {
  const { nodes, weights } = gaussLegendre(Math.max(1, Math.ceil(distinct / 2)));
  // By node of the quadrature and player: (o - z) over its factor; and the product of all factors.
  const shares = new Float64Array(nodes.length * distinct);
  const products = new Float64Array(nodes.length);

  return (tree: Tree, { node, players }: LeafPath, row: Float64Array, phi: Float64Array, offset: number): void => {
    products.set(weights);
    for (let k = 0; k < players.length; k++) {
      const { column, zero, steps } = players[k];
      const one = steps.every((step) => goesLeft(tree, step.node, row[column]) !== step.right) ? 1 : 0;
      // Neither the row nor any training row comes here.
      if (one === 0 && zero === 0) return;
      for (let q = 0; q < nodes.length; q++) {
        const factor = nodes[q] * one + (1 - nodes[q]) * zero;
        products[q] *= factor;
        shares[q * distinct + k] = (one - zero) / factor;
      }
    }
    for (let i = 0; i < players.length; i++) {
      const ofColumn = offset + players[i].column * columns;
      let alone = 0;
      for (let q = 0; q < nodes.length; q++) alone += products[q] * shares[q * distinct + i];
      alone *= tree.value[node];
      for (let j = 0; j < players.length; j++) {
        if (j === i) continue;
        let both = 0;
        for (let q = 0; q < nodes.length; q++) both += products[q] * shares[q * distinct + i] * shares[q * distinct + j];
        both *= tree.value[node] / 2;
        phi[ofColumn + players[j].column] += both;
        alone -= both;
      }
      phi[ofColumn + players[i].column] += alone;
    }
  };
}
