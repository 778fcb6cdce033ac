import { describe, expect, it } from "vitest";
import { goldenData, numericColumns } from "../../../../test/fixtures/golden-data.ts";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import type { Matrix } from "../matrix.ts";
import { leafOf } from "../trees/goes-left.ts";
import { fitBestFeature } from "./best-feature.ts";
import { type BaselineOptions, fitBaseline } from "./fit-baseline.ts";

const output = (strategy: BaselineOptions["strategy"], classes: number, values: number[], weights?: number[]) => [
  ...fitBaseline(
    { values: Float64Array.from(values), ...(weights && { weights: Float64Array.from(weights) }) },
    { strategy, classes },
  ).output,
];

describe("a baseline", () => {
  it("says the classes' shares, by weight", () => {
    expect(output("prior", 2, [0, 1, 1, 1])).toEqual([0.75]);
    expect(output("prior", 3, [0, 1, 1, 0])).toEqual([0.5, 0.5, 0]);
    expect(output("prior", 2, [0, 1, 1], [2, 1, 1])).toEqual([0.5]);
    expect(output("prior", 2, [1, 1])).toEqual([1]);
  });

  it("says the most frequent class for certain, of equals the first", () => {
    expect(output("majority", 2, [0, 1, 1])).toEqual([1]);
    expect(output("majority", 2, [0, 1])).toEqual([0]);
    expect(output("majority", 3, [2, 0, 2, 1])).toEqual([0, 0, 1]);
  });

  it("says mean and median, where a row of weight 2 is two rows", () => {
    expect(output("mean", 0, [1, 2, 6])).toEqual([3]);
    expect(output("mean", 0, [1, 4], [2, 1])).toEqual([2]);
    expect(output("median", 0, [9, 1, 2])).toEqual([2]);
    expect(output("median", 0, [4, 1, 2, 3])).toEqual([2.5]);
    expect(output("median", 0, [1, 2, 3], [1, 2, 1])).toEqual(output("median", 0, [1, 2, 2, 3]));
    expect(output("median", 0, [1, 2, 7], [2, 1, 1])).toEqual(output("median", 0, [1, 1, 2, 7]));
    expect(output("median", 0, [5, 1], [0, 1])).toEqual([1]);
  });

  it("says the label that became known last, not the one that stands last", () => {
    const target = { values: Float64Array.of(5, 7, 6) };
    const options = { strategy: "last-value", classes: 0 } as const;
    expect([...fitBaseline(target, { ...options, knownAt: [1, 3, 2] }).output]).toEqual([7]);
    expect([...fitBaseline(target, { ...options, knownAt: [1, 3, 3] }).output]).toEqual([6]);
    expect([...fitBaseline(target, options).output]).toEqual([6]);
    expect([...fitBaseline({ ...target, weights: Float64Array.of(1, 1, 0) }, options).output]).toEqual([7]);
    expect([...fitBaseline({ values: Int32Array.of(0, 2) }, { ...options, classes: 3 }).output]).toEqual([0, 0, 1]);
  });

  it.each<[string, string, () => unknown]>([
    ["a mean of classes", "TRAIN_PARAMETER_INVALID", () => output("mean", 2, [0, 1])],
    ["a majority of numbers", "TRAIN_PARAMETER_INVALID", () => output("majority", 0, [0, 1])],
    ["no rows", "TRAIN_TOO_FEW_ROWS", () => output("mean", 0, [])],
    ["a missing value", "TRAIN_TARGET_INVALID", () => output("mean", 0, [1, Number.NaN])],
    ["a class that is none", "TRAIN_TARGET_INVALID", () => output("prior", 2, [0, 2])],
    ["weights that are none", "TRAIN_WEIGHTS_INVALID", () => output("mean", 0, [1, 2], [0, 0])],
    [
      "times for other rows",
      "TRAIN_TARGET_INVALID",
      () => fitBaseline({ values: Float64Array.of(1) }, { strategy: "last-value", classes: 0, knownAt: [1, 2] }),
    ],
  ])("refuses %s", (_, code, fit) => {
    expect(fit).toThrow(expect.objectContaining({ code }));
  });
});

describe("the best single feature", () => {
  it("is the column that the target depends on, and the tree reads no other", () => {
    const draw = uniform(4);
    const rows = 500;
    const columns = Array.from({ length: 6 }, () => Float64Array.from({ length: rows }, draw));
    const values = columns[4].map((x) => Math.floor(3 * x));
    for (const classes of [3, 0]) {
      const { column, errors, estimator } = fitBestFeature({ rows, columns }, { values }, { classes, seed: 1 });
      expect(column).toBe(4);
      expect(errors[4]).toBeLessThan(0.05);
      for (const { feature } of estimator.trees) expect(feature.every((each) => each === 4 || each === -1)).toBe(true);
      const leaf = leafOf(estimator.trees[0], columns, 0);
      expect(estimator.trees[0].value[leaf]).toBeCloseTo(classes === 0 ? values[0] : values[0] === 0 ? 1 : 0, 6);
    }
  });

  it("of breast cancer is one of the measures of size at their worst, which surgeons know", () => {
    const data = goldenData("breast_cancer");
    const matrix: Matrix = { rows: data.rows, columns: numericColumns(data) };
    const { column } = fitBestFeature(matrix, { values: data.target }, { classes: 2, seed: 1 });
    expect(["worst_radius", "worst_perimeter", "worst_area"]).toContain(data.names[column]);
  });

  it("reads categories and missing values, and is the prior where no column says anything", () => {
    const rows = 200;
    const values = Float64Array.from({ length: rows }, (_, row) => (row % 5 < 2 ? 1 : 0));
    const category = values.map((value, row) => (value === 1 ? Number.NaN : row % 3));
    const matrix = { rows, columns: [new Float64Array(rows).fill(1), category], categories: [0, 3] };
    expect(fitBestFeature(matrix, { values }, { classes: 2, seed: 1 }).column).toBe(1);
    const idle = fitBestFeature({ rows, columns: [matrix.columns[0]] }, { values }, { classes: 2, seed: 1 });
    expect(idle.estimator.trees[0].value[0]).toBeCloseTo(0.4, 12);
  });

  it("is found with a single row of a class, and refuses none", () => {
    const values = Float64Array.of(0, 0, 0, 0, 1);
    const matrix = { rows: 5, columns: [Float64Array.of(1, 2, 3, 4, 5)] };
    expect(fitBestFeature(matrix, { values }, { classes: 2, seed: 1 }).column).toBe(0);
    expect(() => fitBestFeature(matrix, { values: new Float64Array(5) }, { classes: 2, seed: 1 })).toThrow(
      expect.objectContaining({ code: "TRAIN_ONE_CLASS" }),
    );
    expect(() => fitBestFeature({ rows: 5, columns: [] }, { values }, { classes: 2, seed: 1 })).toThrow(
      expect.objectContaining({ code: "TRAIN_NO_FEATURES" }),
    );
  });
});
