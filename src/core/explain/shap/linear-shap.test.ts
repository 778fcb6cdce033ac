import { describe, expect, it } from "vitest";
import type { LinearEstimator, Matrix } from "../../training/index.ts";
import { kernelShap, matrixGame } from "./kernel-shap.ts";
import { columnMeans, createLinearShap } from "./linear-shap.ts";
import { distance } from "./shapley.fixture.ts";

const estimator: LinearEstimator = {
  kind: "linear",
  link: "softmax",
  intercepts: Float64Array.of(0.5, -1),
  coefficients: Float64Array.of(2, 0, -1, 0.25, 3, 1),
};
const background: Matrix = {
  rows: 4,
  columns: [
    [1, 2, 3, 4],
    [0, 1, 0, 1],
    [-2, 5, 0, 9],
  ].map((column) => Float64Array.from(column)),
};
const row = Float64Array.of(10, -1, 0.5);

const raw = (x: ArrayLike<number>, output: number): number =>
  estimator.intercepts[output] + [0, 1, 2].reduce((sum, j) => sum + estimator.coefficients[3 * output + j] * x[j], 0);

describe("linear SHAP", () => {
  const shap = createLinearShap(estimator, columnMeans(background));

  it("equals the exact kernel values against the same background, for every output, to 1e-9", () => {
    const phi = new Float64Array(6);
    shap.explainRow(row, phi);
    const predict = ({ columns, rows }: Matrix) =>
      Float64Array.from({ length: 2 * rows }, (_, i) =>
        raw(
          columns.map((column) => column[Math.floor(i / 2)]),
          i % 2,
        ),
      );
    const exact = kernelShap(matrixGame(predict, 2, row, background));
    expect(distance(phi, exact.values)).toBeLessThan(1e-9);
    expect(distance(shap.base, exact.base)).toBeLessThan(1e-9);
  });

  it("explains a matrix as it explains its rows, and adds up to the raw output, to 1e-9", () => {
    const phi = shap.explainMatrix(background);
    const one = new Float64Array(6);
    for (let i = 0; i < background.rows; i++) {
      const values = Float64Array.from(background.columns, (column) => column[i]);
      shap.explainRow(values, one);
      expect(phi.subarray(6 * i, 6 * i + 6)).toEqual(one);
      for (let output = 0; output < 2; output++) {
        const sum = one.subarray(3 * output, 3 * output + 3).reduce((total, value) => total + value, shap.base[output]);
        expect(Math.abs(sum - raw(values, output))).toBeLessThan(1e-9);
      }
    }
  });
});
