import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Matrix, takeRows } from "../matrix.ts";
import type { Tree, TreesEstimator } from "../model.ts";
import { seededRandom } from "../random.ts";
import { scoreMatrix } from "../score-estimator.ts";
import type { BoostingObjective, BoostingParams } from "./boosting-params.ts";
import { type BoostingOptions, fitGradientBoosting } from "./gradient-boosting.ts";

const OBJECTIVES: readonly BoostingObjective[] = ["squared", "quantile", "poisson", "binary", "multiclass"];

interface Rows {
  readonly matrix: Matrix;
  readonly values: Float64Array;
  readonly weights?: Float64Array;
}

/** Numbers, one of them with missing values, one with few values, and categories; a target that fits the objective. */
function makeRows(objective: BoostingObjective, rows: number, seed: number): Rows {
  const random = seededRandom(seed);
  const draw = () => random.uint32() / 2 ** 32;
  const column = (make: () => number) => Float64Array.from({ length: rows }, make);
  const columns = [
    column(() => draw() * 4 - 2),
    column(() => (draw() < 0.2 ? Number.NaN : draw())),
    column(() => Math.floor(draw() * 6)),
    column(() => (draw() < 0.1 ? Number.NaN : Math.floor(draw() * 9))),
  ];
  const values = Float64Array.from({ length: rows }, (_, row) => {
    const [a, b, c, d] = columns.map((each) => each[row]);
    const score = a + (Number.isNaN(b) ? 1 : 2 * b - 1) + (c > 3 ? 1 : 0) + (d % 3 === 1 ? 1 : -0.5);
    const noisy = score + draw() * 2 - 1;
    if (objective === "binary") return noisy > 0.8 ? 1 : 0;
    if (objective === "multiclass") return noisy > 1.5 ? 2 : noisy > 0 ? 1 : 0;
    return objective === "poisson" ? Math.max(0, Math.round(noisy)) : noisy;
  });
  return { matrix: { rows, columns, categories: [0, 0, 0, 9] }, values };
}

const fit = (
  { matrix, ...target }: Rows,
  params: Partial<BoostingParams> = {},
  options: Partial<BoostingOptions> = {},
): TreesEstimator => fitGradientBoosting(matrix, target, { trees: 10, ...params }, { seed: 1, ...options }).estimator;

function permuted({ matrix, values, weights }: Rows, seed: number): Rows {
  const random = seededRandom(seed);
  const order = Uint32Array.from({ length: matrix.rows }, (_, row) => row);
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return pick({ matrix, values, ...(weights && { weights }) }, order);
}

function pick({ matrix, values, weights }: Rows, rows: Uint32Array): Rows {
  const of = (numbers: Float64Array) => Float64Array.from(rows, (row) => numbers[row]);
  return { matrix: takeRows(matrix, rows), values: of(values), ...(weights && { weights: of(weights) }) };
}

const leavesOf = ({ feature }: Tree): number[] => Array.from(feature.keys()).filter((node) => feature[node] < 0);
const code = (expected: string) => expect.objectContaining({ code: expected });

