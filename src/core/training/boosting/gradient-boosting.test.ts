import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import type { GradientBoostingParams } from "../../definitions/index.ts";
import { metricValues, scoreRows } from "../metrics/metrics.ts";
import { scoreColumns, sigmoid } from "../predict.ts";
import { binEdges, binMatrix, MISSING_BIN } from "./binning.ts";
import { fitGradientBoosting } from "./gradient-boosting.ts";
import { blockLength, CELL, fillHistogram, GRADIENT_STEPS, HESSIAN_STEPS, histogramLength, packGradients } from "./histogram.ts";

const params: GradientBoostingParams = { trees: 100, leaves: 31, rate: 0.1, l2: 1, minLeafRows: 20, earlyStopping: 0 };
const noValidation = { columns: [], labels: new Uint8Array(0) };

interface Rows {
  readonly columns: Float64Array[];
  readonly labels: Uint8Array;
}

/** The two generators of test/golden/make-training-metrics.py. */
const generators: Record<string, (draw: () => number, rows: number) => Rows> = {
  smooth: (draw, rows) => {
    const columns = Array.from({ length: 10 }, () => new Float64Array(rows));
    const labels = new Uint8Array(rows);
    for (let row = 0; row < rows; row++) {
      for (const column of columns) column[row] = draw() * 6 - 3;
      for (let j = 0; j < 3; j++) if (draw() < 0.1) columns[j][row] = Number.NaN;
      const [a, , , d, e, f] = columns.map((column) => column[row]);
      const first = Number.isNaN(a) ? 1.5 : 0.5 * a;
      const score = first + 0.15 * (d + 3) * (e + 3) + ((f * f) / 3 - 1) - 2.5;
      labels[row] = draw() < sigmoid(score) ? 1 : 0;
    }
    return { columns, labels };
  },
  stepped: (draw, rows) => {
    const columns = Array.from({ length: 8 }, () => new Float64Array(rows));
    const labels = new Uint8Array(rows);
    for (let row = 0; row < rows; row++) {
      columns.forEach((column, j) => {
        column[row] = Math.floor(draw() * (4 + 5 * j));
      });
      const [a, b, c, , e, , , h] = columns.map((column) => column[row]);
      const both = a === 1 && b > 4 ? 1.5 : 0;
      const score = -3.5 + (h > 30 ? 2 : 0) + (c === 5 ? 1.5 : 0) + 0.1 * e + both;
      labels[row] = draw() < sigmoid(score) ? 1 : 0;
    }
    return { columns, labels };
  },
};

