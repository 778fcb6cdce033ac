import type { Matrix, Tree, TreesEstimator } from "../../training/index.ts";
import { checkedShape, expectedValue, type TreeShape } from "./checked-trees.ts";
import { pathLeafTable } from "./path-leaf-table.ts";
import { createPathWalk } from "./path-walk.ts";
import { tableSize, unitsOf } from "./pattern-tables.ts";
import { createTableExplainer, type ShapKernels, shapKernels, type TabledTree } from "./table-explainer.ts";

/** SHAP values of an estimator's raw outputs by column of its matrix. */
export interface ColumnShap {
  readonly outputs: number;
  /** Raw output expected when nothing is known, by output. `base` + the sum of an output's SHAP values is the raw output. */
  readonly base: Float64Array;
  /** Writes the SHAP values of one matrix row to `phi`: outputs x columns. */
  explainRow(row: Float64Array, phi: Float64Array): void;
  /** SHAP values of every row: rows x outputs x columns, row by row. */
  explainMatrix(matrix: Matrix): Float64Array;
}

export interface TreeShapOptions {
  /** Bytes that tables may take; trees that find no room any more are walked row by row. 256 MB unless said. */
  readonly tableBytes?: number;
  readonly kernels?: ShapKernels;
}

const TABLE_BYTES = 256 * 2 ** 20;
/** Tables pay from so many rows on. */
const ROWS_FOR_TABLES = 200;
/** Splits of a column then have ranks that fit a byte. */
const MOST_NODES = 511;

/**
 * Exact path-dependent SHAP values: a column that is not known sends a row both ways, in proportion to the nodes' cover. One row is
 * explained by walking the trees (see `createPathWalk`), many by tables (see `pattern-tables.ts`); both agree to rounding.
 * @throws EXPLAIN_TREE_INVALID when a tree has a cycle, a child out of range, a split on a column at or past `columns` or an inner
 *   node without cover
 */
export function createTreeShap(
  { base: start, trees }: TreesEstimator,
  columns: number,
  { tableBytes = TABLE_BYTES, kernels = shapKernels() }: TreeShapOptions = {},
): ColumnShap {
  const walk = createPathWalk(greatestShape(trees, columns), columns);
  const outputs = start.length;
  const base = start.slice();
  trees.forEach((tree, t) => {
    base[t % outputs] += expectedValue(tree);
  });
  const all = trees.map((tree, t) => ({ tree, output: t % outputs }));
  const walkAll = (which: readonly WalkedTree[], row: Float64Array, phi: Float64Array, offset: number): void => {
    for (const { tree, output } of which) walk(tree, row, phi, offset + output * columns);
  };
  let tables: ReturnType<typeof prepareTables> | undefined;

  return {
    outputs,
    base,
    explainRow(row, phi) {
      phi.fill(0);
      walkAll(all, row, phi, 0);
    },
    explainMatrix(matrix) {
      const width = outputs * columns;
      const phi = new Float64Array(matrix.rows * width);
      let walked: readonly WalkedTree[] = all;
      if (matrix.rows >= ROWS_FOR_TABLES) {
        tables ??= prepareTables(all, outputs, columns, tableBytes, kernels);
        tables.explainer.addTo(phi, matrix);
        walked = tables.walked;
      }
      if (walked.length === 0) return phi;
      const row = new Float64Array(columns);
      for (let i = 0; i < matrix.rows; i++) {
        for (let column = 0; column < columns; column++) row[column] = matrix.columns[column][i];
        walkAll(walked, row, phi, i * width);
      }
      return phi;
    },
  };
}

interface WalkedTree {
  readonly tree: Tree;
  readonly output: number;
}

/** Tables for the trees that they can hold, in their order, as long as there is room. */
function prepareTables(all: readonly WalkedTree[], outputs: number, columns: number, tableBytes: number, kernels: ShapKernels) {
  const tabled: TabledTree[] = [];
  const walked: WalkedTree[] = [];
  let room = tableBytes;
  for (const { tree, output } of all) {
    const units = tree.feature.length <= MOST_NODES ? unitsOf(tree) : null;
    const bytes = 8 * (units?.reduce((sum, unit) => sum + tableSize(unit), 0) ?? 0);
    if (units === null || bytes > room) {
      walked.push({ tree, output });
    } else {
      room -= bytes;
      tabled.push({ tree, output, units });
    }
  }
  return { explainer: createTableExplainer(tabled, outputs, columns, pathLeafTable, kernels), walked };
}

function greatestShape(trees: readonly Tree[], columns: number): TreeShape {
  const shapes = trees.map((tree, index) => checkedShape(tree, columns, index));
  return {
    depth: shapes.reduce((most, { depth }) => Math.max(most, depth), 0),
    distinct: shapes.reduce((most, { distinct }) => Math.max(most, distinct), 0),
  };
}
