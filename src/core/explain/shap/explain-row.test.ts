import { describe, expect, it } from "vitest";
import { baseline, logisticRegression } from "../../definitions/index.ts";
import type { FeatureValue } from "../../features/index.ts";
import { createPredictor, type Dataset } from "../../training/index.ts";
import { syntheticDataset, syntheticSplit, trainOn } from "../explain.fixture.ts";
import { createExplainer, explainRow } from "./explain-row.ts";
import { summarizeShap } from "./summarize-shap.ts";

const dataset = syntheticDataset(4_000);
const boosted = trainOn(dataset).package;
const linear = trainOn(dataset, logisticRegression()).package;

const valuesOf = ({ features }: Dataset, row: number): FeatureValue[] =>
  features.map((column) => {
    if (column.kind === "categorical") return column.codes[row] < 0 ? null : column.categories[column.codes[row]];
    return Number.isNaN(column.values[row]) ? null : column.values[row];
  });

describe("explaining one row", () => {
  it.each([
    ["boosted trees", boosted],
    ["logistic regression", linear],
  ])("adds up to the score that serving gives, for %s (1e-9)", (_, model) => {
    const predict = createPredictor(model);
    const explain = createExplainer(model);
    for (let row = 0; row < 200; row++) {
      const explanation = explain(valuesOf(dataset, row));
      const sum = explanation.contributions.reduce((total, { phi }) => total + phi, explanation.base);
      expect(Math.abs(explanation.output - predict(valuesOf(dataset, row)).score)).toBeLessThan(1e-9);
      expect(Math.abs(sum - explanation.output)).toBeLessThan(1e-9);
    }
  });

  it("lists every feature once with its value, largest contribution first", () => {
    const { contributions } = explainRow(boosted, [2.5, null, "a", 0]);
    expect(contributions.map(({ feature }) => feature).sort()).toEqual([
      "noise.noise",
      "shop.kind",
      "weather.rain",
      "weather.wind",
    ]);
    expect(contributions[0]).toMatchObject({ feature: "weather.wind", value: 2.5 });
    expect(contributions.find(({ feature }) => feature === "weather.rain")?.value).toBeNull();
    const sizes = contributions.map(({ phi }) => Math.abs(phi));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });

  it("takes a category that training never saw", () => {
    const { output, contributions } = explainRow(boosted, [0, 0, "never seen", 0]);
    expect(Number.isFinite(output)).toBe(true);
    expect(contributions.every(({ phi }) => Number.isFinite(phi))).toBe(true);
  });

  it("sums the columns of a feature that logistic regression encodes in several", () => {
    const { preparation, estimator } = linear;
    if (estimator.kind !== "linear") throw new Error("not linear");
    const a = preparation.columns.findIndex(({ name }) => name === "shop.kind=a");
    const { contributions } = explainRow(linear, [0, 0, "a", 0]);
    // 1 in the category's column and 0 in the others: the category's own coefficient.
    expect(contributions.find(({ feature }) => feature === "shop.kind")?.phi).toBeCloseTo(estimator.coefficients[a], 12);
  });

  it("explains baseline and rule by their base alone", () => {
    const trained = trainOn(dataset, baseline()).package;
    const explanation = explainRow(trained, [1, 1, "a", 1]);
    const { train } = syntheticSplit(dataset);
    const share = train.reduce((sum, row) => sum + dataset.label[row], 0) / train.length;
    expect(explanation.method).toBe("none");
    expect(explanation.base).toBeCloseTo(share, 12);
    expect(explanation.contributions.every(({ phi }) => phi === 0)).toBe(true);
    const rule = trainOn(dataset, { kind: "rule", name: "rule" }).package;
    expect(explainRow(rule, [1, 1, "a", 1])).toMatchObject({ base: 0, output: 0 });
  });

  it("refuses too few values", () => {
    expect(() => explainRow(boosted, [1, 2])).toThrow(expect.objectContaining({ code: "EXPLAIN_FEATURES_MISMATCH" }));
  });
});

describe("summary of SHAP values", () => {
  const rows = Uint32Array.from({ length: 2_000 }, (_, row) => row);

  it("ranks features by what the label was made of", () => {
    const { shap, sample, rows: used } = summarizeShap(boosted, dataset, rows);
    expect(used).toBe(500);
    expect(shap[0].feature).toBe("weather.wind");
    expect(shap[shap.length - 1].feature).toBe("noise.noise");
    expect(sample.map(({ feature }) => feature)).toEqual(shap.map(({ feature }) => feature));
    expect(sample.every(({ points }) => points.length === 500)).toBe(true);
  });

  it("scales values to 0…1 and leaves categories and missing values null", () => {
    const { sample } = summarizeShap(boosted, dataset, rows);
    const points = (id: string) => sample.find(({ feature }) => feature === id)?.points ?? [];
    expect(points("weather.wind").every(({ value }) => value !== null && value >= 0 && value <= 1)).toBe(true);
    expect(points("weather.rain").some(({ value }) => value === null)).toBe(true);
    expect(points("shop.kind").every(({ value }) => value === null)).toBe(true);
  });

  it("is the mean of single explanations", () => {
    const few = Uint32Array.of(3, 40, 500);
    const { shap } = summarizeShap(boosted, dataset, few);
    for (const { feature, meanAbs } of shap) {
      const phis = Array.from(
        few,
        (row) => explainRow(boosted, valuesOf(dataset, row)).contributions.find((c) => c.feature === feature)?.phi ?? 0,
      );
      expect(meanAbs).toBeCloseTo(phis.reduce((sum, phi) => sum + Math.abs(phi), 0) / 3, 12);
    }
  });

  it("refuses no rows and another model's columns", () => {
    expect(() => summarizeShap(boosted, dataset, new Uint32Array(0))).toThrow(
      expect.objectContaining({ code: "EXPLAIN_NO_ROWS" }),
    );
    const other = { ...dataset, features: dataset.features.toReversed() };
    expect(() => summarizeShap(boosted, other, rows)).toThrow(expect.objectContaining({ code: "EXPLAIN_FEATURES_MISMATCH" }));
  });
});
