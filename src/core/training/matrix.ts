import { trainErrors } from "./errors.ts";

/**
 * What an estimator reads: column-major numbers, NaN for missing. Infinities never occur: `encode` makes them missing.
 */
export interface Matrix {
  readonly rows: number;
  /** Each of `rows` numbers. */
  readonly columns: readonly Float64Array[];
  /**
   * By column: 0 for numbers; for categories how many there are, and the column holds their codes 0 … n-1 (a category that was
   * not seen in training is NaN). Absent: all columns are numbers.
   */
  readonly categories?: readonly number[];
  /** By column, for messages and for constraints by name. Absent: columns are called by their position. */
  readonly names?: readonly string[];
}

/** What a matrix is fitted to; element i belongs to row i. */
export interface Target {
  /** Binary: 0 or 1. Multiclass: the class's index. Regression: the value. */
  readonly values: Uint8Array | Int32Array | Float64Array;
  /** At least 0 and finite; absent: every row counts once. A row of weight 2 stands for two equal rows of weight 1. */
  readonly weights?: Float64Array;
}

/** The rows of a matrix, in the order given. @throws TRAIN_COLUMN_INVALID for a row that the matrix does not have */
export function takeRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  for (let i = 0; i < rows.length; i++) {
    if (Number.isInteger(rows[i]) && rows[i] >= 0 && rows[i] < matrix.rows) continue;
    throw trainErrors.TRAIN_COLUMN_INVALID(`row ${rows[i]} was asked for, and the matrix has ${matrix.rows} rows`, {
      hint: "Take rows from 0 up to one less than the matrix has.",
    });
  }
  const columns = matrix.columns.map((column) => {
    const taken = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) taken[i] = column[rows[i]];
    return taken;
  });
  return { ...matrix, rows: rows.length, columns };
}
