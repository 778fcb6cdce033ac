import { describe, expect, it } from "vitest";
import { randomTree } from "../../../../test/fixtures/random-trees.ts";
import type { FeatureValue } from "../../features/index.ts";
import {
  type ColumnFormula,
  createRowPredictor,
  type Dataset,
  type EncodedColumn,
  type FittedEstimator,
  type FittedPreparation,
  type ModelPackage,
  predict,
  type RowSelection,
  type ServableEstimator,
  seededRandom,
} from "../../training/index.ts";
import { plan, syntheticDataset } from "../explain.fixture.ts";
import { explainRow } from "./explain-row.ts";
import { createFeatureShap } from "./feature-shap.ts";
import { distance } from "./shapley.fixture.ts";
import { summarizeShap } from "./summarize-shap.ts";

const [WIND, RAIN, KIND, NOISE] = [0, 1, 2, 3];
const dataset = syntheticDataset(600);
const background = { dataset, rows: Uint32Array.of(0, 21, 42, 63, 84) };
const rows: RowSelection = Uint32Array.from({ length: 250 }, (_, i) => 2 * i + 1);

const number = (feature: number): ColumnFormula => ({
  source: { kind: "number", feature },
  maps: [{ kind: "fill", value: 0 }],
});
const column = (name: string, formula: ColumnFormula): EncodedColumn => ({ ...formula, name, categories: 0 });

/** wind, rain, kind = a, and wind x rain. */
const preparation: FittedPreparation = {
  columns: [
    column("wind", number(WIND)),
    column("rain", number(RAIN)),
    column("kind=a", { source: { kind: "indicator", feature: KIND, encoding: 0, value: 0 }, maps: [] }),
    column("wind x rain", { source: { kind: "product", of: [number(WIND), number(RAIN)] }, maps: [] }),
  ],
  encodings: [{ categories: ["a", "b", "c"], values: [0, 1, 2], unseen: 3, missing: null }],
};

const modelOf = (estimator: FittedEstimator, classes: readonly string[] = []): ModelPackage => ({
  formatVersion: 2,
  model: "storm",
  task: classes.length > 0 ? "multiclass" : "binary",
  classes,
  background: [],
  candidate: { kind: "rule", name: "by hand" },
  plan,
  preparation,
  estimator,
  calibration: null,
  decision: { threshold: 0.5, payoff: { truePositive: 1, falsePositive: -1, falseNegative: -1 } },
  trainedAt: 0,
  labelCutoff: 0,
  trainingRows: 1,
  snapshots: {},
  seed: 1,
});

const treesOf = (outputs: number, link: "logit" | "softmax"): ServableEstimator => {
  const random = seededRandom(5);
  const trees = Array.from({ length: 4 * outputs }, () => randomTree(random, { columns: 4, splits: 9 }));
  return { kind: "trees", link, base: new Float64Array(outputs).fill(0.25), trees };
};
const linear: ServableEstimator = {
  kind: "linear",
  link: "logit",
  intercepts: Float64Array.of(-0.5),
  coefficients: Float64Array.of(1, 0.5, -2, 0.75),
};
const ensemble: ServableEstimator = {
  kind: "ensemble",
  link: "identity",
  members: [
    { name: "trees", weight: 0.75, preparation, estimator: treesOf(1, "logit") },
    { name: "linear", weight: 0.25, preparation, estimator: linear },
  ],
};

const valuesOf = ({ features }: Dataset, row: number): FeatureValue[] =>
  features.map((each) => {
    if (each.kind === "categorical") return each.categories[each.codes[row]];
    return Number.isNaN(each.values[row]) ? null : each.values[row];
  });

