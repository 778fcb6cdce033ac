import { checkLengths } from "../check-matrix.ts";
import { trainErrors } from "../errors.ts";
import { type Kernel, loadKernel } from "../kernels/load-kernel.ts";
import type { Matrix } from "../matrix.ts";
import type { Tree, TreesEstimator } from "../model.ts";
import { createLeafBitScorer, fitsLeafBits } from "./leaf-bits.ts";
import { createNodeWalk } from "./node-walk.ts";
import { createPlainWalk } from "./plain-walk.ts";

/** A trees estimator made ready to score. TRAIN_COLUMN_INVALID where a row or matrix lacks a column that the trees split on. */
export interface TreesScorer {
  /** Raw output, rows x outputs, row by row. */
  scoreMatrix(matrix: Matrix): Float64Array;
  /** Writes the raw outputs of one matrix row into `out`: the figures of `scoreMatrix`, to the last bit. */
  scoreRow(row: Float64Array, out: Float64Array): void;
}

/**
 * Keep it as long as the model: its tables are made at the first call that needs them. Comparisons are exact and leaves are added in
 * the trees' order, so that every way to score gives the same figures, to the last bit.
 * @param kernel another than scripts/build-kernels.ts made; one that is not available leaves the work to plain TypeScript
 */
export function createTreesScorer(estimator: TreesEstimator, kernel: Kernel = scoreKernel()): TreesScorer {
  const columns = columnsRead(estimator.trees);
  const { scoreMatrix, scoreRow } = kernel.available ? createKernelScorer(estimator, kernel.module) : createPlainWalk(estimator);
  return {
    scoreMatrix(matrix) {
      if (matrix.columns.length < columns) throw tooNarrow(columns, matrix.columns.length);
      checkLengths(matrix);
      return scoreMatrix(matrix);
    },
    scoreRow(row, out) {
      if (row.length < columns) throw tooNarrow(columns, row.length);
      scoreRow(row, out);
    },
  };
}

function createKernelScorer(estimator: TreesEstimator, module: Extract<Kernel, { available: true }>["module"]): TreesScorer {
  const walk = atFirstCall(() => createNodeWalk(estimator, module));
  const scoreMatrix = atFirstCall(() =>
    fitsLeafBits(estimator.trees) ? createLeafBitScorer(estimator, module) : walk().scoreMatrix,
  );
  return {
    scoreMatrix: (matrix) => scoreMatrix()(matrix),
    scoreRow: (row, out) => walk().scoreRow(row, out),
  };
}

/** One more than the last column that any tree splits on. */
function columnsRead(trees: readonly Tree[]): number {
  return trees.reduce((most, { feature }) => feature.reduce((last, column) => Math.max(last, column + 1), most), 0);
}

const tooNarrow = (columns: number, given: number) =>
  trainErrors.TRAIN_COLUMN_INVALID(`the trees split on ${columns} columns, and ${given} are given`);

const scoreKernel = (): Kernel => loadKernel(new URL("../kernels/score.wasm", import.meta.url));

function atFirstCall<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const scorers = new WeakMap<TreesEstimator, TreesScorer>();

/** `createTreesScorer`, once as long as the estimator lives. */
export function treesScorer(estimator: TreesEstimator): TreesScorer {
  let scorer = scorers.get(estimator);
  if (scorer === undefined) {
    scorer = createTreesScorer(estimator);
    scorers.set(estimator, scorer);
  }
  return scorer;
}
