import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { type Matrix, type Target, takeRows } from "../matrix.ts";
import type { Tree, TreesEstimator } from "../model.ts";
import { leafOf } from "../trees/goes-left.ts";
import { type ForestOptions, fitForest } from "./fit-forest.ts";
import type { ForestParams } from "./forest-params.ts";

const BINARY: ForestOptions = { kind: "random-forest", classes: 2, seed: 1 };
const REGRESSION: ForestOptions = { kind: "random-forest", classes: 0, seed: 1 };

/** Some rows of three numbers and one category (some values missing), a number to predict, and three classes of it. */
function sampleData(
  seed: number,
  rows: number,
): { matrix: Matrix; values: Float64Array; classes: Float64Array; labels: Float64Array } {
  const draw = uniform(seed);
  const columns = Array.from({ length: 4 }, () => new Float64Array(rows));
  const values = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const [a, b, c, category] = [draw(), draw(), draw(), Math.floor(draw() * 12)];
    values[row] = 2 * a + (category % 3) + draw() * 0.3;
    columns[0][row] = draw() < 0.1 ? Number.NaN : a;
    columns[1][row] = b;
    columns[2][row] = Math.round(4 * c);
    columns[3][row] = draw() < 0.1 ? Number.NaN : category;
  }
  const matrix = { rows, columns, categories: [0, 0, 0, 12] };
  return {
    matrix,
    values,
    classes: values.map((v) => (v < 1.2 ? 0 : v < 2.2 ? 1 : 2)),
    labels: values.map((v) => (v < 2 ? 0 : 1)),
  };
}

function predict({ base, trees }: TreesEstimator, matrix: Matrix): Float64Array {
  const outputs = base.length;
  const sums = new Float64Array(matrix.rows * outputs);
  trees.forEach((tree, t) => {
    for (let row = 0; row < matrix.rows; row++)
      sums[row * outputs + (t % outputs)] += tree.value[leafOf(tree, matrix.columns, row)];
  });
  return sums;
}

/** Every row may have its own leaf, unless said. */
const forestOf = (matrix: Matrix, target: Target, params: Partial<ForestParams>, options: ForestOptions) =>
  fitForest(matrix, target, { trees: 5, minLeafRows: 1, ...params }, options).estimator;

function closest(a: Float64Array, b: Float64Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);
}

function depthOf(tree: Tree, node: number): number {
  return tree.feature[node] < 0 ? 0 : 1 + Math.max(depthOf(tree, tree.left[node]), depthOf(tree, tree.right[node]));
}

