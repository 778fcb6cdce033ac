import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../../test/fixtures/training-data.ts";
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
  readFileSync(new URL("../../../../test/golden/training-metrics.json", import.meta.url), "utf8"),
);

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
    const { intercept, coefficients } = fitLogisticRegression(columns, labels, { c });
    expect(Math.abs(intercept - expected.intercept)).toBeLessThan(1e-6);
    expected.coefficients.forEach((coefficient, j) => {
      expect(Math.abs(coefficients[j] - coefficient)).toBeLessThan(1e-6);
    });
  });

  it("has a gradient of nothing where it stops, also with columns of very different scale", () => {
    const draw = uniform(1);
    const rows = 500;
    const small = Float64Array.from({ length: rows }, () => draw() * 1e-3);
    const large = Float64Array.from({ length: rows }, () => draw() * 1e6);
    const labels = Uint8Array.from(small, (x, row) => (draw() < 0.3 + 200 * x + large[row] * 2e-7 ? 1 : 0));
    const { intercept, coefficients } = fitLogisticRegression([small, large], labels, { c: 10 });
    const gradient = [0, coefficients[0] / 10, coefficients[1] / 10];
    for (let row = 0; row < rows; row++) {
      const score = intercept + coefficients[0] * small[row] + coefficients[1] * large[row];
      const residual = 1 / (1 + Math.exp(-score)) - labels[row];
      gradient[0] += residual;
      gradient[1] += residual * small[row];
      gradient[2] += residual * large[row];
    }
    expect(Math.abs(gradient[0])).toBeLessThan(1e-6);
    expect(Math.abs(gradient[1])).toBeLessThan(1e-6);
    expect(Math.abs(gradient[2]) / 1e6).toBeLessThan(1e-6);
  });

  it("converges for classes that a line separates, for twin columns, and for more columns than rows", () => {
    const x = Float64Array.from({ length: 40 }, (_, row) => row - 19.5);
    const separated = Uint8Array.from(x, (value) => (value > 0 ? 1 : 0));
    const { coefficients } = fitLogisticRegression([x, x], separated, { c: 1 });
    expect(coefficients[0]).toBeCloseTo(coefficients[1], 6);
    expect(coefficients[0]).toBeGreaterThan(0);
    const draw = uniform(2);
    const wide = Array.from({ length: 100 }, () => Float64Array.from({ length: 30 }, () => draw() - 0.5));
    const labels = Uint8Array.from({ length: 30 }, (_, row) => row % 2);
    expect(fitLogisticRegression(wide, labels, { c: 1 }).coefficients.every(Number.isFinite)).toBe(true);
  });

  it("gives a column of zeros no weight, and with no columns answers the share of positives", () => {
    const labels = Uint8Array.of(1, 0, 0, 0);
    const { intercept, coefficients } = fitLogisticRegression([new Float64Array(4)], labels, { c: 1 });
    expect(coefficients[0]).toBe(0);
    expect(1 / (1 + Math.exp(-intercept))).toBeCloseTo(0.25, 8);
  });

  it("refuses a c that is no positive number", () => {
    for (const c of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => fitLogisticRegression([], Uint8Array.of(0, 1), { c })).toThrow(
        expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" }),
      );
    }
  });
});