describe("the same model", () => {
  it.each(OBJECTIVES)("comes of plain TypeScript and of WebAssembly (%s)", (objective) => {
    const rows = makeRows(objective, 1_500, 1);
    const weighted = { ...rows, weights: rows.values.map((_, row) => 0.3 + (row % 7) / 5) };
    for (const each of [rows, weighted]) {
      expect(fit(each, { objective }, { plain: true })).toEqual(fit(each, { objective }));
    }
  });

  it.each(OBJECTIVES)("comes of one thread and of two (%s)", (objective) => {
    const rows = makeRows(objective, 20_000, 2);
    const params = { objective, trees: 8, rowShare: 0.8, columnShare: 0.7, earlyStopping: 5 };
    const validation = makeRows(objective, 9_000, 3);
    const fitWith = (threads: number) =>
      fitGradientBoosting(rows.matrix, rows, params, {
        seed: 1,
        threads,
        validation: { matrix: validation.matrix, target: validation },
      });
    expect(fitWith(2)).toEqual(fitWith(1));
  });

  it.each(OBJECTIVES)("comes of rows in any order (%s)", (objective) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 50, max: 400 }), (seed, count) => {
        const rows = makeRows(objective, count, seed);
        expect(fit(permuted(rows, seed + 1), { objective, minLeafRows: 5 })).toEqual(fit(rows, { objective, minLeafRows: 5 }));
      }),
      { numRuns: 6 },
    );
  });

  it.each(OBJECTIVES)("comes of a row of weight 2 and of two rows (%s)", (objective) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 50, max: 400 }), (seed, count) => {
        const rows = makeRows(objective, count, seed);
        const random = seededRandom(seed);
        const weights = rows.values.map(() => random.below(4));
        const repeated = Uint32Array.from(Array.from(weights).flatMap((weight, row) => new Array<number>(weight).fill(row)));
        const params = { objective, minLeafRows: 5 };
        expect(fit({ ...rows, weights }, params)).toEqual(fit(pick(rows, repeated), params));
      }),
      { numRuns: 6 },
    );
  });

  it("comes of the same seed, and another of another", () => {
    const rows = makeRows("binary", 1_000, 4);
    const params = { objective: "binary", rowShare: 0.5, columnShare: 0.5 } as const;
    expect(fit(rows, params)).toEqual(fit(rows, params));
    expect(fit(rows, params, { seed: 2 })).not.toEqual(fit(rows, params));
  });

  it("comes with a constant column and with a second copy of a column besides", () => {
    const rows = makeRows("squared", 800, 5);
    const { matrix } = rows;
    const constant = new Float64Array(800).fill(3);
    const columns = [...matrix.columns, constant, matrix.columns[0], new Float64Array(800).fill(Number.NaN)];
    const more = { ...rows, matrix: { ...matrix, columns, categories: [0, 0, 0, 9, 0, 0, 0] } };
    expect(fit(more)).toEqual(fit(rows));
  });
});

describe("a boosted tree", () => {
  it("keeps its word on leaves, depth, rows and hessians in a leaf, and cover", () => {
    const rows = makeRows("binary", 2_000, 6);
    const limits = { objective: "binary", leaves: 9, maxDepth: 3, minLeafRows: 100, minHessian: 20 } as const;
    for (const tree of fit(rows, limits).trees) {
      expect(leavesOf(tree).length).toBeLessThanOrEqual(8);
      expect(tree.cover[0]).toBe(2_000);
      for (const leaf of leavesOf(tree)) expect(tree.cover[leaf]).toBeGreaterThanOrEqual(100);
      tree.feature.forEach((split, node) => {
        if (split >= 0) expect(tree.cover[tree.left[node]] + tree.cover[tree.right[node]]).toBe(tree.cover[node]);
      });
    }
    expect(leavesOf(fit(rows, { objective: "binary", leaves: 5 }).trees[0])).toHaveLength(5);
  });

  it("gives a leaf the Newton step of its rows, pulled to 0 by l1 and l2", () => {
    // One split at 0: the left rows hold 10 positives of 40, the right ones 30 of 40; the base rate is a half.
    const x = Float64Array.from({ length: 80 }, (_, row) => (row < 40 ? -1 : 1));
    const values = Float64Array.from({ length: 80 }, (_, row) => (row % 40 < (row < 40 ? 10 : 30) ? 1 : 0));
    const rows = { matrix: { rows: 80, columns: [x] }, values };
    const { base, link, trees } = fit(rows, { objective: "binary", trees: 1, leaves: 2, rate: 0.5, l2: 2, l1: 1 });
    expect([link, ...base]).toEqual(["logit", 0]);
    // Left: gradients 30 * 0.5 - 10 * 0.5 = 10, hessians 40 * 0.25 = 10; so -0.5 * (10 - 1) / (10 + 2).
    expect(trees[0].threshold[0]).toBeCloseTo(0, 12);
    expect(trees[0].value[trees[0].left[0]]).toBe(-0.375);
    expect(trees[0].value[trees[0].right[0]]).toBe(0.375);
  });

  it("stops splitting where a split gains no more than asked", () => {
    const rows = makeRows("squared", 500, 7);
    const leaves = (minGain: number) =>
      leavesOf(fit(rows, { trees: 1, minGain }).trees[0] ?? { feature: new Int32Array(0) }).length;
    expect(leaves(50)).toBeLessThan(leaves(0));
    expect(fit(rows, { minGain: 1e9 }).trees).toHaveLength(0);
  });

  it("says of training rows what the sum of its leaves says", () => {
    for (const objective of OBJECTIVES) {
      const rows = makeRows(objective, 600, 8);
      const estimator = fit(rows, { objective, trees: 5 });
      const { history } = fitGradientBoosting(
        rows.matrix,
        rows,
        { objective, trees: 5, earlyStopping: 5 },
        { seed: 1, validation: { matrix: rows.matrix, target: rows } },
      );
      // The loss that boosting saw is the loss of the finished model's scores.
      const raw = scoreMatrix(estimator, rows.matrix);
      const k = estimator.base.length;
      const losses = Array.from(rows.values, (y, row) => {
        const own = raw.subarray(row * k, row * k + k);
        if (objective === "squared") return (own[0] - y) ** 2;
        if (objective === "quantile") return 0.5 * Math.abs(y - own[0]);
        if (objective === "binary") return Math.log1p(Math.exp(own[0])) - y * own[0];
        if (objective === "multiclass") return Math.log(own.reduce((sum, each) => sum + Math.exp(each), 0)) - own[y];
        return 2 * (Math.exp(own[0]) - y * own[0] + (y === 0 ? 0 : y * Math.log(y) - y));
      });
      const mean = losses.reduce((sum, each) => sum + each, 0) / losses.length;
      expect(history.loss[5]).toBeCloseTo(mean, 10);
    }
  });
});