describe("SHAP values by feature", () => {
  it.each([
    ["trees, path-dependent", modelOf(treesOf(1, "logit")), {}],
    ["trees, interventional", modelOf(treesOf(1, "logit")), { background, trees: "interventional" as const }],
    ["trees of several classes", modelOf(treesOf(3, "softmax"), ["calm", "breeze", "storm"]), {}],
    ["a linear model", modelOf(linear), {}],
    ["a linear model against a background", modelOf(linear), { background }],
  ])("add up to the raw output, in batch as row by row, for %s (1e-9)", (_, model, options) => {
    const shap = createFeatureShap(model, options);
    const phi = shap.explainRows(dataset, rows);
    const predictRow = createRowPredictor(model);
    const width = shap.outputs * plan.features.length;
    rows.forEach((row, i) => {
      const values = valuesOf(dataset, row);
      const own = phi.subarray(i * width, (i + 1) * width);
      expect(distance(shap.explainValues(values), own)).toBeLessThan(1e-9);
      const sums = shap.base.map((base, k) => own.subarray(4 * k, 4 * k + 4).reduce((sum, value) => sum + value, base));
      expect(distance(sums, predictRow(values).raw)).toBeLessThan(1e-9);
    });
  });

  it("share a product's value equally among its features, and give nothing to a feature without a column", () => {
    const shap = createFeatureShap(modelOf(linear));
    const phi = shap.explainValues([2, 4, "b", 7]);
    // 1 x 2 and 0.5 x 4 of their own, and half of 0.75 x 2 x 4 each; the indicator is 0.
    expect([...phi]).toEqual([5, 5, 0, 0]);
    expect(phi[NOISE]).toBe(0);
  });

  it("of an ensemble are its members' weighted ones in the scale of probabilities, and add up to its prediction (1e-9)", () => {
    const shap = createFeatureShap(modelOf(ensemble), { background });
    expect(shap).toMatchObject({ method: "kernel", scale: "probability", outputs: 1 });
    const few = rows.subarray(0, 4);
    const phi = shap.explainRows(dataset, few);
    const { prediction } = predict(modelOf(ensemble), dataset, few);
    few.forEach((_, i) => {
      const sum = phi.subarray(4 * i, 4 * i + 4).reduce((total, value) => total + value, shap.base[0]);
      expect(Math.abs(sum - prediction[i])).toBeLessThan(1e-9);
    });
    const members = [treesOf(1, "logit"), linear].map((estimator) =>
      createFeatureShap(
        modelOf({ kind: "ensemble", link: "identity", members: [{ name: "one", weight: 1, preparation, estimator }] }),
        { background },
      ).explainRows(dataset, few),
    );
    expect(
      distance(
        phi,
        members[0].map((value, i) => 0.75 * value + 0.25 * members[1][i]),
      ),
    ).toBeLessThan(1e-9);
  });

  it("take a category that the background does not have, and a missing value", () => {
    const shap = createFeatureShap(modelOf(ensemble), { background });
    const phi = shap.explainValues([1, null, "never seen", 0]);
    expect(phi.every(Number.isFinite)).toBe(true);
  });

  it("are all zero where no feature is looked at", () => {
    const baseline = createFeatureShap(modelOf({ kind: "baseline", link: "softmax", output: Float64Array.of(1, 2) }, ["x", "y"]));
    expect([...baseline.explainValues([1, 1, "a", 1])]).toEqual(new Array(8).fill(0));
    expect(baseline).toMatchObject({ method: "none", outputs: 2, base: Float64Array.of(1, 2) });
    expect(createFeatureShap(modelOf({ kind: "rule", condition: "true" })).base).toEqual(Float64Array.of(0));
  });

  it("need a background where only comparing explains, and one with the plan's features", () => {
    const noBackground = expect.objectContaining({ code: "EXPLAIN_BACKGROUND_NEEDED" });
    expect(() => createFeatureShap(modelOf(ensemble))).toThrow(noBackground);
    expect(() => createFeatureShap(modelOf(treesOf(1, "logit")), { trees: "interventional" })).toThrow(noBackground);
    const other = { ...background, dataset: { ...dataset, features: dataset.features.toReversed() } };
    expect(() => createFeatureShap(modelOf(linear), { background: other })).toThrow(
      expect.objectContaining({ code: "EXPLAIN_FEATURES_MISMATCH" }),
    );
    expect(() => createFeatureShap(modelOf(linear), { background: { dataset, rows: new Uint32Array(0) } })).toThrow(
      expect.objectContaining({ code: "EXPLAIN_NO_ROWS" }),
    );
  });
});

describe("explaining one row of several classes", () => {
  const model = modelOf(treesOf(3, "softmax"), ["calm", "breeze", "storm"]);

  it("explains the likeliest class unless told which", () => {
    const values = valuesOf(dataset, 7);
    const { raw } = createRowPredictor(model)(values);
    const likeliest = raw.indexOf(Math.max(...raw));
    expect(explainRow(model, values)).toMatchObject({ class: model.classes[likeliest], scale: "log-odds" });
  });

  it("summarizes the class asked for", () => {
    const { base } = createFeatureShap(model);
    for (const output of [0, 1, 2]) expect(summarizeShap(model, dataset, rows, { output }).base).toBe(base[output]);
  });
});