describe("a forest", () => {
  it("is the same for the same seed and another for another", () => {
    const { matrix, labels } = sampleData(1, 200);
    const grow = (seed: number) => forestOf(matrix, { values: labels }, {}, { ...BINARY, seed });
    expect(grow(7)).toEqual(grow(7));
    expect(grow(7)).not.toEqual(grow(8));
  });

  it("learns a table by heart where it may, missing values and categories included", () => {
    const { matrix, values, classes, labels } = sampleData(2, 300);
    const byHeart = { bootstrap: false, maxFeatures: "all" } as const;
    for (const kind of ["random-forest", "extra-trees"] as const) {
      expect(closest(predict(forestOf(matrix, { values }, byHeart, { ...REGRESSION, kind }), matrix), values)).toBeLessThan(
        1e-12,
      );
      expect(closest(predict(forestOf(matrix, { values: labels }, byHeart, { ...BINARY, kind }), matrix), labels)).toBeLessThan(
        1e-12,
      );
      const shares = predict(forestOf(matrix, { values: classes }, byHeart, { kind, classes: 3, seed: 1 }), matrix);
      classes.forEach((label, row) => {
        expect(shares[3 * row + label]).toBeCloseTo(1, 12);
      });
    }
  });

  it("gives shares that sum to 1, one tree a class of one structure", () => {
    const { matrix, classes } = sampleData(3, 300);
    const { estimator } = fitForest(matrix, { values: classes }, { trees: 10, minLeafRows: 5 }, { ...BINARY, classes: 3 });
    const shares = predict(estimator, matrix);
    for (let row = 0; row < matrix.rows; row++)
      expect(shares[3 * row] + shares[3 * row + 1] + shares[3 * row + 2]).toBeCloseTo(1, 12);
    expect(estimator.trees).toHaveLength(30);
    expect(estimator.trees[0].feature).toBe(estimator.trees[2].feature);
  });

  it("finds the set of categories that a target depends on, also of more than two classes", () => {
    const rows = 400;
    const code = Float64Array.from({ length: rows }, (_, row) => (row * 7) % 40);
    const classOf = [2, 0, 1, 1, 0, 2, 0];
    const values = code.map((each) => classOf[each % 7]);
    const matrix = { rows, columns: [code], categories: [40] };
    for (const classes of [3, 0]) {
      const { trees, base } = forestOf(matrix, { values }, { trees: 1, bootstrap: false }, { ...BINARY, classes });
      expect(trees[0].feature.length).toBe(5);
      const predictions = predict({ kind: "trees", link: "identity", base, trees }, matrix);
      values.forEach((value, row) => {
        expect(classes === 0 ? predictions[row] : predictions[3 * row + value]).toBeCloseTo(classes === 0 ? value : 1, 12);
      });
    }
  });

  it("keeps its limits of depth, leaves and rows in a leaf", () => {
    const { matrix, labels, values } = sampleData(4, 400);
    const [tree] = forestOf(matrix, { values: labels }, { maxDepth: 3 }, BINARY).trees;
    expect(depthOf(tree, 0)).toBe(3);
    for (const { feature } of forestOf(matrix, { values }, { maxLeaves: 9 }, REGRESSION).trees) {
      expect(feature.filter((column) => column < 0)).toHaveLength(9);
    }
    for (const { feature, cover } of forestOf(matrix, { values }, { minLeafRows: 13 }, REGRESSION).trees) {
      feature.forEach((column, node) => {
        if (column < 0) expect(cover[node]).toBeGreaterThanOrEqual(13);
      });
    }
    for (const { feature, cover } of forestOf(matrix, { values }, { minSplitRows: 50 }, REGRESSION).trees) {
      feature.forEach((column, node) => {
        if (column >= 0) expect(cover[node]).toBeGreaterThanOrEqual(50);
      });
    }
  });

  it("predicts a row out of bag by the trees that did not draw it", () => {
    const { matrix, labels, values, classes } = sampleData(5, 300);
    const options = { ...BINARY, outOfBag: true };
    const binary = fitForest(matrix, { values: labels }, { trees: 60 }, options).outOfBag;
    const regression = fitForest(matrix, { values }, { trees: 60 }, { ...options, classes: 0 }).outOfBag;
    const multiclass = fitForest(matrix, { values: classes }, { trees: 60 }, { ...options, classes: 3 }).outOfBag;
    expect(binary?.score).toBeGreaterThan(0.8);
    expect(binary?.score).toBeLessThan(1);
    expect(regression?.score).toBeGreaterThan(0.5);
    expect(regression?.score).toBeLessThan(1);
    expect(multiclass?.predictions).toHaveLength(900);
    const alone = fitForest(matrix, { values }, { trees: 1 }, { ...options, classes: 0 }).outOfBag;
    expect(alone?.predictions.some(Number.isNaN)).toBe(true);
  });

  it("learns nothing from constant and empty columns, and nothing new from a column that it has already", () => {
    const { matrix, labels } = sampleData(6, 300);
    const rows = matrix.rows;
    const idle = [new Float64Array(rows).fill(3), new Float64Array(rows).fill(Number.NaN)];
    const alone = forestOf({ rows, columns: idle }, { values: labels }, {}, BINARY);
    for (const { feature } of alone.trees) expect([...feature]).toEqual([-1]);
    const twice = {
      rows,
      columns: [...matrix.columns, ...idle, ...matrix.columns],
      categories: [0, 0, 0, 12, 0, 0, 0, 0, 0, 12],
    };
    const params = { bootstrap: false, maxFeatures: "all", minLeafRows: 10 } as const;
    const plain = predict(forestOf(matrix, { values: labels }, params, BINARY), matrix);
    const more = predict(forestOf(twice, { values: labels }, params, BINARY), twice);
    // Columns are tried in another order, which decides between splits that are equally good.
    expect(closest(plain, more)).toBeLessThan(0.35);
  });

  it("fits two classes of five, and gives the others no share", () => {
    const { matrix, labels } = sampleData(10, 200);
    const shares = predict(forestOf(matrix, { values: labels.map((label) => 4 * label) }, {}, { ...BINARY, classes: 5 }), matrix);
    for (let row = 0; row < matrix.rows; row++) {
      expect([...shares.subarray(5 * row + 1, 5 * row + 4)]).toEqual([0, 0, 0]);
      expect(shares[5 * row] + shares[5 * row + 4]).toBeCloseTo(1, 12);
    }
  });

  it("has the defaults of a project's forests, with features tried by the task", () => {
    const { matrix, values, labels } = sampleData(11, 200);
    const tried = { classes: Math.floor(Math.sqrt(4)) / 4, values: 1 / 3 };
    expect(fitForest(matrix, { values: labels }, { trees: 5 }, BINARY)).toEqual(
      fitForest(matrix, { values: labels }, { trees: 5, minLeafRows: 5, maxFeatures: tried.classes, bootstrap: true }, BINARY),
    );
    const extra: ForestOptions = { ...REGRESSION, kind: "extra-trees" };
    expect(fitForest(matrix, { values }, { trees: 5 }, extra)).toEqual(
      fitForest(matrix, { values }, { trees: 5, minLeafRows: 5, maxFeatures: tried.values, bootstrap: false }, extra),
    );
  });

  it("predicts values as it did where a constant, an empty or a duplicate column is added and every column is tried", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(1, 2), (seed, trees) => {
        const { matrix, values } = sampleData(seed, 200);
        const { rows } = matrix;
        // Numbers without ties, and leaves so large that no two columns part a node's rows alike by chance.
        const columns = matrix.columns.slice(0, 2);
        const params = { trees, bootstrap: false, maxFeatures: "all", minLeafRows: 20 } as const;
        const said = (each: Matrix) => predict(forestOf(each, { values }, params, REGRESSION), each);
        const plain = said({ rows, columns });
        for (const added of [new Float64Array(rows).fill(3), new Float64Array(rows).fill(Number.NaN), columns[0], columns[1]]) {
          expect(said({ rows, columns: [...columns, added] })).toEqual(plain);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("does not depend on the order of rows without bootstrap", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.constantFrom("random-forest" as const, "extra-trees" as const),
        (seed, kind) => {
          const { matrix, values, classes } = sampleData(seed, 120);
          const draw = uniform(seed + 1);
          const order = [...values.keys()]
            .map((row) => ({ row, key: draw() }))
            .sort((a, b) => a.key - b.key)
            .map(({ row }) => row);
          const shuffled = takeRows(matrix, order);
          const of = (from: Float64Array) => Float64Array.from(order, (row) => from[row]);
          const params = { bootstrap: false, minLeafRows: 2 };
          const options = { ...BINARY, kind, classes: 3 };
          expect(forestOf(shuffled, { values: of(classes) }, params, options)).toEqual(
            forestOf(matrix, { values: classes }, params, options),
          );
          const regression = forestOf(matrix, { values }, params, { ...options, classes: 0 });
          const again = forestOf(shuffled, { values: of(values) }, params, { ...options, classes: 0 });
          again.trees.forEach((tree, t) => {
            expect({ ...tree, value: null }).toEqual({ ...regression.trees[t], value: null });
            expect(closest(tree.value, regression.trees[t].value)).toBeLessThan(1e-12);
          });
        },
      ),
      { numRuns: 20 },
    );
  });

  it("takes a row of weight 2 for two rows and of weight 0 for none without bootstrap", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(0, 3), (seed, outputs) => {
        const { matrix, values, classes } = sampleData(seed, 100);
        const target = outputs === 0 ? values : classes;
        const weights = Float64Array.from(target, (_, row) => row % 3);
        const repeated = [...weights.keys()].flatMap((row) => new Array<number>(weights[row]).fill(row));
        const params = { bootstrap: false, minLeafRows: 3 };
        const options = { ...BINARY, classes: outputs };
        const weighted = forestOf(matrix, { values: target, weights }, params, options);
        const written = forestOf(
          takeRows(matrix, repeated),
          { values: Float64Array.from(repeated, (row) => target[row]) },
          params,
          options,
        );
        weighted.trees.forEach((tree, t) => {
          expect({ ...tree, value: null }).toEqual({ ...written.trees[t], value: null });
          expect(closest(tree.value, written.trees[t].value)).toBeLessThan(1e-12);
        });
      }),
      { numRuns: 20 },
    );
  });

  it("never draws rows of weight 0, of which a tree could not learn", () => {
    const weights = Float64Array.from({ length: 40 }, (_, row) => (row < 2 ? 1 : 0));
    const values = Float64Array.from(weights, (_, row) => row);
    const { trees } = forestOf({ rows: 40, columns: [values] }, { values, weights }, { trees: 20 }, REGRESSION);
    for (const { value } of trees) for (const each of value) expect(each * 20).toBeGreaterThanOrEqual(0);
    for (const { value } of trees) for (const each of value) expect(each * 20).toBeLessThanOrEqual(1);
  });

  it("takes one row, huge and tiny magnitudes, more columns than rows, and 100,000 categories", () => {
    const one = forestOf({ rows: 1, columns: [Float64Array.of(5)] }, { values: Float64Array.of(7) }, {}, REGRESSION);
    expect(predict(one, { rows: 1, columns: [Float64Array.of(-1)] })[0]).toBeCloseTo(7, 12);

    const sizes = [1e-300, 1e-150, 1, 1e150, 1e300];
    const columns = [Float64Array.from({ length: 50 }, (_, row) => sizes[row % 5])];
    const huge = forestOf({ rows: 50, columns }, { values: columns[0] }, { bootstrap: false }, REGRESSION);
    expect(predict(huge, { rows: 50, columns })[4]).toBeCloseTo(1e300, -290);
    const tiny = columns[0].map((value) => value * 1e-305);
    expect(forestOf({ rows: 50, columns }, { values: tiny }, {}, REGRESSION).trees[0].value.every(Number.isFinite)).toBe(true);

    const draw = uniform(9);
    const wide = { rows: 20, columns: Array.from({ length: 200 }, () => Float64Array.from({ length: 20 }, draw)) };
    expect(forestOf(wide, { values: wide.columns[0].map((x) => (x > 0.5 ? 1 : 0)) }, {}, BINARY).trees).toHaveLength(5);

    const rows = 100_000;
    const codes = { rows, columns: [Float64Array.from({ length: rows }, (_, row) => row)], categories: [rows] };
    const { trees } = forestOf(codes, { values: codes.columns[0].map((code) => code % 2) }, { trees: 1 }, BINARY);
    expect(trees[0].feature.length).toBeGreaterThan(1);
  });

  it("works in columns that hold thresholds of nothing but missing against known", () => {
    const values = Float64Array.from({ length: 60 }, (_, row) => row % 2);
    const known = values.map((value) => (value === 1 ? Number.NaN : 4));
    const forest = forestOf({ rows: 60, columns: [known] }, { values }, { bootstrap: false }, BINARY);
    expect([...predict(forest, { rows: 3, columns: [Float64Array.of(Number.NaN, 4, 1e9)] })]).toEqual(
      [1, 0, 0].map((p) => expect.closeTo(p, 12)),
    );
  });

  it.each<[string, string, () => unknown]>([
    [
      "no rows",
      "TRAIN_TOO_FEW_ROWS",
      () => fitForest({ rows: 0, columns: [new Float64Array(0)] }, { values: new Float64Array(0) }, {}, BINARY),
    ],
    ["no columns", "TRAIN_NO_FEATURES", () => fitForest({ rows: 2, columns: [] }, { values: Float64Array.of(0, 1) }, {}, BINARY)],
    [
      "a column that is too short",
      "TRAIN_COLUMN_INVALID",
      () => fitForest({ rows: 3, columns: [LABELS, new Float64Array(2)] }, { values: LABELS }, {}, BINARY),
    ],
    ...[3, 0.5, -1].map((code): [string, string, () => unknown] => [
      `code ${code} of three categories`,
      "TRAIN_COLUMN_INVALID",
      () => fitForest({ rows: 3, columns: [Float64Array.of(0, code, 2)], categories: [3] }, { values: LABELS }, {}, BINARY),
    ]),
    ["a seed that is no number", "TRAIN_PARAMETER_INVALID", () => tiny({ values: LABELS }, {}, { seed: Number.NaN })],
    [
      "a limit of memory that is no number",
      "TRAIN_PARAMETER_INVALID",
      () => tiny({ values: LABELS }, {}, { memoryLimit: Number.NaN }),
    ],
    ["one class", "TRAIN_ONE_CLASS", () => tiny({ values: Float64Array.of(1, 1, 1) })],
    [
      "a class without weight",
      "TRAIN_ONE_CLASS",
      () => tiny({ values: Float64Array.of(0, 1, 1), weights: Float64Array.of(0, 1, 1) }),
    ],
    ["a label between classes", "TRAIN_TARGET_INVALID", () => tiny({ values: Float64Array.of(0, 1, 0.5) })],
    ["a label past the last class", "TRAIN_TARGET_INVALID", () => tiny({ values: Float64Array.of(0, 1, 2) })],
    [
      "a value that is missing",
      "TRAIN_TARGET_INVALID",
      () => tiny({ values: Float64Array.of(0, 1, Number.NaN) }, {}, { classes: 0 }),
    ],
    ["too few labels", "TRAIN_TARGET_INVALID", () => tiny({ values: Float64Array.of(0, 1) })],
    ["a negative weight", "TRAIN_WEIGHTS_INVALID", () => tiny({ values: LABELS, weights: Float64Array.of(1, -1, 1) })],
    ["an infinite weight", "TRAIN_WEIGHTS_INVALID", () => tiny({ values: LABELS, weights: Float64Array.of(1, Infinity, 1) })],
    ["no weight at all", "TRAIN_WEIGHTS_INVALID", () => tiny({ values: LABELS, weights: new Float64Array(3) })],
    ["no trees", "TRAIN_PARAMETER_INVALID", () => tiny({ values: LABELS }, { trees: 0 })],
    ["half a tree", "TRAIN_PARAMETER_INVALID", () => tiny({ values: LABELS }, { trees: 1.5 })],
    ["a share of features above 1", "TRAIN_PARAMETER_INVALID", () => tiny({ values: LABELS }, { maxFeatures: 2 })],
    ["a negative depth", "TRAIN_PARAMETER_INVALID", () => tiny({ values: LABELS }, { maxDepth: -1 })],
    ["leaves of NaN rows", "TRAIN_PARAMETER_INVALID", () => tiny({ values: LABELS }, { minLeafRows: Number.NaN })],
    ["one class of one", "TRAIN_PARAMETER_INVALID", () => tiny({ values: LABELS }, {}, { classes: 1 })],
    [
      "out of bag without bootstrap",
      "TRAIN_PARAMETER_INVALID",
      () => tiny({ values: LABELS }, { bootstrap: false }, { outOfBag: true }),
    ],
    ["too little memory to start", "TRAIN_MEMORY_WOULD_NOT_SUFFICE", () => tiny({ values: LABELS }, {}, { memoryLimit: 100 })],
  ])("refuses %s", (_, code, fit) => {
    expect(fit).toThrow(expect.objectContaining({ code }));
  });

  it("refuses with numbers a forest whose first tree shows that it would not fit", () => {
    const { matrix, values } = sampleData(8, 2000);
    const grow = () => fitForest(matrix, { values }, { trees: 10_000 }, { ...REGRESSION, memoryLimit: 2 ** 24 });
    expect(grow).toThrow(/10000 trees of \d+ MB each takes \d+ MB; there are 16 MB/);
  });
});

const LABELS = Float64Array.of(0, 1, 1);
const tiny = (target: Target, params: Partial<ForestParams> = {}, options: Partial<ForestOptions> = {}) =>
  fitForest({ rows: 3, columns: [Float64Array.of(1, 2, 3)] }, target, params, { ...BINARY, ...options });
