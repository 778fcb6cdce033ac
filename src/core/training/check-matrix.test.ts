import { describe, expect, it } from "vitest";
import { fitBestFeature } from "./baselines/best-feature.ts";
import { fitGradientBoosting } from "./boosting/gradient-boosting.ts";
import { checkColumns, checkMatrix } from "./check-matrix.ts";
import { checkTarget, requireTwoClasses } from "./check-target.ts";
import { fitForest } from "./forest/fit-forest.ts";
import { fitLogisticRegression } from "./linear/logistic-regression.ts";
import { type Matrix, type Target, takeRows } from "./matrix.ts";
import type { LinearEstimator, Tree, TreesEstimator } from "./model.ts";
import { seededRandom } from "./random.ts";
import { createRowScorer, type MatrixEstimator, scoreMatrix } from "./score-estimator.ts";
import { createTreesScorer } from "./trees/trees-scorer.ts";

const code = (expected: string) => expect.objectContaining({ code: expected });
const matrixOf = (...columns: number[][]): Matrix => ({
  rows: columns[0].length,
  columns: columns.map((column) => Float64Array.from(column)),
});

describe("the check of a matrix", () => {
  it("lets numbers of any kind and missing codes through", () => {
    checkMatrix({ ...matrixOf([1, Number.NaN, Infinity], [0, Number.NaN, 2]), categories: [0, 3] });
  });

  it.each<[string, string, () => void]>([
    ["no rows", "TRAIN_TOO_FEW_ROWS", () => checkMatrix(matrixOf([]))],
    ["no columns", "TRAIN_NO_FEATURES", () => checkMatrix({ rows: 3, columns: [] })],
    ["a column that is too short", "TRAIN_COLUMN_INVALID", () => checkColumns({ ...matrixOf([1, 2], [3]), rows: 2 })],
    ["rows that are no number", "TRAIN_COLUMN_INVALID", () => checkColumns({ ...matrixOf([1, 2]), rows: Number.NaN })],
    ["a code past the last", "TRAIN_COLUMN_INVALID", () => checkColumns({ ...matrixOf([0, 3]), categories: [3] })],
    ["a fractional code", "TRAIN_COLUMN_INVALID", () => checkColumns({ ...matrixOf([0, 0.5]), categories: [3] })],
    ["a negative code", "TRAIN_COLUMN_INVALID", () => checkColumns({ ...matrixOf([0, -1]), categories: [3] })],
    ["categories of other columns", "TRAIN_COLUMN_INVALID", () => checkColumns({ ...matrixOf([0, 1]), categories: [2, 2] })],
  ])("refuses %s", (_, expected, check) => {
    expect(check).toThrow(code(expected));
  });

  it("names the column and the row", () => {
    const named = { ...matrixOf([1, 2], [0, 7]), categories: [0, 3], names: ["age", "plan"] };
    expect(() => checkColumns(named)).toThrow("column plan has 3 categories; row 1 holds 7");
  });
});

/** Classifiers of five classes, and what each makes of labels 0 and 4 alone. */
const CLASSIFIERS: Record<string, (matrix: Matrix, target: Target) => MatrixEstimator> = {
  "logistic regression": (matrix, target) => fitLogisticRegression(matrix, target, { classes: 5 }),
  forest: (matrix, target) => fitForest(matrix, target, { trees: 3 }, { kind: "random-forest", classes: 5, seed: 1 }).estimator,
  boosting: (matrix, target) =>
    fitGradientBoosting(matrix, target, { objective: "multiclass", trees: 3, minLeafRows: 1 }, { seed: 1, classes: 5 }).estimator,
  "the best feature": (matrix, target) => fitBestFeature(matrix, target, { classes: 5, seed: 1 }).estimator,
};

