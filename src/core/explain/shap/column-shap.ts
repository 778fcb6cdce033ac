import { hasRanks, type Matrix, type Tree } from "../../training/index.ts";
import type { LeafPath } from "./leaf-paths.ts";
import { tableSize, unitsOf } from "./pattern-tables.ts";
import { createTableExplainer, type ShapKernels, shapKernels, type TabledTree, type TableExplainer } from "./table-explainer.ts";

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
/** What a kind of SHAP value says of one tree. */
export interface TreeGame {
  /** Adds the SHAP values of one row to `phi[offset + column]`, counting the leaves that the nodes `only` lead to, or all. */
  walk(tree: Tree, row: Float64Array, phi: Float64Array, offset: number, only?: Uint8Array): void;
  /** SHAP values of one leaf by the set of its players that stray from their branches (bit k for player k) and by player. */
  leafTable(tree: Tree, leaf: LeafPath): Float64Array;
}

/** A tree, or the part of one that `only` leads to. */
interface WalkedTree {
  readonly tree: Tree;
  readonly output: number;
  readonly only?: Uint8Array;
}

/** SHAP values of trees: few rows by walking, many by tables, which are made when they are first needed. */
export function createColumnShap(
  trees: readonly Tree[],
  base: Float64Array,
  columns: number,
  game: TreeGame,
  { tableBytes = TABLE_BYTES, kernels = shapKernels() }: TreeShapOptions,
): ColumnShap {
  const outputs = base.length;
  const width = outputs * columns;
  const all = trees.map((tree, t) => ({ tree, output: t % outputs }));
  const walk = (which: readonly WalkedTree[], row: Float64Array, phi: Float64Array, offset: number): void => {
    for (const { tree, output, only } of which) game.walk(tree, row, phi, offset + output * columns, only);
  };
  let tables: Tables | undefined;

  return {
    outputs,
    base,
    explainRow(row, phi) {
      phi.fill(0);
      walk(all, row, phi, 0);
    },
    explainMatrix(matrix) {
      const phi = new Float64Array(matrix.rows * width);
      let walked: readonly WalkedTree[] = all;
      if (matrix.rows >= ROWS_FOR_TABLES) {
        tables ??= prepareTables(all, tableBytes, (tabled) =>
          createTableExplainer(tabled, outputs, columns, game.leafTable, kernels),
        );
        tables.explainer.addTo(phi, matrix);
        walked = tables.walked;
      }
      if (walked.length === 0) return phi;
      const row = new Float64Array(columns);
      for (let i = 0; i < matrix.rows; i++) {
        for (let column = 0; column < columns; column++) row[column] = matrix.columns[column][i];
        walk(walked, row, phi, i * width);
      }
      return phi;
    },
  };
}

interface Tables {
  readonly explainer: TableExplainer;
  /** What the tables leave out. */
  readonly walked: readonly WalkedTree[];
}

const NO_UNITS = { units: [], rest: null };

/** Tables for the trees that they can hold, in their order, as long as there is room. */
function prepareTables(
  all: readonly WalkedTree[],
  tableBytes: number,
  makeExplainer: (tabled: readonly TabledTree[]) => TableExplainer,
): Tables {
  const tabled: TabledTree[] = [];
  const walked: WalkedTree[] = [];
  let room = tableBytes;
  for (const { tree, output } of all) {
    const { units, rest } = hasRanks(tree) ? unitsOf(tree) : NO_UNITS;
    const bytes = 8 * units.reduce((sum, unit) => sum + tableSize(unit), 0);
    if (units.length === 0 || bytes > room) {
      walked.push({ tree, output });
      continue;
    }
    room -= bytes;
    tabled.push({ tree, output, units });
    if (rest !== null) walked.push({ tree, output, only: rest });
  }
  return { explainer: makeExplainer(tabled), walked };
}
