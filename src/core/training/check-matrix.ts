import { trainErrors } from "./errors.ts";
import type { Matrix } from "./matrix.ts";

/**
 * What an estimator learns from: at least one row and one column, and what `checkColumns` asks for.
 * @param name of the estimator, for messages
 * @throws TRAIN_TOO_FEW_ROWS, TRAIN_NO_FEATURES, TRAIN_COLUMN_INVALID
 */
export function checkMatrix(matrix: Matrix, name = "an estimator"): void {
  if (matrix.rows === 0) throw trainErrors.TRAIN_TOO_FEW_ROWS(`${name} has no rows to learn from`);
  if (matrix.columns.length === 0) throw trainErrors.TRAIN_NO_FEATURES(`${name} has no columns to learn from`);
  checkColumns(matrix);
}

/** A number a row in every column, and only codes that the matrix says there are. @throws TRAIN_COLUMN_INVALID */
export function checkColumns(matrix: Matrix): void {
  const { columns, categories } = matrix;
  checkLengths(matrix);
  if (categories === undefined) return;
  if (categories.length !== columns.length) {
    throw trainErrors.TRAIN_COLUMN_INVALID(
      `the matrix has ${columns.length} columns and says of ${categories.length} what they hold`,
    );
  }
  columns.forEach((column, index) => {
    if (categories[index] > 0) checkCodes(column, categories[index], columnName(matrix, index));
  });
}

/** @throws TRAIN_COLUMN_INVALID unless every column has a number a row */
export function checkLengths(matrix: Matrix): void {
  const { rows, columns } = matrix;
  for (let index = 0; index < columns.length; index++) {
    if (columns[index].length === rows) continue;
    throw trainErrors.TRAIN_COLUMN_INVALID(`${columnName(matrix, index)} has ${columns[index].length} values for ${rows} rows`);
  }
}

/**
 * What an estimator scores: as many columns as it was fitted to, a number a row in each.
 * @throws TRAIN_COLUMN_INVALID
 */
export function checkScored(matrix: Matrix, columns: number): void {
  checkWidth(matrix.columns.length, columns);
  checkLengths(matrix);
}

/** @throws TRAIN_COLUMN_INVALID unless a row or matrix is as wide as the model */
export function checkWidth(given: number, columns: number): void {
  if (given !== columns) throw trainErrors.TRAIN_COLUMN_INVALID(`the model reads ${columns} columns, and ${given} are given`);
}

function checkCodes(column: Float64Array, count: number, name: string): void {
  for (let row = 0; row < column.length; row++) {
    const code = column[row];
    if (Number.isNaN(code) || (Number.isInteger(code) && code >= 0 && code < count)) continue;
    throw trainErrors.TRAIN_COLUMN_INVALID(`${name} has ${count} categories; row ${row} holds ${code}`);
  }
}

/** A column as messages call it. */
export const columnName = ({ names }: Pick<Matrix, "names">, index: number): string =>
  names?.[index] === undefined ? `column ${index}` : `column ${names[index]}`;