describe("missing values", () => {
  it("go to the side where they gain, and unexpected ones to the larger child", () => {
    const random = seededRandom(4);
    const x = Float64Array.from({ length: 300 }, (_, row) => (row % 3 === 0 ? Number.NaN : random.uint32() / 2 ** 32));
    const labels = (column: Float64Array) => Float64Array.from(column, (value) => (Number.isNaN(value) || value > 0.7 ? 1 : 0));
    const one = { objective: "binary", trees: 1, leaves: 2 } as const;
    const [tree] = fit({ matrix: { rows: 300, columns: [x] }, values: labels(x) }, one).trees;
    expect(tree.threshold[0]).toBeCloseTo(0.7, 1);
    expect(tree.missingLeft[0]).toBe(0);
    const complete = x.map((value) => (Number.isNaN(value) ? 0.1 : value));
    const [other] = fit({ matrix: { rows: 300, columns: [complete] }, values: labels(complete) }, one).trees;
    expect(other.missingLeft[0]).toBe(1);
  });

  it("can be split from all that is known", () => {
    const x = Float64Array.from({ length: 200 }, (_, row) => (row % 2 === 0 ? Number.NaN : row));
    const values = Float64Array.from(x, (value) => (Number.isNaN(value) ? 5 : -5));
    const estimator = fit({ matrix: { rows: 200, columns: [x] }, values }, { trees: 40 });
    const [missing, known] = scoreMatrix(estimator, { rows: 2, columns: [Float64Array.of(Number.NaN, 1e9)] });
    expect(missing).toBeGreaterThan(4);
    expect(known).toBeLessThan(-4);
  });
});

describe("categories", () => {
  /** Category c of 40 has mean c % 4; 50 rows each. */
  const codes = Float64Array.from({ length: 2_000 }, (_, row) => row % 40);
  const values = codes.map((each) => each % 4);

  it("are split by sets, whatever their order", () => {
    const estimator = fit(
      { matrix: { rows: 2_000, columns: [codes], categories: [40] }, values },
      { trees: 60, rate: 0.3, categories: { smoothing: 1, l2: 0, most: 32, oneVsRest: 4, minRows: 1 } },
    );
    expect(estimator.trees[0].categorical).toBeDefined();
    const raw = scoreMatrix(estimator, { rows: 40, columns: [codes.subarray(0, 40)], categories: [40] });
    for (const [each, score] of raw.entries()) expect(score).toBeCloseTo(each % 4, 1);
  });

  it("put no more on the left than the limit says, and those without a bin of their own on the right", () => {
    const limits = { smoothing: 0, l2: 0, most: 3, oneVsRest: 2, minRows: 0 };
    const estimator = fit(
      { matrix: { rows: 2_000, columns: [codes], categories: [50] }, values },
      { trees: 3, maxBins: 21, categories: limits },
    );
    for (const { categorical, feature } of estimator.trees) {
      feature.forEach((split, node) => {
        if (split < 0 || categorical === undefined) return;
        const words = categorical.words.subarray(categorical.start[node], categorical.start[node] + categorical.length[node]);
        const bits = Array.from(words.entries()).flatMap(([word, mask]) =>
          Array.from({ length: 32 }, (_, bit) => word * 32 + bit).filter((each) => ((mask >>> (each & 31)) & 1) === 1),
        );
        expect(bits.length).toBeLessThanOrEqual(3);
        for (const bit of bits) expect(bit).toBeLessThan(20);
      });
    }
  });

  it("are tried one against the others where they are few", () => {
    const few = Float64Array.from({ length: 300 }, (_, row) => row % 3);
    const rows = { matrix: { rows: 300, columns: [few], categories: [3] }, values: few.map((each) => (each === 1 ? 10 : 0)) };
    const [tree] = fit(rows, { trees: 1, leaves: 2 }).trees;
    expect([...(tree.categorical?.words ?? [])]).toEqual([1 << 1]);
  });

  it("train where there are 100,000 of them", () => {
    const many = Float64Array.from({ length: 20_000 }, (_, row) => (row % 2 === 0 ? 99_999 : (row * 7) % 100_000));
    const rows = {
      matrix: { rows: 20_000, columns: [many], categories: [100_000] },
      values: many.map((each) => (each === 99_999 ? 1 : 0)),
    };
    const estimator = fit(rows, { objective: "binary", trees: 5 });
    const [frequent, rare] = scoreMatrix(estimator, { rows: 2, columns: [Float64Array.of(99_999, 7)], categories: [100_000] });
    expect(frequent).toBeGreaterThan(rare);
  });
});