interface BoostingCase {
  readonly kind: string;
  readonly seed: number;
  readonly rows: number;
  readonly positives: number;
  readonly roc_auc: number;
}
// HistGradientBoostingClassifier of scikit-learn with the same parameters; versions in the file.
const golden: { boosting: BoostingCase[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/training-metrics.json", import.meta.url), "utf8"),
);

const sum = (values: Iterable<number>) => Array.from(values).reduce((total, value) => total + value, 0);

describe("gradient boosting", () => {
  it.each(golden.boosting)(
    "comes within 0.002 of scikit-learn's ROC AUC on the $kind rows of seed $seed",
    ({ kind, seed, rows, positives, roc_auc }) => {
      const generate = generators[kind];
      if (generate === undefined) throw new Error(`no generator ${kind}`);
      const draw = uniform(seed);
      const train = generate(draw, rows);
      const test = generate(draw, rows);
      expect(sum(train.labels)).toBe(positives);
      const { estimator } = fitGradientBoosting(train.columns, train.labels, params, { seed: 1, validation: noValidation });
      const probability = scoreColumns(estimator, test.columns, rows).map(sigmoid);
      const decision = { threshold: 0.5, payoff: { truePositive: 1, falsePositive: 0, falseNegative: 0 } };
      const scored = scoreRows(test.labels, probability, new Int32Array(rows), decision);
      expect(Math.abs((metricValues(scored).roc_auc ?? 0) - roc_auc)).toBeLessThan(0.002);
    },
  );

  it("gives the same trees for the same seed", () => {
    const rows = generators.smooth?.(uniform(1), 1_000) ?? { columns: [], labels: new Uint8Array(0) };
    const fit = () =>
      fitGradientBoosting(rows.columns, rows.labels, { ...params, trees: 5 }, { seed: 1, validation: noValidation });
    expect(fit()).toEqual(fit());
  });

  it("keeps its word on leaves, rows in a leaf and cover", () => {
    const rows = generators.smooth?.(uniform(3), 2_000) ?? { columns: [], labels: new Uint8Array(0) };
    const limits = { ...params, trees: 10, leaves: 8, minLeafRows: 150 };
    const { estimator } = fitGradientBoosting(rows.columns, rows.labels, limits, { seed: 1, validation: noValidation });
    expect(estimator.trees).toHaveLength(10);
    for (const { feature, left, right, cover } of estimator.trees) {
      const leaves = Array.from(feature, (_, node) => node).filter((node) => feature[node] < 0);
      expect(leaves.length).toBeLessThanOrEqual(8);
      expect(cover[0]).toBe(2_000);
      for (const leaf of leaves) expect(cover[leaf]).toBeGreaterThanOrEqual(150);
      feature.forEach((split, node) => {
        if (split >= 0) expect(cover[left[node]] + cover[right[node]]).toBe(cover[node]);
      });
    }
  });

  it("computes a leaf's value as the Newton step of its rows", () => {
    // One split at 0: the left rows hold 10 positives of 40, the right ones 30 of 40; the base rate is a half.
    const x = Float64Array.from({ length: 80 }, (_, row) => (row < 40 ? -1 : 1));
    const labels = Uint8Array.from({ length: 80 }, (_, row) => (row % 40 < (row < 40 ? 10 : 30) ? 1 : 0));
    const one = { ...params, trees: 1, leaves: 2, rate: 0.5, l2: 2 };
    const { estimator } = fitGradientBoosting([x], labels, one, { seed: 1, validation: noValidation });
    expect(estimator.baseScore).toBe(0);
    const [tree] = estimator.trees;
    // Left: gradients 30 * 0.5 - 10 * 0.5 = 10, hessians 40 * 0.25 = 10; so -0.5 * 10 / (10 + 2).
    expect(tree?.threshold[0]).toBe(0);
    expect(tree?.value[tree.left[0]]).toBeCloseTo(-5 / 12, 12);
    expect(tree?.value[tree.right[0]]).toBeCloseTo(5 / 12, 12);
  });

  it("sends missing values to the side where they gain, and unexpected ones to the larger child", () => {
    const draw = uniform(4);
    const x = Float64Array.from({ length: 300 }, (_, row) => (row % 3 === 0 ? Number.NaN : draw()));
    const labels = Uint8Array.from(x, (value) => (Number.isNaN(value) || value > 0.7 ? 1 : 0));
    const one = { ...params, trees: 1, leaves: 2 };
    const [tree] = fitGradientBoosting([x], labels, one, { seed: 1, validation: noValidation }).estimator.trees;
    expect(tree?.threshold[0]).toBeCloseTo(0.7, 1);
    expect(tree?.missingLeft[0]).toBe(0);
    const complete = x.map((value) => (Number.isNaN(value) ? 0.1 : value));
    const [other] = fitGradientBoosting(
      [complete],
      labels.map((_, row) => (complete[row] > 0.7 ? 1 : 0)),
      one,
      {
        seed: 1,
        validation: noValidation,
      },
    ).estimator.trees;
    expect(other?.missingLeft[0]).toBe(1);
  });

  it("can split what is missing from what is not", () => {
    const x = Float64Array.from({ length: 200 }, (_, row) => (row % 2 === 0 ? Number.NaN : 7));
    const labels = Uint8Array.from(x, (value) => (Number.isNaN(value) ? 1 : 0));
    const { estimator } = fitGradientBoosting([x], labels, { ...params, trees: 20 }, { seed: 1, validation: noValidation });
    const [missing, present] = scoreColumns(estimator, [Float64Array.of(Number.NaN, 7)], 2);
    expect(missing).toBeGreaterThan(1);
    expect(present).toBeLessThan(-1);
  });

  it("stops when the validation rows no longer gain, and keeps the trees up to the best", () => {
    const draw = uniform(5);
    const noise = (rows: number): Rows => ({
      columns: Array.from({ length: 5 }, () => Float64Array.from({ length: rows }, draw)),
      labels: Uint8Array.from({ length: rows }, () => (draw() < 0.5 ? 1 : 0)),
    });
    const train = noise(500);
    const { estimator, history } = fitGradientBoosting(
      train.columns,
      train.labels,
      { ...params, earlyStopping: 5 },
      {
        seed: 1,
        validation: noise(500),
      },
    );
    expect(estimator.trees.length).toBe(history.bestTrees);
    expect(history.bestTrees).toBeLessThan(20);
    expect(history.logLoss.length).toBe(history.bestTrees + 6);
    expect(Math.min(...history.logLoss)).toBe(history.logLoss[history.bestTrees]);
  });

  it("answers the base rate where no column says anything", () => {
    const labels = Uint8Array.from({ length: 100 }, (_, row) => (row < 30 ? 1 : 0));
    const columns = [new Float64Array(100).fill(3), new Float64Array(100).fill(Number.NaN)];
    const { estimator } = fitGradientBoosting(columns, labels, params, { seed: 1, validation: noValidation });
    expect(estimator.trees).toHaveLength(0);
    expect(sigmoid(estimator.baseScore)).toBeCloseTo(0.3, 12);
  });

  it("trains on more columns than rows", () => {
    const draw = uniform(6);
    const columns = Array.from({ length: 100 }, () => Float64Array.from({ length: 50 }, draw));
    const labels = Uint8Array.from(columns[0] ?? [], (x) => (x > 0.5 ? 1 : 0));
    const { estimator } = fitGradientBoosting(
      columns,
      labels,
      { ...params, minLeafRows: 5 },
      { seed: 1, validation: noValidation },
    );
    expect(scoreColumns(estimator, columns, 50).every(Number.isFinite)).toBe(true);
  });

  it("refuses labels of one class and parameters out of range", () => {
    const x = [Float64Array.of(1, 2)];
    const fit = (labels: number[], change: Partial<GradientBoostingParams>) => () =>
      fitGradientBoosting(x, Uint8Array.from(labels), { ...params, ...change }, { seed: 1, validation: noValidation });
    expect(fit([1, 1], {})).toThrow(expect.objectContaining({ code: "TRAIN_ONE_CLASS" }));
    const wrong = [
      { trees: 0 },
      { trees: 1.5 },
      { leaves: 1 },
      { rate: 0 },
      { l2: -1 },
      { minLeafRows: 0 },
      { earlyStopping: -1 },
    ];
    for (const change of [...wrong, { rate: Number.NaN }]) {
      expect(fit([0, 1], change)).toThrow(expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" }));
    }
  });
});

describe("binning", () => {
  it("puts a value at or below edge b into a bin up to b, and only those", () => {
    const numbers = fc.array(fc.oneof(fc.double({ noDefaultInfinity: true, noNaN: true }), fc.integer({ min: -3, max: 3 })), {
      minLength: 2,
    });
    fc.assert(
      fc.property(numbers, (values) => {
        const column = Float64Array.from(values);
        const { edges, byColumn } = binMatrix([column]);
        column.forEach((x, row) => {
          edges[0]?.forEach((edge, bin) => {
            expect(x <= edge).toBe((byColumn[0]?.[row] ?? 0) <= bin);
          });
        });
        // With few distinct values every two of them are told apart.
        expect(edges[0]).toHaveLength(new Set(column.map((x) => x + 0)).size - 1);
      }),
    );
  });

  it("takes at most 254 edges, at quantiles, and keeps a bin for missing values", () => {
    const draw = uniform(7);
    const column = Float64Array.from({ length: 10_000 }, () => draw() ** 3);
    column[0] = Number.NaN;
    const edges = binEdges(column);
    expect(edges.length).toBe(254);
    expect(binMatrix([column]).byColumn[0]?.[0]).toBe(MISSING_BIN);
    const below = column.filter((x) => x <= edges[126]).length / column.length;
    expect(below).toBeCloseTo(127 / 255, 3);
  });
});

describe("histograms", () => {
  it("count rows exactly and sum gradients and hessians without bias", () => {
    const draw = uniform(8);
    const rows = 9_000;
    const columns = Array.from({ length: 6 }, () => Float64Array.from({ length: rows }, () => Math.floor(draw() * 4)));
    const matrix = binMatrix(columns);
    const gradients = Float64Array.from({ length: rows }, () => draw() * 2 - 1);
    const hessians = Float64Array.from({ length: rows }, () => draw() * 0.25);
    const packed = new Float64Array(rows);
    packGradients(gradients, hessians, 12_345, packed);
    const index = Uint32Array.from({ length: rows }, (_, row) => row);
    const histogram = new Float64Array(histogramLength(matrix));
    fillHistogram(matrix, packed, index, 0, rows, new Float64Array(blockLength(matrix)), histogram);
    columns.forEach((column, j) => {
      for (let bin = 0; bin < 4; bin++) {
        const members = Array.from(index).filter((row) => column[row] === bin);
        const cell = (j * 256 + bin) * CELL;
        expect(histogram[cell + 2]).toBe(members.length);
        // A rounding to 1/1024 has a standard deviation of at most 1/2048; five of them for the sum.
        const error = Math.abs(histogram[cell] / GRADIENT_STEPS - sum(members.map((row) => gradients[row])));
        expect(error).toBeLessThan((5 * Math.sqrt(members.length)) / (2 * GRADIENT_STEPS));
        const curvature = Math.abs(histogram[cell + 1] / HESSIAN_STEPS - sum(members.map((row) => hessians[row])));
        expect(curvature).toBeLessThan((5 * Math.sqrt(members.length)) / (2 * HESSIAN_STEPS));
      }
    });
  });

  it("hold the extreme gradients of a whole block without overflow", () => {
    const rows = 5_000;
    const matrix = binMatrix([new Float64Array(rows)]);
    const index = Uint32Array.from({ length: rows }, (_, row) => row);
    for (const gradient of [-1, 1]) {
      const packed = new Float64Array(rows);
      packGradients(new Float64Array(rows).fill(gradient), new Float64Array(rows).fill(0.25), 1, packed);
      const histogram = new Float64Array(histogramLength(matrix));
      fillHistogram(matrix, packed, index, 0, rows, new Float64Array(blockLength(matrix)), histogram);
      expect([...histogram.subarray(0, CELL)]).toEqual([gradient * rows * GRADIENT_STEPS, rows * 0.25 * HESSIAN_STEPS, rows]);
    }
  });
});
