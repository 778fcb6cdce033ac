import { goesLeft, type Matrix, type Tree, type TreesEstimator, treesScorer } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { checkColumns } from "./check-columns.ts";
import { checkTrees } from "./checked-trees.ts";
import { type ColumnShap, createColumnShap, rowsOf, type TreeShapOptions } from "./column-shap.ts";
import type { LeafPath } from "./leaf-paths.ts";

/**
 * Exact interventional SHAP values: columns that are not known take the values of a background row, and the answer is the mean over
 * all background rows (Lundberg et al., Nature Machine Intelligence 2, 2020, Algorithm 3). Many rows are explained by tables into
 * which the background has been summed, so that its size does not matter then; one row costs a walk for each background row.
 * @param background a matrix like those to be explained; each of its rows counts the same
 * @throws EXPLAIN_TREE_INVALID, EXPLAIN_NO_ROWS for an empty background, EXPLAIN_FEATURES_MISMATCH for one whose columns are not of one length
 */
export function createInterventionalShap(
  estimator: TreesEstimator,
  background: Matrix,
  options: TreeShapOptions = {},
): ColumnShap {
  if (background.rows === 0) throw explainErrors.EXPLAIN_NO_ROWS("the background has no rows");
  const columns = background.columns.length;
  checkColumns(background, columns);
  const distinct = checkTrees(estimator.trees, columns);
  const weights = coalitionWeights(distinct);
  const rows = rowsOf(background);
  const walkPair = createPairWalk(columns, weights);
  const tables = new WeakMap<Tree, Uint8Array[]>();
  return createColumnShap(
    estimator.trees,
    meanOutputs(estimator, background),
    columns,
    {
      createWalk: (trees, outputs) => (explained, phi) => {
        explained.forEach((row, i) => {
          for (const { tree, output, only } of trees) {
            const offset = (i * outputs + output) * columns;
            for (const other of rows) walkPair(tree, row, other, 1 / rows.length, phi, offset, only);
          }
        });
      },
      leafTable(tree, leaf) {
        let goesRight = tables.get(tree);
        if (goesRight === undefined) {
          goesRight = decisionsOf(tree, rows);
          tables.set(tree, goesRight);
        }
        return backgroundLeafTable(tree, leaf, countSets(leaf, goesRight), rows.length, weights);
      },
    },
    options,
  );
}

function meanOutputs(estimator: TreesEstimator, background: Matrix): Float64Array {
  const outputs = estimator.base.length;
  const raw = treesScorer(estimator).scoreMatrix(background);
  const means = new Float64Array(outputs);
  for (let i = 0; i < raw.length; i++) means[i % outputs] += raw[i] / background.rows;
  return means;
}

/** Shapley's weight of a split of a + b other players into those known and those not: a! b! / (a + b + 1)!, by a and b. */
type CoalitionWeights = readonly Float64Array[];

function coalitionWeights(most: number): CoalitionWeights {
  const weights = Array.from({ length: most + 1 }, () => new Float64Array(most + 1));
  for (let a = 0; a <= most; a++) {
    weights[a][0] = 1 / (a + 1);
    for (let b = 1; b <= most; b++) weights[a][b] = (weights[a][b - 1] * b) / (a + b + 1);
  }
  return weights;
}

/** Adds what a row's values, put in place of another row's, change of a tree's output, shared after Shapley, times `share`. */
type PairWalk = (
  tree: Tree,
  row: Float64Array,
  other: Float64Array,
  share: number,
  phi: Float64Array,
  offset: number,
  only?: Uint8Array,
) => void;

/** Whose value of a column leads to the present node, where only one of both rows' does. */
const BOTH = 0;
const ROW = 1;
const OTHER = 2;

function createPairWalk(columns: number, weights: CoalitionWeights): PairWalk {
  const leads = new Uint8Array(columns);

  return (tree, row, other, share, phi, offset, only) => {
    // Of the leaves below the node just left: what each column led by the row gains, and what each led by the other loses.
    let gained = 0;
    let lost = 0;
    function visit(node: number, byRow: number, byOther: number): void {
      const column = tree.feature[node];
      if (only !== undefined && only[node] === 0) {
        gained = 0;
        lost = 0;
        return;
      }
      if (column < 0) {
        gained = byRow > 0 ? share * tree.value[node] * weights[byRow - 1][byOther] : 0;
        lost = byOther > 0 ? share * tree.value[node] * weights[byOther - 1][byRow] : 0;
        return;
      }
      const rowChild = goesLeft(tree, node, row[column]) ? tree.left[node] : tree.right[node];
      const otherChild = goesLeft(tree, node, other[column]) ? tree.left[node] : tree.right[node];
      if (rowChild === otherChild || leads[column] !== BOTH) {
        visit(leads[column] === ROW ? rowChild : otherChild, byRow, byOther);
        return;
      }
      leads[column] = ROW;
      visit(rowChild, byRow + 1, byOther);
      const gainedByRow = gained;
      const lostByRow = lost;
      leads[column] = OTHER;
      visit(otherChild, byRow, byOther + 1);
      leads[column] = BOTH;
      phi[offset + column] += gainedByRow - lost;
      gained += gainedByRow;
      lost += lostByRow;
    }
    visit(0, 0, 0);
  };
}

/** By node: whether each background row would go right there. */
function decisionsOf(tree: Tree, rows: readonly Float64Array[]): Uint8Array[] {
  return Array.from(tree.feature, (column, node) =>
    column < 0 ? new Uint8Array(0) : Uint8Array.from(rows, (row) => (goesLeft(tree, node, row[column]) ? 0 : 1)),
  );
}

/** Background rows by the set of a leaf's players whose branches they take. */
function countSets({ players }: LeafPath, goesRight: readonly Uint8Array[]): Float64Array {
  const counts = new Float64Array(2 ** players.length);
  const rows = goesRight[0].length;
  for (let row = 0; row < rows; row++) {
    let set = 0;
    for (let k = 0; k < players.length; k++) {
      if (players[k].steps.every(({ node, right }) => (goesRight[node][row] === 1) === right)) set |= 1 << k;
    }
    counts[set]++;
  }
  return counts;
}

/**
 * Interventional SHAP values of one leaf by the set of players that stray and by player. A background row matters where each player's
 * branches are taken by one of both; those that only one of them takes are the players that share the leaf's value.
 */
function backgroundLeafTable(
  tree: Tree,
  { node, players }: LeafPath,
  counts: Float64Array,
  rows: number,
  weights: CoalitionWeights,
): Float64Array {
  const count = players.length;
  const everyone = 2 ** count - 1;
  const table = new Float64Array(count * 2 ** count);
  counts.forEach((times, taken) => {
    if (times === 0) return;
    const value = (tree.value[node] * times) / rows;
    const byRow = everyone & ~taken;
    // The row takes all that the background row does not; it may stray from any part of the rest.
    for (let byOther = taken; ; byOther = (byOther - 1) & taken) {
      const [a, b] = [bitsIn(byRow), bitsIn(byOther)];
      for (let k = 0; k < count; k++) {
        if ((byRow >> k) & 1) table[byOther * count + k] += value * weights[a - 1][b];
        else if ((byOther >> k) & 1) table[byOther * count + k] -= value * weights[b - 1][a];
      }
      if (byOther === 0) break;
    }
  });
  return table;
}

function bitsIn(set: number): number {
  let bits = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}