describe("constraints", () => {
  const random = seededRandom(9);
  const draw = () => random.uint32() / 2 ** 32;
  const x = Float64Array.from({ length: 1_500 }, draw);
  const other = Float64Array.from({ length: 1_500 }, draw);
  const values = x.map((each, row) => Math.sin(9 * each) + each * other[row] + 0.3 * draw());
  const rows = { matrix: { rows: 1_500, columns: [x, other] }, values };
  const grid = Float64Array.from({ length: 101 }, (_, i) => i / 100);

  it.each([1, -1])("keep the output monotone (%i) whatever the other columns hold", (direction) => {
    const estimator = fit(rows, { trees: 40, monotone: [direction, 0], minLeafRows: 5 });
    for (const fixed of [0, 0.3, 0.9]) {
      const raw = scoreMatrix(estimator, { rows: 101, columns: [grid, new Float64Array(101).fill(fixed)] });
      for (let i = 1; i < 101; i++) expect((raw[i] - raw[i - 1]) * direction).toBeGreaterThanOrEqual(0);
    }
  });

  it("let only columns of one group stand on a path", () => {
    const columns = [x, other, x.map((each) => each * each + 0.1 * draw()), other.map((each) => 1 - each * draw())];
    const estimator = fit(
      { matrix: { rows: 1_500, columns }, values },
      {
        trees: 30,
        interactions: [
          [0, 1],
          [1, 2],
        ],
      },
    );
    const allowed = [new Set([0, 1]), new Set([1, 2]), new Set([3])];
    const paths: Set<number>[] = [];
    const walk = (tree: Tree, node: number, path: Set<number>) => {
      if (tree.feature[node] < 0) return void paths.push(path);
      const next = new Set(path).add(tree.feature[node]);
      walk(tree, tree.left[node], next);
      walk(tree, tree.right[node], next);
    };
    for (const tree of estimator.trees) walk(tree, 0, new Set());
    for (const path of paths) expect(allowed.some((group) => path.isSubsetOf(group))).toBe(true);
    expect(paths.some((path) => path.size === 2)).toBe(true);
  });
});

describe("objectives", () => {
  it("quantile: leaves about the asked share of rows below", () => {
    const rows = makeRows("quantile", 5_000, 10);
    const estimator = fit(rows, { objective: "quantile", quantile: 0.8, trees: 60, minLeafRows: 50 });
    const raw = scoreMatrix(estimator, rows.matrix);
    const below = rows.values.filter((y, row) => y <= raw[row]).length / 5_000;
    expect(Math.abs(below - 0.8)).toBeLessThan(0.02);
  });

  it("poisson: predicts the mean count, also where counts are far above the base", () => {
    const x = Float64Array.from({ length: 400 }, (_, row) => (row < 40 ? 1 : 0));
    const values = x.map((each, row) => (each === 1 ? 100_000 : row % 2));
    const estimator = fit({ matrix: { rows: 400, columns: [x] }, values }, { objective: "poisson", trees: 300, rate: 0.3 });
    const raw = scoreMatrix(estimator, { rows: 2, columns: [Float64Array.of(0, 1)] });
    expect(Math.exp(raw[1]) / 100_000).toBeCloseTo(1, 2);
    expect(Math.exp(raw[0])).toBeCloseTo(0.5, 1);
  });

  it("multiclass: a class without rows stays as unlikely as can be", () => {
    const rows = makeRows("multiclass", 600, 11);
    const gap = { ...rows, values: rows.values.map((each) => (each === 2 ? 4 : each)) };
    const estimator = fit(gap, { objective: "multiclass" }, { classes: 6 });
    expect(estimator.base).toHaveLength(6);
    const raw = scoreMatrix(estimator, rows.matrix);
    for (let row = 0; row < 600; row++)
      for (const empty of [2, 3, 5]) expect(raw[6 * row + empty]).toBeCloseTo(Math.log(1e-15), 9);
  });
});

