import type { LinearEstimator, Matrix } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { checkColumns, checkRow } from "./check-columns.ts";
import type { ColumnShap } from "./column-shap.ts";

/**
 * Interventional SHAP values of a linear model with independent columns: coefficient x (value - mean), by output (Lundberg and Lee,
 * "A unified approach to interpreting model predictions", NeurIPS 2017, Corollary 1).
 * @param means of the columns in the background; see `columnMeans`
 * @throws EXPLAIN_FEATURES_MISMATCH unless there is a mean for every coefficient of an output
 */
export function createLinearShap({ intercepts, coefficients }: LinearEstimator, means: Float64Array): ColumnShap {
  const outputs = intercepts.length;
  const columns = means.length;
  const width = outputs * columns;
  if (coefficients.length !== width) {
    throw explainErrors.EXPLAIN_FEATURES_MISMATCH(`${columns} means for ${coefficients.length / outputs} coefficients`);
  }
  const base = intercepts.map((intercept, output) =>
    means.reduce((sum, mean, column) => sum + coefficients[output * columns + column] * mean, intercept),
  );
  return {
    outputs,
    base,
    explainRow(row, phi) {
      checkRow(row, phi, columns, width);
      for (let at = 0; at < width; at++) phi[at] = coefficients[at] * (row[at % columns] - means[at % columns]);
    },
    explainMatrix(matrix) {
      checkColumns(matrix, columns);
      const phi = new Float64Array(matrix.rows * width);
      for (let at = 0; at < width; at++) {
        const values = matrix.columns[at % columns];
        for (let row = 0; row < matrix.rows; row++)
          phi[row * width + at] = coefficients[at] * (values[row] - means[at % columns]);
      }
      return phi;
    },
  };
}

export const columnMeans = ({ columns, rows }: Matrix): Float64Array =>
  Float64Array.from(columns, (column) => column.reduce((sum, value) => sum + value / rows, 0));
