import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { applyLink, scoreMatrix } from "../score-estimator.ts";
import { fitLogisticRegression } from "./logistic-regression.ts";

interface LogisticCase {
  readonly seed: number;
  readonly rows: number;
  readonly c: number;
  readonly intercept: number;
  readonly coefficients: readonly number[];
}
// LogisticRegression of scikit-learn; versions in the file.
const golden: { logistic: LogisticCase[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/logistic-isotonic.json", import.meta.url), "utf8"),
);

const matrixOf = (columns: readonly Float64Array[]) => ({ rows: columns[0].length, columns });

describe("logistic regression", () => {
  it.each(golden.logistic)("finds scikit-learn's coefficients to 1e-6 ($rows rows, c = $c)", ({ seed, rows, c, ...expected }) => {
    const draw = uniform(seed);
    const columns = Array.from({ length: 8 }, () => new Float64Array(rows));
    const labels = new Uint8Array(rows);
    for (let row = 0; row < rows; row++) {
      const x = columns.map((column, j) => {
        const value = draw();
        column[row] = j < 5 ? value * 4 - 2 : value < 0.1 * (j - 4) ? 1 : 0;
        return column[row];
      });
      const score = x[0] - 0.5 * x[1] + 2 * x[5] - x[7] - 0.5;
      labels[row] = draw() < 1 / (1 + Math.exp(-score)) ? 1 : 0;
    }
    const { link, intercepts, coefficients } = fitLogisticRegression(matrixOf(columns), { values: labels }, { c });
    expect(link).toBe("logit");
    expect(Math.abs(intercepts[0] - expected.intercept)).toBeLessThan(1e-6);
    expected.coefficients.forEach((coefficient, j) => {
      expect(Math.abs(coefficients[j] - coefficient)).toBeLessThan(1e-6);
    });
  });

  it("has a gradient of nothing where it stops, also with columns of very different scale and far from 0", () => {
    const draw = uniform(1);
    const rows = 500;
    const small = Float64Array.from({ length: rows }, () => draw() * 1e-3);
    const large = Float64Array.from({ length: rows }, () => 1e9 + draw() * 1e6);
    const labels = Uint8Array.from(small, (x, row) => (draw() < 0.3 + 200 * x + (large[row] - 1e9) * 2e-7 ? 1 : 0));
    const { intercepts, coefficients } = fitLogisticRegression(matrixOf([small, large]), { values: labels }, { c: 10 });
    const gradient = [0, coefficients[0] / 10, coefficients[1] / 10];
    for (let row = 0; row < rows; row++) {
      const score = intercepts[0] + coefficients[0] * small[row] + coefficients[1] * large[row];
      const residual = 1 / (1 + Math.exp(-score)) - labels[row];
      gradient[0] += residual;
      gradient[1] += residual * small[row];
      gradient[2] += residual * (large[row] - 1e9);
    }
    expect(Math.abs(gradient[0])).toBeLessThan(1e-6);
    expect(Math.abs(gradient[1])).toBeLessThan(1e-6);
    expect(Math.abs(gradient[2]) / 1e6).toBeLessThan(1e-6);
  });

  it("converges for classes that a line separates, for twin columns, and for more columns than rows", () => {
    const x = Float64Array.from({ length: 40 }, (_, row) => row - 19.5);
    const separated = Uint8Array.from(x, (value) => (value > 0 ? 1 : 0));
    const { coefficients } = fitLogisticRegression(matrixOf([x, x]), { values: separated }, { c: 1 });
    expect(coefficients[0]).toBeCloseTo(coefficients[1], 6);
    expect(coefficients[0]).toBeGreaterThan(0);
    const draw = uniform(2);
    const wide = Array.from({ length: 100 }, () => Float64Array.from({ length: 30 }, () => draw() - 0.5));
    const labels = Uint8Array.from({ length: 30 }, (_, row) => row % 2);
    expect(fitLogisticRegression(matrixOf(wide), { values: labels }, { c: 1 }).coefficients.every(Number.isFinite)).toBe(true);
  });

  it("says that no coefficients are the best where classes can be separated and nothing is penalised", () => {
    const x = Float64Array.from({ length: 40 }, (_, row) => row);
    const without = { c: Number.POSITIVE_INFINITY };
    const halves = x.map((value) => (value < 20 ? 0 : 1));
    const thirds = x.map((value) => (value < 3 ? 0 : value < 30 ? 1 : 2));
    for (const [values, classes] of [[halves, 2] as const, [thirds, 3] as const]) {
      const fit = () => fitLogisticRegression(matrixOf([x, x.map((value) => value ** 2)]), { values }, { ...without, classes });
      expect(fit).toThrow(expect.objectContaining({ code: "TRAIN_NOT_CONVERGED" }));
    }
  });

  it("gives a column of zeros no weight, and with no columns answers the share of positives", () => {
    const labels = Uint8Array.of(1, 0, 0, 0);
    for (const matrix of [matrixOf([new Float64Array(4)]), { rows: 4, columns: [] }]) {
      const { intercepts, coefficients } = fitLogisticRegression(matrix, { values: labels });
      expect([...coefficients]).toEqual(matrix.columns.map(() => 0));
      expect(1 / (1 + Math.exp(-intercepts[0]))).toBeCloseTo(0.25, 8);
    }
  });

  it("has three intercepts that sum to 0 for three classes, and 0 for columns that the absolute penalty drops", () => {
    const draw = uniform(3);
    const columns = Array.from({ length: 5 }, () => Float64Array.from({ length: 200 }, draw));
    const labels = columns[0].map((value) => Math.floor(3 * value));
    const params = { classes: 3, c: 0.2, l1Ratio: 1 };
    const { link, intercepts, coefficients } = fitLogisticRegression(matrixOf(columns), { values: labels }, params);
    expect(link).toBe("softmax");
    expect(intercepts[0] + intercepts[1] + intercepts[2]).toBeCloseTo(0, 12);
    expect(coefficients).toHaveLength(15);
    expect(coefficients[0]).toBeLessThan(0);
    expect([1, 2, 3, 4].flatMap((j) => [0, 5, 10].map((k) => coefficients[k + j]))).toEqual(new Array(12).fill(0));
  });

  it.each([
    ["two", [0, 4]],
    ["three", [0, 2, 4]],
  ])("fits %s of five classes as if there were no others, and gives those less than 1e-15 everywhere", (_, present) => {
    const draw = uniform(11);
    const columns = Array.from({ length: 3 }, () => Float64Array.from({ length: 300 }, () => 4 * draw() - 2));
    const dense = columns[0].map((x) => Math.min(present.length - 1, Math.max(0, Math.floor(x + 1 + draw()))));
    const values = dense.map((place) => present[place]);
    const fitted = fitLogisticRegression(matrixOf(columns), { values }, { classes: 5 });
    expect(fitted.intercepts.reduce((sum, intercept) => sum + intercept, 0)).toBeCloseTo(0, 10);
    // Far out too, where the classes that are present score whatever a line says.
    const asked = matrixOf(columns.map((column) => column.map((x) => 50 * x)));
    const shares = applyLink("softmax", scoreMatrix(fitted, asked), 5);
    for (let row = 0; row < asked.rows; row++) {
      for (const absent of [0, 1, 2, 3, 4].filter((k) => !present.includes(k)))
        expect(shares[5 * row + absent]).toBeLessThan(1e-15);
    }
    if (present.length < 3) return;
    const alone = fitLogisticRegression(matrixOf(columns), { values: dense }, { classes: present.length });
    const own = applyLink("softmax", scoreMatrix(alone, asked), present.length);
    for (let row = 0; row < asked.rows; row++) {
      present.forEach((k, place) => {
        expect(Math.abs(shares[5 * row + k] - own[3 * row + place])).toBeLessThan(1e-12);
      });
    }
  });

  it("says of two of five classes what is the best of that loss and penalty", () => {
    const draw = uniform(12);
    const columns = Array.from({ length: 2 }, () => Float64Array.from({ length: 200 }, draw));
    const labels = columns[0].map((x) => (x + draw() > 1 ? 1 : 0));
    const { coefficients } = fitLogisticRegression(matrixOf(columns), { values: labels.map((k) => 4 * k) }, { classes: 5 });
    // Two outputs share one direction: half of w each costs w^2 / 4 where one output costs w^2 / 2.
    const two = fitLogisticRegression(matrixOf(columns), { values: labels }, { c: 2 });
    for (let j = 0; j < 2; j++) expect(coefficients[8 + j] - coefficients[j]).toBeCloseTo(two.coefficients[j], 8);
  });

  it("finds the same from a sample's minimum on as without one", () => {
    const draw = uniform(5);
    const rows = 200_000;
    const columns = Array.from({ length: 3 }, () => Float64Array.from({ length: rows }, draw));
    const labels = columns[0].map((value) => (draw() < value ? 1 : 0));
    const fitted = fitLogisticRegression(matrixOf(columns), { values: labels });
    // Weights of 1 on every row and of 0 on others that come first: no sample is the same.
    const empty = 1000;
    const shifted = columns.map((column) => Float64Array.from([...new Float64Array(empty), ...column]));
    const weights = Float64Array.from({ length: rows + empty }, (_, row) => (row < empty ? 0 : 1));
    const again = fitLogisticRegression(matrixOf(shifted), {
      values: Float64Array.from([...new Float64Array(empty), ...labels]),
      weights,
    });
    fitted.coefficients.forEach((coefficient, j) => {
      expect(Math.abs(coefficient - again.coefficients[j])).toBeLessThan(1e-8);
    });
  });
});
