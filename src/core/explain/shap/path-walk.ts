import { goesLeft, type Tree } from "../../training/index.ts";
import type { TreeShape } from "./checked-trees.ts";
import { gaussLegendre } from "./quadrature.ts";

/**
 * Adds the SHAP values of one tree for `row` to `phi[offset + column]`.
 * @param only nodes (1) on the way to the leaves that count; all of them unless given
 */
export type PathWalk = (tree: Tree, row: Float64Array, phi: Float64Array, offset: number, only?: Uint8Array) => void;

/**
 * Path-dependent SHAP values of one row in one walk through a tree of any size.
 *
 * On a path to a leaf with value v, let a column's zero fraction z be the share of rows that flow on when it is not known, and its one
 * fraction o (0 or 1) whether this row flows on when it is (Lundberg et al., Nature Machine Intelligence 2, 2020). Shapley's weight of
 * a set of s out of D - 1 columns is the integral of t^s (1 - t)^(D - 1 - s) over 0 … 1 (Owen, "Multilinear Extensions of Games",
 * 1972), so that the sum over all sets becomes one integral of a product over the other columns:
 *
 *     phi_j = v (o_j - z_j) ∫ ∏ k≠j (t o_k + (1 - t) z_k) dt
 *
 * The product is a polynomial of degree D - 1, for which Gauss-Legendre with D / 2 nodes is exact; all its factors and weights are
 * positive, so that nothing cancels. Products are built on the way down, leaves are summed on the way up, and each split adds what
 * its own factor changes. Time is O(nodes x D) a tree.
 *
 * @param shape greatest depth and distinct columns among the trees that will be walked
 */
export function createPathWalk({ depth, distinct }: TreeShape, columns: number): PathWalk {
  const points = Math.max(1, Math.ceil(distinct / 2));
  const { nodes, weights } = gaussLegendre(points);
  const one = new Float64Array(columns).fill(1);
  const zero = new Float64Array(columns).fill(1);
  // By level and node of the quadrature: the path's product, and the sum over the leaves below of value x product.
  const product = new Float64Array((depth + 1) * points).fill(1, 0, points);
  const below = new Float64Array((depth + 1) * points);

  return (tree, row, phi, offset, only) => {
    function visit(node: number, level: number): void {
      const here = level * points;
      const column = tree.feature[node];
      if (column < 0) {
        for (let q = 0; q < points; q++) below[here + q] = tree.value[node] * product[here + q];
        return;
      }
      below.fill(0, here, here + points);
      const left = goesLeft(tree, node, row[column]);
      descend(node, tree.left[node], left, level);
      descend(node, tree.right[node], !left, level);
    }

    function descend(node: number, child: number, taken: boolean, level: number): void {
      if (only !== undefined && only[child] === 0) return;
      const column = tree.feature[node];
      const oneBefore = one[column];
      const zeroBefore = zero[column];
      const oneAfter = taken ? oneBefore : 0;
      const zeroAfter = (zeroBefore * tree.cover[child]) / tree.cover[node];
      // A branch that neither the row nor any training row takes adds nothing, and its product could not be divided by.
      if (oneAfter === 0 && zeroAfter === 0) return;
      const here = level * points;
      const next = here + points;
      for (let q = 0; q < points; q++) {
        const t = nodes[q];
        const before = t * oneBefore + (1 - t) * zeroBefore;
        product[next + q] = (product[here + q] * (t * oneAfter + (1 - t) * zeroAfter)) / before;
      }
      one[column] = oneAfter;
      zero[column] = zeroAfter;
      visit(child, level + 1);
      one[column] = oneBefore;
      zero[column] = zeroBefore;
      let gained = 0;
      for (let q = 0; q < points; q++) {
        const t = nodes[q];
        const sum = below[next + q];
        const after = (oneAfter - zeroAfter) / (t * oneAfter + (1 - t) * zeroAfter);
        const before = (oneBefore - zeroBefore) / (t * oneBefore + (1 - t) * zeroBefore);
        gained += weights[q] * sum * (after - before);
        below[here + q] += sum;
      }
      phi[offset + column] += gained;
    }

    visit(0, 0);
  };
}