describe("early stopping", () => {
  it("ends when the validation rows no longer gain, and keeps the rounds up to the best", () => {
    const random = seededRandom(5);
    const noise = (count: number): Rows => ({
      matrix: {
        rows: count,
        columns: Array.from({ length: 5 }, () => Float64Array.from({ length: count }, () => random.uint32())),
      },
      values: Float64Array.from({ length: count }, () => random.below(2)),
    });
    const train = noise(500);
    const validation = noise(500);
    const { estimator, history } = fitGradientBoosting(
      train.matrix,
      train,
      { objective: "binary", earlyStopping: 5 },
      { seed: 1, validation: { matrix: validation.matrix, target: validation } },
    );
    expect(estimator.trees.length).toBe(history.bestRounds);
    expect(history.bestRounds).toBeLessThan(20);
    expect(history.loss.length).toBe(history.bestRounds + 6);
    expect(Math.min(...history.loss)).toBe(history.loss[history.bestRounds]);
    expect(history.withoutKernel).toBeNull();
  });
});

describe("input that says little", () => {
  it("is answered by the base where no column differs", () => {
    const values = Float64Array.from({ length: 100 }, (_, row) => (row < 30 ? 1 : 0));
    const columns = [new Float64Array(100).fill(3), new Float64Array(100).fill(Number.NaN)];
    const estimator = fit({ matrix: { rows: 100, columns }, values }, { objective: "binary" });
    expect(estimator.trees).toHaveLength(0);
    expect(estimator.base[0]).toBeCloseTo(Math.log(0.3 / 0.7), 12);
  });

  it("may be one row", () => {
    const estimator = fit({ matrix: { rows: 1, columns: [Float64Array.of(2)] }, values: Float64Array.of(7) });
    expect(estimator).toMatchObject({ base: Float64Array.of(7), trees: [] });
  });

  it("may have more columns than rows", () => {
    const random = seededRandom(6);
    const columns = Array.from({ length: 100 }, () => Float64Array.from({ length: 50 }, () => random.uint32()));
    const estimator = fit({ matrix: { rows: 50, columns }, values: columns[0] }, { minLeafRows: 5 });
    expect(scoreMatrix(estimator, { rows: 50, columns }).every(Number.isFinite)).toBe(true);
  });

  it("may hold infinities and huge and tiny numbers", () => {
    const x = Float64Array.from(
      { length: 400 },
      (_, row) => [Number.NEGATIVE_INFINITY, -1e300, 1e-310, 1e300, Number.POSITIVE_INFINITY][row % 5],
    );
    const values = Float64Array.from({ length: 400 }, (_, row) => (row % 5) * 1e90);
    const estimator = fit({ matrix: { rows: 400, columns: [x] }, values }, { trees: 200, rate: 0.3 });
    const raw = scoreMatrix(estimator, { rows: 5, columns: [x.subarray(0, 5)] });
    for (const [each, score] of raw.entries()) expect(score / 1e90).toBeCloseTo(each, 6);
    const tiny = fit(
      { matrix: { rows: 400, columns: [x] }, values: values.map((each) => each * 1e-190) },
      { trees: 200, rate: 0.3 },
    );
    for (const [each, score] of scoreMatrix(tiny, { rows: 5, columns: [x.subarray(0, 5)] }).entries()) {
      expect(score / 1e-100).toBeCloseTo(each, 6);
    }
  });
});

