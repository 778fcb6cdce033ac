import { hasRanks, type Matrix, type Tree } from "../../training/index.ts";
import { checkColumns, checkRow } from "./check-columns.ts";
import type { LeafPath } from "./leaf-paths.ts";
import { tableSize, unitsOf } from "./pattern-tables.ts";
import { createTableExplainer, type ShapKernels, shapKernels, type TabledTree } from "./table-explainer.ts";

/** SHAP values of an estimator's raw outputs by column of its matrix. EXPLAIN_FEATURES_MISMATCH for rows and matrices of other columns. */
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
/** A tree to be walked, or the part of it that leads to some leaves. */
export interface WalkedTree {
  readonly tree: Tree;
  readonly output: number;
  /** Nodes (1) on the way to the leaves that count; all unless given. */
  readonly only?: Uint8Array;
}

/** Adds the SHAP values of matrix rows to `phi`: rows x outputs x columns, row by row. */
export type TreeWalk = (rows: readonly Float64Array[], phi: Float64Array) => void;

/** How a kind of SHAP value is found: for one row of any trees, and for all rows of one leaf. */
export interface TreeGame {
  createWalk(trees: readonly WalkedTree[], outputs: number, kernels: ShapKernels): TreeWalk;
  /** SHAP values of one leaf by the set of its players that stray from their branches (bit k for player k) and by player. */
  leafTable(tree: Tree, leaf: LeafPath): Float64Array;
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
  const all: WalkedTree[] = trees.map((tree, t) => ({ tree, output: t % outputs }));
  const createWalk = (which: readonly WalkedTree[]): TreeWalk => game.createWalk(which, outputs, kernels);
  const walkAll = atFirstCall(() => createWalk(all));
  const tables = atFirstCall(() => {
    const { tabled, walked } = divide(all, tableBytes);
    const explainer = createTableExplainer(tabled, outputs, columns, game.leafTable, kernels);
    return { explainer, walkRest: walked.length > 0 ? createWalk(walked) : null };
  });

  return {
    outputs,
    base,
    explainRow(row, phi) {
      checkRow(row, phi, columns, width);
      phi.fill(0);
      walkAll()([row], phi);
    },
    explainMatrix(matrix) {
      checkColumns(matrix, columns);
      const phi = new Float64Array(matrix.rows * width);
      if (matrix.rows < ROWS_FOR_TABLES) {
        walkAll()(rowsOf(matrix), phi);
      } else {
        const { explainer, walkRest } = tables();
        explainer.addTo(phi, matrix);
        walkRest?.(rowsOf(matrix), phi);
      }
      return phi;
    },
  };
}

export function rowsOf({ columns, rows }: Matrix): Float64Array[] {
  const width = columns.length;
  const numbers = new Float64Array(rows * width);
  columns.forEach((column, j) => {
    for (let row = 0; row < rows; row++) numbers[row * width + j] = column[row];
  });
  return Array.from({ length: rows }, (_, row) => numbers.subarray(row * width, (row + 1) * width));
}

function atFirstCall<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const NO_UNITS = { units: [], rest: null };

/** What tables can hold, in the trees' order as long as there is room, and what has to be walked. */
function divide(all: readonly WalkedTree[], tableBytes: number): { tabled: TabledTree[]; walked: WalkedTree[] } {
  const tabled: TabledTree[] = [];
  const walked: WalkedTree[] = [];
  let room = tableBytes;
  for (const { tree, output } of all) {
    const { units, rest } = room > 0 && hasRanks(tree) ? unitsOf(tree) : NO_UNITS;
    const bytes = 8 * units.reduce((sum, unit) => sum + tableSize(unit), 0);
    if (bytes > room) room = 0;
    if (units.length === 0 || room === 0) {
      walked.push({ tree, output });
      continue;
    }
    room -= bytes;
    tabled.push({ tree, output, units });
    if (rest !== null) walked.push({ tree, output, only: rest });
  }
  return { tabled, walked };
}
