import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { type Matrix, type Target, takeRows } from "../matrix.ts";
import type { LinearEstimator } from "../model.ts";
import { createPlainBlockKernel } from "./block-kernel.ts";
import { createDesign } from "./design.ts";
import { fitLinearRegression } from "./linear-regression.ts";
import { fitLogisticRegression } from "./logistic-regression.ts";
import { type LossFamily, logistic, poisson, softmax } from "./loss-family.ts";
import { createObjective } from "./objective.ts";
import { fitPoissonRegression } from "./poisson-regression.ts";
import { createBlockKernel } from "./simd-block-kernel.ts";

/** Every model, on targets that suit it. */
const MODELS: Record<string, (matrix: Matrix, target: Target) => LinearEstimator> = {
  "least squares": (matrix, target) => fitLinearRegression(matrix, target, { alpha: 0 }),
  ridge: (matrix, target) => fitLinearRegression(matrix, target, { alpha: 0.7 }),
  lasso: (matrix, target) => fitLinearRegression(matrix, target, { alpha: 0.05, l1Ratio: 1 }),
  "elastic net": (matrix, target) => fitLinearRegression(matrix, target, { alpha: 0.05, l1Ratio: 0.4 }),
  logistic: (matrix, { values, ...rest }) =>
    fitLogisticRegression(matrix, { values: Uint8Array.from(values, (v) => (v > 1 ? 1 : 0)), ...rest }),
  "logistic with an absolute penalty": (matrix, { values, ...rest }) =>
    fitLogisticRegression(matrix, { values: Uint8Array.from(values, (v) => (v > 1 ? 1 : 0)), ...rest }, { c: 0.5, l1Ratio: 0.9 }),
  multinomial: (matrix, { values, ...rest }) =>
    fitLogisticRegression(
      matrix,
      { values: Uint8Array.from(values, (v) => Math.min(2, Math.floor(v))), ...rest },
      { classes: 3 },
    ),
  Poisson: (matrix, target) => fitPoissonRegression(matrix, target, { alpha: 0.1 }),
};

function sampleData(seed: number, rows: number): { matrix: Matrix; values: Float64Array } {
  const draw = uniform(seed);
  const columns = Array.from({ length: 4 }, () => Float64Array.from({ length: rows }, () => draw() * 4 - 1));
  const values = Float64Array.from(columns[0], (x, row) => Math.max(0, 1 + 0.5 * x - 0.2 * columns[1][row] + 2 * (draw() - 0.5)));
  return { matrix: { rows, columns }, values };
}

function distance(a: LinearEstimator, b: LinearEstimator): number {
  const numbers = ({ intercepts, coefficients }: LinearEstimator) => [...intercepts, ...coefficients];
  const others = numbers(b);
  return numbers(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - others[i])), 0);
}

