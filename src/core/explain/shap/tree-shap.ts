import type { Tree } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";

/** Exact SHAP values of one ensemble; keeps its working arrays, so one instance serves one row at a time. */
export interface TreeShap {
  /** Expected output in log-odds when nothing is known: the trees' leaf values weighted by cover. */
  readonly base: number;
  /**
   * Adds the SHAP value of every matrix column to `phi` (log-odds, one element a column, not cleared first).
   * `row` holds the encoded values in column order, NaN where missing. `base` + the sum of `phi` is the trees' output.
   */
  addTo(phi: Float64Array, row: Float64Array): void;
}

/**
 * Path-dependent TreeSHAP: a column that is not known sends a row both ways, in proportion to the nodes' cover.
 * Lundberg et al., "From local explanations to global understanding with explainable AI for trees", Nature Machine
 * Intelligence 2 (2020), Algorithm 2. Time is O(trees x leaves x depth^2) a row; nothing is allocated per row.
 * @throws EXPLAIN_TREE_INVALID when a tree has a cycle, a child out of range, a split on a column at or past `columns`
 *   or an inner node without cover
 */
export function createTreeShap(trees: readonly Tree[], columns: number): TreeShap {
  const depth = trees.reduce((deepest, tree, index) => Math.max(deepest, checkedDepth(tree, columns, index)), 0);
  const walk = createWalk(depth);
  return {
    base: trees.reduce((sum, tree) => sum + expectedValue(tree, 0), 0),
    addTo(phi, row) {
      for (const tree of trees) walk(tree, row, phi);
    },
  };
}

/** Output of one tree for an encoded row, in log-odds. */
export function treeOutput(tree: Tree, row: Float64Array): number {
  let node = 0;
  while (tree.feature[node] >= 0) node = goesLeft(tree, node, row) ? tree.left[node] : tree.right[node];
  return tree.value[node];
}

/** Cover-weighted mean of the leaves under a node. */
function expectedValue(tree: Tree, node: number): number {
  if (tree.feature[node] < 0) return tree.value[node];
  const left = tree.left[node];
  const right = tree.right[node];
  const weighted = tree.cover[left] * expectedValue(tree, left) + tree.cover[right] * expectedValue(tree, right);
  return weighted / tree.cover[node];
}

/**
 * The recursion keeps, for the path from the root to the present node, one element per distinct column that the path
 * split on: the share of rows that flow on when the column is not known (zero fraction), whether this row flows on when
 * it is (one fraction), and the weights of all subsets by their size. Element 0 is the path's start and no column.
 */
