import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { goldenData, numericColumns } from "../../../test/fixtures/golden-data.ts";
import type { MetricName } from "../definitions/index.ts";
import { linearRegression, logisticRegression } from "../definitions/index.ts";
import { type Dataset, trainCandidate } from "../training/index.ts";
import type { RowFunction } from "./dependence/row-function.ts";
import { syntheticDataset, syntheticSplit, trainingOptions, trainOn } from "./explain.fixture.ts";
import { createDropMeasure, permutationImportance, viewGroups } from "./permutation-importance.ts";

interface Golden {
  readonly permutation: {
    readonly orders: readonly number[][];
    readonly cases: readonly { scoring: string; repeats: number; mean: Record<string, number> }[];
  };
}
const { permutation: golden }: Golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/dependence.json", import.meta.url), "utf8"),
);
const orders = golden.orders.map((order) => Uint32Array.from(order));

const diabetes = goldenData("diabetes");
const decision = { threshold: 0.5, payoff: { truePositive: 1, falsePositive: -1, falseNegative: 0 } };
const measured: Omit<Dataset, "task" | "label"> = {
  rows: diabetes.rows,
  classes: [],
  features: numericColumns(diabetes).map((values, index) => ({ kind: "numeric", id: diabetes.names[index], values })),
  at: new Float64Array(diabetes.rows),
  labelAt: new Float64Array(diabetes.rows),
  day: Int32Array.from({ length: diabetes.rows }, (_, row) => row % 40),
  rule: new Uint8Array(diabetes.rows),
  segments: [],
};
const values: Dataset = { ...measured, task: "regression", label: diabetes.target.map((y) => y / 100) };
const classes: Dataset = { ...measured, task: "binary", label: Uint8Array.from(diabetes.target, (y) => (y > 140 ? 1 : 0)) };

function numbers({ features }: Dataset, id: string): Float64Array {
  const column = features.find((each) => each.id === id);
  if (column?.kind !== "numeric") throw new Error(`${id} is not numeric`);
  return column.values;
}

/** The formulas of make-dependence.py. */
const formula: RowFunction = (of) => {
  const [age, bmi, bp, s5] = ["age", "bmi", "bp", "s5"].map((id) => numbers(of, id));
  return age.map((value, row) => Math.sin(20 * bmi[row]) + 30 * bp[row] * value + Math.abs(s5[row]));
};
const classifier: RowFunction = (of) =>
  numbers(of, "bmi").map((bmi, row) => 1 / (1 + Math.exp(-(50 * bmi + 30 * numbers(of, "s5")[row]))));

const CASES: Readonly<Record<string, { metric: MetricName; f: RowFunction; dataset: Dataset }>> = {
  neg_mean_squared_error: { metric: "mse", f: formula, dataset: values },
  r2: { metric: "r2", f: formula, dataset: values },
  roc_auc: { metric: "roc_auc", f: classifier, dataset: classes },
  neg_log_loss: { metric: "log_loss", f: classifier, dataset: classes },
};

describe("permutation importance on scikit-learn's permutations", () => {
  it.each(golden.cases)("is scikit-learn's, to 1e-10 of it ($scoring)", ({ scoring, repeats, mean }) => {
    const { metric, f, dataset } = CASES[scoring];
    const measure = createDropMeasure(f, dataset, metric, decision, { resamples: 20, seed: 1 });
    for (const [feature, expected] of Object.entries(mean)) {
      const index = dataset.features.findIndex(({ id }) => id === feature);
      const { value, low, high } = measure([index], orders.slice(0, repeats));
      expect(Math.abs(value - expected)).toBeLessThan(1e-10 * Math.max(1, Math.abs(expected)));
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
    }
  });

  it("gives a group one permutation: what its features say to each other stays", () => {
    const difference: RowFunction = (of) => numbers(of, "bmi").map((bmi, row) => bmi - numbers(of, "s5")[row]);
    const own = { ...values, label: difference(values) };
    const measure = createDropMeasure(difference, own, "mae", decision, { resamples: 0, seed: 1 });
    const [bmi, s5] = ["bmi", "s5"].map((id) => own.features.findIndex((feature) => feature.id === id));
    const together = measure([bmi, s5], orders).value;
    const shuffled = orders.map((order) => difference(own).map((_, row) => Math.abs(own.label[order[row]] - own.label[row])));
    const expected = shuffled.flatMap((errors) => [...errors]).reduce((sum, each) => sum + each, 0) / (2 * own.rows);
    expect(together).toBeCloseTo(expected, 12);
  });
});