describe.each(Object.entries(MODELS))("%s", (_, fit) => {
  it("does not depend on the order of rows (1e-9)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (seed) => {
        const { matrix, values } = sampleData(seed, 90);
        const order = [...values.keys()].sort((a, b) => ((a * 37) % 90) - ((b * 37) % 90));
        const shuffled = fit(takeRows(matrix, order), { values: Float64Array.from(order, (row) => values[row]) });
        expect(distance(fit(matrix, { values }), shuffled)).toBeLessThan(1e-9);
      }),
      { numRuns: 15 },
    );
  });

  it("takes a row of weight 2 for two rows and of weight 0 for none (1e-9)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (seed) => {
        const { matrix, values } = sampleData(seed, 90);
        const weights = Float64Array.from(values, (_, row) => row % 3);
        const repeated = [...weights.keys()].flatMap((row) => new Array<number>(weights[row]).fill(row));
        const written = fit(takeRows(matrix, repeated), { values: Float64Array.from(repeated, (row) => values[row]) });
        expect(distance(fit(matrix, { values, weights }), written)).toBeLessThan(1e-9);
      }),
      { numRuns: 15 },
    );
  });

  it("gives constant columns no coefficient and changes nothing for them", () => {
    const { matrix, values } = sampleData(3, 90);
    const constant = new Float64Array(90).fill(0.1);
    const fitted = fit({ rows: 90, columns: [constant, ...matrix.columns] }, { values });
    const outputs = fitted.intercepts.length;
    const without = fitted.coefficients.filter((_, place) => place % 5 !== 0);
    expect(distance({ ...fitted, coefficients: without }, fit(matrix, { values }))).toBeLessThan(1e-12);
    for (let k = 0; k < outputs; k++) expect(fitted.coefficients[5 * k]).toBe(0);
  });

  it("has finite coefficients for a column that it is given twice", () => {
    const { matrix, values } = sampleData(4, 90);
    const fitted = fit({ rows: 90, columns: [...matrix.columns, matrix.columns[0]] }, { values });
    expect(fitted.coefficients.every(Number.isFinite)).toBe(true);
  });

  it("stays finite for columns from 1e-200 to 1e200", () => {
    const { matrix, values } = sampleData(5, 90);
    const units = [1e-200, 1e-8, 1e8, 1e200];
    const scaled = matrix.columns.map((column, j) => column.map((x) => x * units[j]));
    const { intercepts, coefficients } = fit({ rows: 90, columns: scaled }, { values });
    expect([...intercepts, ...coefficients].every(Number.isFinite)).toBe(true);
  });

  it.each<[string, string, (matrix: Matrix, values: Float64Array) => [Matrix, Target]]>([
    ["no rows", "TRAIN_TOO_FEW_ROWS", () => [{ rows: 0, columns: [new Float64Array(0)] }, { values: new Float64Array(0) }]],
    ["missing values", "TRAIN_NOT_FINITE", (matrix, values) => [withValue(matrix, Number.NaN), { values }]],
    ["infinities", "TRAIN_NOT_FINITE", (matrix, values) => [withValue(matrix, Number.NEGATIVE_INFINITY), { values }]],
    [
      "values too far apart",
      "TRAIN_NOT_FINITE",
      (matrix, values) => [withValue(withValue(matrix, 1.7e308), -1.7e308, 1), { values }],
    ],
    [
      "codes of categories",
      "TRAIN_COLUMN_NOT_NUMERIC",
      (matrix, values) => [{ ...matrix, categories: [0, 3, 0, 0] }, { values }],
    ],
    ["a negative weight", "TRAIN_WEIGHTS_INVALID", (matrix, values) => [matrix, { values, weights: values.map(() => -1) }]],
    [
      "a missing weight",
      "TRAIN_WEIGHTS_INVALID",
      (matrix, values) => [matrix, { values, weights: values.map(() => Number.NaN) }],
    ],
    ["weights of 0 only", "TRAIN_WEIGHTS_INVALID", (matrix, values) => [matrix, { values, weights: values.map(() => 0) }]],
    [
      "weights of other rows",
      "TRAIN_WEIGHTS_INVALID",
      (matrix, values) => [matrix, { values, weights: new Float64Array(3).fill(1) }],
    ],
    ["targets of other rows", "TRAIN_TARGET_INVALID", (matrix, values) => [matrix, { values: values.subarray(1) }]],
  ])("refuses %s", (_, code, make) => {
    const { matrix, values } = sampleData(6, 90);
    const [broken, target] = make(matrix, values);
    expect(() => fit(broken, target)).toThrow(expect.objectContaining({ code }));
  });
});

function withValue(matrix: Matrix, value: number, row = 0): Matrix {
  return {
    ...matrix,
    columns: matrix.columns.map((column, j) => (j === 1 ? column.map((x, i) => (i === row ? value : x)) : column)),
  };
}

