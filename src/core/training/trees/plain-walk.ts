import type { TreesEstimator } from "../model.ts";
import { addTree } from "./add-tree.ts";
import { goesLeft } from "./goes-left.ts";
import type { TreesScorer } from "./trees-scorer.ts";

/** Scores without a kernel: tree after tree. */
export function createPlainWalk({ base, trees }: TreesEstimator): TreesScorer {
  return {
    scoreRow(row, out) {
      out.set(base);
      trees.forEach((tree, t) => {
        let node = 0;
        while (tree.feature[node] >= 0) {
          node = goesLeft(tree, node, row[tree.feature[node]]) ? tree.left[node] : tree.right[node];
        }
        out[t % base.length] += tree.value[node];
      });
    },
    scoreMatrix({ columns, rows }) {
      const raw = new Float64Array(rows * base.length);
      const sums = Array.from(base, (start) => new Float64Array(rows).fill(start));
      trees.forEach((tree, t) => {
        addTree(tree, columns, sums[t % base.length]);
      });
      sums.forEach((sum, output) => {
        for (let row = 0; row < rows; row++) raw[row * base.length + output] = sum[row];
      });
      return raw;
    },
  };
}