describe.each(Object.entries(CLASSIFIERS))("%s", (_, fit) => {
  const matrix = matrixOf(Array.from({ length: 60 }, (__, row) => row));
  const labels = (of: (row: number) => number) => ({ values: Int32Array.from({ length: 60 }, (__, row) => of(row)) });

  it("fits two of five classes", () => {
    const raw = scoreMatrix(
      fit(
        matrix,
        labels((row) => (row < 30 ? 0 : 4)),
      ),
      matrix,
    );
    expect(raw).toHaveLength(300);
    expect(raw.every(Number.isFinite)).toBe(true);
    expect(raw[0]).toBeGreaterThan(raw[4]);
  });

  it("refuses one of five classes, and two of which one weighs nothing", () => {
    expect(() =>
      fit(
        matrix,
        labels(() => 3),
      ),
    ).toThrow(code("TRAIN_ONE_CLASS"));
    const weights = Float64Array.from({ length: 60 }, (__, row) => (row < 30 ? 0 : 1));
    expect(() => fit(matrix, { ...labels((row) => (row < 30 ? 0 : 4)), weights })).toThrow(code("TRAIN_ONE_CLASS"));
  });

  it("refuses a short column, weights of 1e300 and labels that are no class", () => {
    const target = labels((row) => row % 2);
    expect(() => fit({ rows: 60, columns: [new Float64Array(30)] }, target)).toThrow(code("TRAIN_COLUMN_INVALID"));
    expect(() => fit(matrix, { ...target, weights: new Float64Array(60).fill(1e300) })).toThrow(code("TRAIN_WEIGHTS_INVALID"));
    expect(() =>
      fit(
        matrix,
        labels(() => -1),
      ),
    ).toThrow(code("TRAIN_TARGET_INVALID"));
  });
});

it("two classes are there though one weighs next to nothing", () => {
  const target = { values: Uint8Array.of(0, 1), weights: Float64Array.of(1, 1e-30) };
  requireTwoClasses(checkTarget(2, target, 2));
});

const LINEAR: LinearEstimator = {
  kind: "linear",
  link: "identity",
  intercepts: Float64Array.of(1),
  coefficients: Float64Array.of(1, 2),
};
const STUMP: Tree = {
  feature: Int32Array.of(1, -1, -1),
  threshold: Float64Array.of(0.5, 0, 0),
  left: Int32Array.of(1, -1, -1),
  right: Int32Array.of(2, -1, -1),
  missingLeft: new Uint8Array(3),
  value: Float64Array.of(0, 1, 2),
  cover: Float64Array.of(2, 1, 1),
};
const TREES: TreesEstimator = { kind: "trees", link: "identity", base: Float64Array.of(0), trees: [STUMP] };

describe.each<[string, MatrixEstimator]>([
  ["a linear model", LINEAR],
  ["trees", TREES],
])("%s", (_, estimator) => {
  it("refuses to score fewer columns than it reads, and columns that are too short", () => {
    const full = matrixOf([1, 2], [3, 4]);
    expect(scoreMatrix(estimator, full).every(Number.isFinite)).toBe(true);
    expect(() => scoreMatrix(estimator, matrixOf([1, 2]))).toThrow(code("TRAIN_COLUMN_INVALID"));
    expect(() => scoreMatrix(estimator, { rows: 2, columns: [full.columns[0], Float64Array.of(3)] })).toThrow(
      code("TRAIN_COLUMN_INVALID"),
    );
    const scoreRow = createRowScorer(estimator);
    expect(() => scoreRow(Float64Array.of(1), new Float64Array(1))).toThrow(code("TRAIN_COLUMN_INVALID"));
  });
});

it("trees refuse them without a kernel too", () => {
  const { scoreMatrix: score, scoreRow } = createTreesScorer(TREES, { available: false, reason: "for this test" });
  expect(() => score(matrixOf([1, 2]))).toThrow(code("TRAIN_COLUMN_INVALID"));
  expect(() => scoreRow(Float64Array.of(1), new Float64Array(1))).toThrow(code("TRAIN_COLUMN_INVALID"));
});

describe("takeRows", () => {
  it.each([2, -1, 0.5, Number.NaN])("refuses row %s of two", (row) => {
    expect(() => takeRows(matrixOf([1, 2]), [0, row])).toThrow(code("TRAIN_COLUMN_INVALID"));
  });
});

it.each([Number.NaN, 1.5, Infinity, 2 ** 60])("no stream of random numbers starts from the seed %s", (seed) => {
  expect(() => seededRandom(seed)).toThrow(code("TRAIN_PARAMETER_INVALID"));
});