function createWalk(depth: number): (tree: Tree, row: Float64Array, phi: Float64Array) => void {
  // A path of D splits has at most D + 1 elements; every level works on a copy of its own because siblings share a parent.
  const stride = depth + 2;
  const column = new Int32Array(stride * stride);
  const zero = new Float64Array(stride * stride);
  const one = new Float64Array(stride * stride);
  const weight = new Float64Array(stride * stride);

  function extend(start: number, length: number, zeroFraction: number, oneFraction: number, splitColumn: number): void {
    column[start + length] = splitColumn;
    zero[start + length] = zeroFraction;
    one[start + length] = oneFraction;
    weight[start + length] = length === 0 ? 1 : 0;
    for (let i = length - 1; i >= 0; i--) {
      weight[start + i + 1] += (oneFraction * weight[start + i] * (i + 1)) / (length + 1);
      weight[start + i] = (zeroFraction * weight[start + i] * (length - i)) / (length + 1);
    }
  }

  /** Undoes an earlier `extend`, so that a column that the path splits on twice counts once. */
  function unwind(start: number, last: number, element: number): void {
    const oneFraction = one[start + element];
    const zeroFraction = zero[start + element];
    let carried = weight[start + last];
    for (let i = last - 1; i >= 0; i--) {
      if (oneFraction !== 0) {
        const before = weight[start + i];
        weight[start + i] = (carried * (last + 1)) / ((i + 1) * oneFraction);
        carried = before - (weight[start + i] * zeroFraction * (last - i)) / (last + 1);
      } else {
        weight[start + i] = (weight[start + i] * (last + 1)) / (zeroFraction * (last - i));
      }
    }
    for (let i = element; i < last; i++) {
      column[start + i] = column[start + i + 1];
      zero[start + i] = zero[start + i + 1];
      one[start + i] = one[start + i + 1];
    }
  }

  /** The sum of the weights that `unwind` would leave, without changing the path. */
  function unwoundSum(start: number, last: number, element: number): number {
    const oneFraction = one[start + element];
    const zeroFraction = zero[start + element];
    let carried = weight[start + last];
    let sum = 0;
    for (let i = last - 1; i >= 0; i--) {
      if (oneFraction !== 0) {
        const unwound = carried / ((i + 1) * oneFraction);
        sum += unwound;
        carried = weight[start + i] - unwound * zeroFraction * (last - i);
      } else {
        sum += weight[start + i] / (zeroFraction * (last - i));
      }
    }
    return sum * (last + 1);
  }

  function visit(
    tree: Tree,
    row: Float64Array,
    phi: Float64Array,
    node: number,
    level: number,
    length: number,
    zeroFraction: number,
    oneFraction: number,
    splitColumn: number,
  ): void {
    // A branch that neither the row nor any training row takes adds nothing, and its fractions could not be unwound.
    if (zeroFraction === 0 && oneFraction === 0) return;
    const start = level * stride;
    if (level > 0) {
      const parent = start - stride;
      for (let i = 0; i < length; i++) {
        column[start + i] = column[parent + i];
        zero[start + i] = zero[parent + i];
        one[start + i] = one[parent + i];
        weight[start + i] = weight[parent + i];
      }
    }
    extend(start, length, zeroFraction, oneFraction, splitColumn);

    const split = tree.feature[node];
    if (split < 0) {
      const value = tree.value[node];
      for (let i = 1; i <= length; i++) {
        const of = column[start + i];
        phi[of] += unwoundSum(start, length, i) * (one[start + i] - zero[start + i]) * value;
      }
      return;
    }

    let earlierZero = 1;
    let earlierOne = 1;
    let next = length + 1;
    for (let i = 1; i <= length; i++) {
      if (column[start + i] !== split) continue;
      earlierZero = zero[start + i];
      earlierOne = one[start + i];
      unwind(start, length, i);
      next = length;
      break;
    }
    const left = tree.left[node];
    const right = tree.right[node];
    const [hot, cold] = goesLeft(tree, node, row) ? [left, right] : [right, left];
    const cover = tree.cover[node];
    visit(tree, row, phi, hot, level + 1, next, (earlierZero * tree.cover[hot]) / cover, earlierOne, split);
    visit(tree, row, phi, cold, level + 1, next, (earlierZero * tree.cover[cold]) / cover, 0, split);
  }

  return (tree, row, phi) => visit(tree, row, phi, 0, 0, 0, 1, 1, -1);
}

function goesLeft(tree: Tree, node: number, row: Float64Array): boolean {
  const value = row[tree.feature[node]];
  return Number.isNaN(value) ? tree.missingLeft[node] === 1 : value <= tree.threshold[node];
}

/** Splits on the longest path, after checking that the arrays are a tree. */
function checkedDepth(tree: Tree, columns: number, index: number): number {
  const nodes = tree.feature.length;
  const seen = new Uint8Array(nodes);
  const invalid = (what: string) => explainErrors.EXPLAIN_TREE_INVALID(`Tree ${index} ${what}`);
  const depthBelow = (node: number): number => {
    if (node < 0 || node >= nodes) throw invalid(`points to node ${node} of ${nodes}`);
    if (seen[node] === 1) throw invalid(`reaches node ${node} twice`);
    seen[node] = 1;
    const split = tree.feature[node];
    if (split < 0) return 0;
    if (split >= columns) throw invalid(`splits on column ${split} of ${columns}`);
    if (!(tree.cover[node] > 0)) throw invalid(`has no cover at inner node ${node}`);
    return 1 + Math.max(depthBelow(tree.left[node]), depthBelow(tree.right[node]));
  };
  return depthBelow(0);
}