describe("input that cannot be trained on", () => {
  const two = { matrix: { rows: 2, columns: [Float64Array.of(1, 2)] }, values: Float64Array.of(0, 1) };

  it.each([
    [{ ...two, matrix: { rows: 0, columns: [] } }, "TRAIN_TOO_FEW_ROWS"],
    [{ ...two, matrix: { rows: 2, columns: [] } }, "TRAIN_NO_FEATURES"],
    [{ ...two, matrix: { rows: 2, columns: [Float64Array.of(1)] } }, "TRAIN_COLUMN_INVALID"],
    [{ ...two, matrix: { ...two.matrix, categories: [2] } }, "TRAIN_COLUMN_INVALID"],
    [{ ...two, values: Float64Array.of(1) }, "TRAIN_TARGET_INVALID"],
    [{ ...two, values: Float64Array.of(1, Number.NaN) }, "TRAIN_TARGET_INVALID"],
    [{ ...two, values: Float64Array.of(1, 1e101) }, "TRAIN_TARGET_INVALID"],
    [{ ...two, weights: Float64Array.of(1, -1) }, "TRAIN_WEIGHTS_INVALID"],
    [{ ...two, weights: Float64Array.of(1) }, "TRAIN_WEIGHTS_INVALID"],
    [{ ...two, weights: Float64Array.of(0, 0) }, "TRAIN_WEIGHTS_INVALID"],
  ])("%# is refused with %s", (rows, expected) => {
    expect(() => fit(rows)).toThrow(code(expected));
  });

  it.each([
    ["binary", [1, 1], undefined, "TRAIN_ONE_CLASS"],
    ["binary", [0, 1], [1, 0], "TRAIN_ONE_CLASS"],
    ["binary", [0, 2], undefined, "TRAIN_TARGET_INVALID"],
    ["multiclass", [3, 3], undefined, "TRAIN_ONE_CLASS"],
    ["multiclass", [0, 1.5], undefined, "TRAIN_TARGET_INVALID"],
    ["poisson", [0, -1], undefined, "TRAIN_TARGET_INVALID"],
    ["poisson", [0, 0], undefined, "TRAIN_TARGET_INVALID"],
  ] as const)("%s: %j with weights %j is refused with %s", (objective, values, weights, expected) => {
    const rows = { ...two, values: Float64Array.from(values), ...(weights && { weights: Float64Array.from(weights) }) };
    expect(() => fit(rows, { objective })).toThrow(code(expected));
  });

  it.each([
    { trees: 0 },
    { trees: 1.5 },
    { leaves: 1 },
    { rate: 0 },
    { rate: Number.NaN },
    { l1: -1 },
    { l2: Number.POSITIVE_INFINITY },
    { minLeafRows: 0 },
    { minHessian: -1 },
    { minGain: -1 },
    { maxBins: 1 },
    { maxBins: 256 },
    { maxDepth: -1 },
    { rowShare: 0 },
    { columnShare: 1.1 },
    { earlyStopping: -1 },
    { objective: "quantile", quantile: 1 },
    { objective: "quantile", monotone: [1] },
    { objective: "multiclass", monotone: [1] },
    { monotone: [1, 1] },
    { monotone: [2] },
    { interactions: [[1]] },
    { categories: { smoothing: -1, l2: 0, most: 1, oneVsRest: 4, minRows: 1 } },
  ] satisfies Partial<BoostingParams>[])("parameters %j are refused", (params) => {
    expect(() => fit(two, params)).toThrow(code("TRAIN_PARAMETER_INVALID"));
  });

  it("validation rows with other columns or categories, and no thread at all, are refused", () => {
    const validate = (matrix: Matrix) => () =>
      fit(makeRows("squared", 50, 13), { earlyStopping: 1 }, { validation: { matrix, target: { values: Float64Array.of(1) } } });
    const row = [Float64Array.of(1), Float64Array.of(1), Float64Array.of(1)];
    expect(validate({ rows: 1, columns: row })).toThrow(code("TRAIN_COLUMN_INVALID"));
    expect(validate({ rows: 1, columns: [...row, Float64Array.of(9)] })).toThrow(code("TRAIN_COLUMN_INVALID"));
    expect(() => fit(two, {}, { threads: 0 })).toThrow(code("TRAIN_PARAMETER_INVALID"));
  });

  it("a monotone column of categories is refused", () => {
    const rows = { ...two, matrix: { rows: 2, columns: [Float64Array.of(0, 1)], categories: [2] } };
    expect(() => fit(rows, { monotone: [1] })).toThrow(code("TRAIN_PARAMETER_INVALID"));
  });

  it("what would not fit into memory is refused with figures, before memory is taken", () => {
    const rows = makeRows("squared", 1_000, 12);
    expect(() => fit(rows, {}, { memoryLimit: 100_000 })).toThrow(/1000 rows x 4 columns.* takes \d+ MB; 1 MB may be taken/);
    expect(() => fit(rows, {}, { memoryLimit: 100_000 })).toThrow(code("TRAIN_MEMORY_WOULD_NOT_SUFFICE"));
    expect(() => fit(rows, { trees: 1e12 })).toThrow(code("TRAIN_MEMORY_WOULD_NOT_SUFFICE"));
  });
});
