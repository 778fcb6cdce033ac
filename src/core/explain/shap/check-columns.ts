import type { Matrix } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";

/** @throws EXPLAIN_FEATURES_MISMATCH unless the matrix has so many columns, and each of them a number a row */
export function checkColumns({ rows, columns }: Matrix, expected: number): void {
  checkWidth(columns.length, expected);
  const short = columns.findIndex(({ length }) => length !== rows);
  if (short < 0) return;
  throw mismatch(`column ${short} has ${columns[short].length} values for ${rows} rows`);
}

/**
 * @param phi where `places` SHAP values are to be written
 * @throws EXPLAIN_FEATURES_MISMATCH unless the row has so many columns and `phi` room for their values
 */
export function checkRow(row: Float64Array, phi: Float64Array, expected: number, places: number): void {
  checkWidth(row.length, expected);
  if (phi.length !== places) throw mismatch(`there is room for ${phi.length} SHAP values, and there are ${places}`);
}

function checkWidth(given: number, expected: number): void {
  if (given !== expected) throw mismatch(`${expected} columns are explained, and ${given} are given`);
}

const mismatch = (what: string) =>
  explainErrors.EXPLAIN_FEATURES_MISMATCH(what, { hint: "Pass the columns of the matrix that the model was fitted to." });