describe("linear models", () => {
  it.each<[string, string, (matrix: Matrix, values: Float64Array) => unknown]>([
    ["one class", "TRAIN_ONE_CLASS", (matrix) => fitLogisticRegression(matrix, { values: new Uint8Array(90) })],
    [
      "one class of three",
      "TRAIN_ONE_CLASS",
      (matrix) => fitLogisticRegression(matrix, { values: new Uint8Array(90).fill(2) }, { classes: 3 }),
    ],
    ["a label that is no class", "TRAIN_TARGET_INVALID", (matrix, values) => fitLogisticRegression(matrix, { values })],
    [
      "a missing target",
      "TRAIN_TARGET_INVALID",
      (matrix, values) => fitLinearRegression(matrix, { values: values.map(() => Number.NaN) }),
    ],
    [
      "a negative count",
      "TRAIN_TARGET_INVALID",
      (matrix, values) => fitPoissonRegression(matrix, { values: values.map(() => -1) }),
    ],
    [
      "counts of 0 only",
      "TRAIN_TARGET_INVALID",
      (matrix, values) => fitPoissonRegression(matrix, { values: values.map(() => 0) }),
    ],
    ["a c of 0", "TRAIN_PARAMETER_INVALID", (matrix) => fitLogisticRegression(matrix, { values: LABELS }, { c: 0 })],
    ["a missing c", "TRAIN_PARAMETER_INVALID", (matrix) => fitLogisticRegression(matrix, { values: LABELS }, { c: Number.NaN })],
    ["an l1Ratio of 2", "TRAIN_PARAMETER_INVALID", (matrix) => fitLogisticRegression(matrix, { values: LABELS }, { l1Ratio: 2 })],
    [
      "one class of one",
      "TRAIN_PARAMETER_INVALID",
      (matrix) => fitLogisticRegression(matrix, { values: LABELS }, { classes: 1 }),
    ],
    ["a negative alpha", "TRAIN_PARAMETER_INVALID", (matrix, values) => fitLinearRegression(matrix, { values }, { alpha: -1 })],
    [
      "an infinite alpha",
      "TRAIN_PARAMETER_INVALID",
      (matrix, values) => fitPoissonRegression(matrix, { values }, { alpha: Infinity }),
    ],
    [
      "a tolerance of 0",
      "TRAIN_PARAMETER_INVALID",
      (matrix, values) => fitLinearRegression(matrix, { values }, { tolerance: 0 }),
    ],
    [
      "no iterations",
      "TRAIN_PARAMETER_INVALID",
      (matrix, values) => fitLinearRegression(matrix, { values }, { maxIterations: 0 }),
    ],
    [
      "too few iterations",
      "TRAIN_NOT_CONVERGED",
      (matrix) => fitLogisticRegression(matrix, { values: LABELS }, { maxIterations: 1 }),
    ],
    [
      "least squares of 5,000 columns",
      "TRAIN_TOO_MANY_COLUMNS",
      () => fitLinearRegression(WIDE, { values: Float64Array.of(0, 1, 2) }, { alpha: 0 }),
    ],
    [
      "a column that is too short",
      "TRAIN_COLUMN_INVALID",
      ({ rows, columns }, values) => fitLinearRegression({ rows, columns: [columns[0], columns[1].subarray(0, 40)] }, { values }),
    ],
    [
      "a weight beyond all sums",
      "TRAIN_WEIGHTS_INVALID",
      (matrix, values) => fitLinearRegression(matrix, { values, weights: new Float64Array(90).fill(1e300) }),
    ],
  ])("refuse %s", (_, code, fit) => {
    const { matrix, values } = sampleData(6, 90);
    expect(() => fit(matrix, values)).toThrow(expect.objectContaining({ code }));
  });

  it("take one row", () => {
    const one = { rows: 1, columns: [Float64Array.of(3)] };
    const { intercepts, coefficients } = fitLinearRegression(one, { values: Float64Array.of(5) }, { alpha: 1 });
    expect([intercepts[0], coefficients[0]]).toEqual([5, 0]);
  });

  it.each([1e-9, 1e9])("reach Poisson regression's minimum for counts about %s", (unit) => {
    const { matrix, values } = sampleData(10, 90);
    const own = fitPoissonRegression(matrix, { values }, { alpha: 0.1 });
    const scaled = fitPoissonRegression(matrix, { values: values.map((value) => value * unit) }, { alpha: 0.1 * unit });
    expect(distance({ ...own, intercepts: own.intercepts.map((each) => each + Math.log(unit)) }, scaled)).toBeLessThan(1e-9);
  });

  it("find exact solutions in columns of any magnitude by least squares", () => {
    const { matrix } = sampleData(8, 90);
    const units = [1e-9, 1e7, 1, 1e3];
    const columns = matrix.columns.map((column, j) => column.map((x) => x * units[j]));
    const truth = [3e9, -2e-7, 0, 1e-3];
    const values = Float64Array.from(columns[0], (_, row) => truth.reduce((sum, b, j) => sum + b * columns[j][row], 4));
    const { intercepts, coefficients } = fitLinearRegression({ rows: 90, columns }, { values }, { alpha: 0 });
    expect(intercepts[0]).toBeCloseTo(4, 10);
    truth.forEach((b, j) => {
      expect(Math.abs(coefficients[j] - b) * units[j]).toBeLessThan(1e-12);
    });
  });

  it.each([0, 1e3, 1e6])("share among columns that make each other up, also of many rows, %s from 0", (shift) => {
    const draw = uniform(13);
    const rows = 100_000;
    const [a, b, c] = [shift, 0, 0].map((middle) => Float64Array.from({ length: rows }, () => middle + draw() - 0.5));
    const values = a.map((x, row) => 2 * (x - shift) + b[row] - c[row] + draw());
    const alone = fitLinearRegression({ rows, columns: [a, b, c] }, { values }, { alpha: 0 }).coefficients;
    const columns = [a, b, c, a, a.map((x, row) => x + b[row]), a.map((x) => 3 * x)];
    const { coefficients } = fitLinearRegression({ rows, columns }, { values }, { alpha: 0 });
    // a (w0 + w3 + w4 + 3 w5) + b (w1 + w4): of all such w, the shortest has w0 = w3 = w5 / 3 = u, w1 = v and w4 = u + v.
    const v = (12 * alone[1] - alone[0]) / 23;
    const u = alone[1] - 2 * v;
    [u, v, alone[2], u, u + v, 3 * u].forEach((coefficient, j) => {
      expect(Math.abs(coefficients[j] - coefficient)).toBeLessThan(1e-6);
    });
  });

  it("reach ridge's solution for 5,000 columns without second derivatives", () => {
    const values = Float64Array.of(0, 1, 5);
    const { intercepts, coefficients } = fitLinearRegression(WIDE, { values }, { alpha: 2 });
    // The normal equations hold: X' (X b + intercept - y) + alpha b = 0.
    const errors = values.map(
      (y, row) => WIDE.columns.reduce((sum, column, j) => sum + coefficients[j] * column[row], intercepts[0]) - y,
    );
    WIDE.columns.forEach((column, j) => {
      expect(Math.abs(errors.reduce((sum, error, row) => sum + error * column[row], 2 * coefficients[j]))).toBeLessThan(1e-8);
    });
  });

  it("meet the conditions of a minimum for 3,000 columns with an absolute penalty", () => {
    const draw = uniform(11);
    const rows = 100;
    const columns = Array.from({ length: 3000 }, () => Float64Array.from({ length: rows }, () => draw() - 0.5));
    const labels = columns[7].map((x, row) => (x + columns[8][row] + 0.2 * (draw() - 0.5) > 0 ? 1 : 0));
    const c = 0.6;
    const { intercepts, coefficients } = fitLogisticRegression({ rows, columns }, { values: labels }, { c, l1Ratio: 1 });
    const residuals = labels.map((y, row) => {
      const score = columns.reduce((sum, column, j) => sum + coefficients[j] * column[row], intercepts[0]);
      return 1 / (1 + Math.exp(-score)) - y;
    });
    columns.forEach((column, j) => {
      const slope = residuals.reduce((sum, residual, row) => sum + residual * column[row], 0);
      if (coefficients[j] === 0) expect(Math.abs(slope)).toBeLessThan(1 / c + 1e-8);
      else expect(slope).toBeCloseTo(-Math.sign(coefficients[j]) / c, 7);
    });
    expect(coefficients[7]).toBeGreaterThan(0);
    expect(coefficients.filter((coefficient) => coefficient !== 0).length).toBeLessThan(60);
  });

  it("have the same objective in SIMD and in plain TypeScript (1e-12)", () => {
    const { matrix, values } = sampleData(9, 1237);
    const weights = values.map((_, row) => 0.3 + (row % 5));
    const design = createDesign(matrix, weights);
    const targets = values.map((value) => Math.min(1, Math.floor(value)));
    const families: LossFamily[] = [logistic, poisson, softmax(3)];
    for (const family of families) {
      const size = family.outputs * 5;
      const penalty = new Float64Array(size).fill(0.01);
      const parameters = Float64Array.from({ length: size }, (_, i) => Math.sin(i) * 2);
      const simd = createObjective(design, targets, family, penalty, createBlockKernel);
      const plain = createObjective(design, targets, family, penalty, createPlainBlockKernel);
      expect(simd.evaluate(parameters).value).toBeCloseTo(plain.evaluate(parameters).value, 12);
      const pairs = [
        [simd.evaluate(parameters).gradient, plain.evaluate(parameters).gradient],
        [simd.curvature(parameters), plain.curvature(parameters)],
      ];
      for (const [a, b] of pairs) for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i])).toBeLessThan(1e-12);
    }
  });

  it("have log losses in SIMD that are right to the last digits at any score", () => {
    const scores = [0, 1e-9, 0.5, 1, 3, 20, 36, 40, 700, 745, 800, 1e10];
    for (const score of scores) {
      for (const sign of [1, -1]) {
        const kernel = createBlockKernel({ width: 1, outputs: 1, pairs: 0 });
        kernel.scores[0] = sign * score;
        kernel.weights[0] = 1;
        kernel.targets[0] = 1;
        const loss = kernel.logisticLosses(4);
        const expected = Math.log1p(Math.exp(-score)) + (sign < 0 ? score : 0);
        expect(Math.abs(loss - expected)).toBeLessThan(1e-15 * Math.max(expected, 1));
        const mean = 1 / (1 + Math.exp(-sign * score));
        expect(Math.abs(kernel.scores[0] - mean)).toBeLessThan(1e-15);
      }
    }
  });
});

const LABELS = Uint8Array.from({ length: 90 }, (_, row) => (row * 7) % 2);
const wideDraw = uniform(12);
const WIDE: Matrix = {
  rows: 3,
  columns: Array.from({ length: 5000 }, () => Float64Array.from({ length: 3 }, () => wideDraw() - 0.5)),
};
