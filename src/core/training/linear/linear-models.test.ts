import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type GoldenName, goldenData, numericColumns } from "../../../../test/fixtures/golden-data.ts";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import type { Matrix } from "../matrix.ts";
import type { LinearEstimator } from "../model.ts";
import { fitLinearRegression } from "./linear-regression.ts";
import { fitLogisticRegression } from "./logistic-regression.ts";
import { fitPoissonRegression } from "./poisson-regression.ts";

interface LinearCase {
  readonly estimator: "linear" | "logistic" | "poisson";
  readonly data: string;
  readonly prepare: "standard" | "raw";
  readonly params: { readonly c?: number | null; readonly alpha?: number; readonly l1Ratio?: number };
  readonly weighted: boolean;
  /** Of scikit-learn's solution. */
  readonly gradient: number;
  readonly intercepts: readonly number[];
  readonly coefficients: readonly number[];
}

// scikit-learn's coefficients, its solvers converged as each case says; versions in the file.
const golden: { cases: LinearCase[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/linear.json", import.meta.url), "utf8"),
);
const TOLERANCE = 1e-6;

const GOLDEN_NAMES: readonly GoldenName[] = ["breast_cancer", "diabetes", "digits", "iris", "wine", "flights"];

describe("linear models have scikit-learn's coefficients to 1e-6, both converged", () => {
  it.each(golden.cases.map((each) => ({ ...each, name: nameOf(each) })))("$name", (each) => {
    const { matrix, target } = problemOf(each);
    const weights = each.weighted ? weightsOf(matrix.rows) : undefined;
    const fitted = fit(each, matrix, { values: target, ...(weights && { weights }) });
    expect(fitted.coefficients).toHaveLength(each.coefficients.length);
    each.intercepts.forEach((intercept, k) => {
      // An intercept of raw columns is a sum of many large terms.
      expect(Math.abs(fitted.intercepts[k] - intercept)).toBeLessThan(TOLERANCE * Math.max(1, Math.abs(intercept)));
    });
    each.coefficients.forEach((coefficient, j) => {
      const allowed = each.data === "magnitudes" ? Math.abs(coefficient) : 1;
      expect(Math.abs(fitted.coefficients[j] - coefficient)).toBeLessThan(TOLERANCE * allowed);
    });
  });
});

const nameOf = ({ estimator, data, prepare, params, weighted }: LinearCase) =>
  `${estimator}, ${data} ${prepare}, ${JSON.stringify(params)}${weighted ? ", weighted" : ""}`;

function fit(
  { estimator, params }: LinearCase,
  matrix: Matrix,
  target: { values: Float64Array; weights?: Float64Array },
): LinearEstimator {
  const { c, ...rest } = params;
  if (estimator === "linear") return fitLinearRegression(matrix, target, rest);
  if (estimator === "poisson") return fitPoissonRegression(matrix, target, rest);
  const classes = Math.max(...target.values) + 1;
  return fitLogisticRegression(matrix, target, { ...rest, c: c ?? Number.POSITIVE_INFINITY, classes });
}

function problemOf({ estimator, data, prepare }: LinearCase): { matrix: Matrix; target: Float64Array } {
  const name = GOLDEN_NAMES.find((each) => each === data);
  if (name === undefined) {
    const { columns, y } = synthetic(data);
    return { matrix: matrixOf(columns), target: estimator === "logistic" ? y.map((value) => (value > 0 ? 1 : 0)) : y };
  }
  const set = goldenData(name);
  const columns = numericColumns(set).map((column) => column.map((value) => (Number.isNaN(value) ? 0 : value)));
  return { matrix: matrixOf(prepare === "standard" ? columns.map(standardized) : columns), target: set.target };
}

const matrixOf = (columns: readonly Float64Array[]): Matrix => ({ rows: columns[0].length, columns });

function standardized(column: Float64Array): Float64Array {
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  const scale = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length);
  return column.map((value) => (scale > 0 ? (value - mean) / scale : 0));
}

/** The edge cases of make-linear.py. */
function synthetic(name: string): { columns: Float64Array[]; y: Float64Array } {
  const draw = uniform(7);
  const shapes: Record<string, readonly [number, number]> = { wide: [40, 120], wider: [60, 900], "one-column": [80, 1] };
  const [rows, count] = shapes[name] ?? [120, 4];
  const columns = Array.from({ length: count }, () => new Float64Array(rows));
  for (let row = 0; row < rows; row++) for (const column of columns) column[row] = draw() * 2 - 1;
  const score = columns[0].map((value, row) => value - (count > 1 ? 0.5 * columns[1][row] : 0));
  const y = score.map((value) => value + draw() - 0.5);
  if (name === "collinear") {
    const sum = columns[1].map((value, row) => value + 2 * columns[2][row]);
    columns.push(columns[0].slice(), sum, new Float64Array(rows).fill(0.1));
  }
  if (name === "magnitudes") {
    const units = [1e3, 1e-2, 1, 10];
    const shifts = [1e5, 0, -3, 1e4];
    columns.forEach((column, j) => {
      for (let row = 0; row < rows; row++) column[row] = column[row] * units[j] + shifts[j];
    });
  }
  return { columns, y: name === "separable" ? score : y };
}

const weightsOf = (rows: number) => Float64Array.from({ length: rows }, (_, row) => (row % 7 === 0 ? 0 : 1 + 0.5 * (row % 3)));