describe("permutation importance of any task", () => {
  const dataset = syntheticDataset(3_000);
  const split = syntheticSplit(dataset);

  it("measures views as groups: a whole view costs at least about what its features do", () => {
    const model = trainOn(dataset).package;
    const groups = viewGroups(model);
    expect(groups.map(({ name }) => name)).toEqual(["weather", "shop", "noise"]);
    const found = permutationImportance(model, dataset, split.select, { metric: "roc_auc", groups, resamples: 30 });
    expect(found.groups?.[0].name).toBe("weather");
    const wind = found.features.find(({ feature }) => feature === "weather.wind")?.drop.value ?? 0;
    expect(found.groups?.[0].drop.value).toBeGreaterThan(0.9 * wind);
  });

  it("works for values", () => {
    const amount = numbers(dataset, "weather.wind").map((wind, row) => 3 * wind + numbers(dataset, "noise.noise")[row] / 10);
    const regression: Dataset = { ...dataset, task: "regression", label: amount };
    const options = { ...trainingOptions(linearRegression({ alpha: 0 })), select: "rmse" } as const;
    const { package: model } = trainCandidate(regression, split, options);
    const { features } = permutationImportance(model, regression, split.select, { metric: "rmse", resamples: 20 });
    expect(features[0].feature).toBe("weather.wind");
    expect(features[0].drop.low).toBeGreaterThan(3);
    expect(() => permutationImportance(model, regression, split.select, { metric: "roc_auc" })).toThrow(
      expect.objectContaining({ code: "EXPLAIN_METRIC_UNDEFINED" }),
    );
  });

  it("works for several classes", () => {
    const wind = numbers(dataset, "weather.wind");
    const label = Int32Array.from(wind, (w) => (w < -0.5 ? 0 : w < 0.5 ? 1 : 2));
    const multiclass: Dataset = { ...dataset, task: "multiclass", classes: ["low", "middle", "high"], label };
    const options = { ...trainingOptions(logisticRegression()), select: "log_loss" } as const;
    const { package: model } = trainCandidate(multiclass, split, options);
    const { features } = permutationImportance(model, multiclass, split.select, { metric: "f1_macro", resamples: 20 });
    expect(features[0]).toMatchObject({ feature: "weather.wind" });
    expect(features[0].drop.low).toBeGreaterThan(0.3);
  });

  it("refuses a group with a feature that does not exist", () => {
    const model = trainOn(dataset).package;
    const groups = [{ name: "x", features: ["weather.snow"] }];
    expect(() => permutationImportance(model, dataset, split.select, { metric: "roc_auc", groups })).toThrow(
      expect.objectContaining({ code: "EXPLAIN_FEATURE_UNKNOWN" }),
    );
  });

  it("finds nothing in features that are the same or missing in all rows, and takes huge values", () => {
    const wind = numbers(dataset, "weather.wind");
    const odd: Dataset = {
      ...dataset,
      features: dataset.features.map((column, index) => {
        if (column.kind === "categorical") return { ...column, codes: new Int32Array(dataset.rows).fill(-1) };
        const fill = index === 1 ? Number.NaN : 7;
        return {
          ...column,
          values: index === 0 ? wind.map((value) => value * 1e300) : new Float64Array(dataset.rows).fill(fill),
        };
      }),
    };
    const { features } = permutationImportance(trainOn(odd).package, odd, split.select, { metric: "roc_auc", resamples: 20 });
    expect(features[0]).toMatchObject({ feature: "weather.wind" });
    expect(features.slice(1).every(({ drop }) => drop.value === 0)).toBe(true);
  });

  it("takes one row where the metric is defined for it", () => {
    const model = trainOn(dataset).package;
    const one = permutationImportance(model, dataset, split.select.subarray(0, 1), { metric: "log_loss" });
    expect(one.features.every(({ drop }) => drop.value === 0)).toBe(true);
  });
});
