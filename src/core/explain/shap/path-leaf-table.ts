import type { Tree } from "../../training/index.ts";
import type { LeafPath } from "./leaf-paths.ts";
import { gaussLegendre } from "./quadrature.ts";

/** Path-dependent SHAP values of one leaf by the set of players that stray, and by player: `createPathWalk`'s integral for all sets. */
export function pathLeafTable(tree: Tree, { node, players }: LeafPath): Float64Array {
  const count = players.length;
  const { nodes, weights } = gaussLegendre(Math.max(1, Math.ceil(count / 2)));
  const table = new Float64Array(count * 2 ** count);
  const products = new Float64Array(2 ** count);
  // Of each player where it takes its branches, then where it strays: what its value has in place of its factor.
  const shares = new Float64Array(2 * count);
  nodes.forEach((t, q) => {
    products[0] = weights[q] * tree.value[node];
    players.forEach(({ zero }, k) => {
      const strays = (1 - t) * zero;
      const takes = t + strays;
      // Neither the row nor any training row takes the branches: nothing to share, and nothing to divide by.
      shares[2 * k] = (1 - zero) / takes;
      shares[2 * k + 1] = strays === 0 ? 0 : -zero / strays;
      for (let set = 0; set < 2 ** k; set++) {
        products[set + 2 ** k] = products[set] * strays;
        products[set] *= takes;
      }
    });
    for (let set = 0, at = 0; set < products.length; set++) {
      for (let k = 0; k < count; k++, at++) table[at] += products[set] * shares[2 * k + ((set >> k) & 1)];
    }
  });
  return table;
}
