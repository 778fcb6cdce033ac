import { describe, expect, it } from "vitest";
import { gradientBoosting, linearRegression, logisticRegression, randomForest } from "../../definitions/index.ts";
import type { FeatureValue } from "../../features/index.ts";
import { createRowPredictor, type Dataset, type ModelPackage, predict, type Tree, trainCandidate } from "../../training/index.ts";
import { plan, syntheticDataset, syntheticSplit, trainingOptions, trainOn } from "../explain.fixture.ts";
import { type CounterfactualAnswer, type CounterfactualOptions, counterfactuals } from "./counterfactuals.ts";

const dataset = syntheticDataset(4_000);
const split = syntheticSplit(dataset);
const reference = { dataset, rows: split.train };
const model = trainOn(dataset).package;
const forest = trainOn(dataset, randomForest({ trees: 20, maxDepth: 5 })).package;
const linear = trainOn(dataset, logisticRegression()).package;
const small = trainOn(dataset, gradientBoosting({ trees: 10, leaves: 8, rate: 0.4 })).package;
const { threshold } = model.decision;

function valuesOf(row: number, of: Dataset = dataset): FeatureValue[] {
  return of.features.map((column) =>
    column.kind === "categorical"
      ? (column.categories[column.codes[row]] ?? null)
      : Number.isNaN(column.values[row])
        ? null
        : column.values[row],
  );
}

/** The row with the changes made, or only some of them. */
function changed(values: readonly FeatureValue[], changes: CounterfactualAnswer["counterfactuals"][number]["changes"]) {
  const to = new Map(changes.map((change) => [change.feature, change.to]));
  return values.map((value, index) => to.get(plan.features[index].id) ?? value);
}

const probability = (of: ModelPackage, values: readonly FeatureValue[]) => createRowPredictor(of)(values).prediction[0];
const acts = (of: ModelPackage, values: readonly FeatureValue[]) => probability(of, values) >= threshold;

/** Rows on either side of the decision. */
const rows = Array.from({ length: 24 }, (_, i) => split.test[i * 20]);

describe.each([
  ["boosting", model],
  ["a forest", forest],
  ["a linear model", linear],
])("a counterfactual of %s", (_, of) => {
  it("flips the decision, and none of its changes can be taken back", () => {
    let several = 0;
    for (const row of rows) {
      const values = valuesOf(row);
      const answer = counterfactuals(of, values, reference);
      expect(answer.outcome).toBe("found");
      for (const { changes, prediction, distance } of answer.counterfactuals) {
        const after = changed(values, changes);
        expect(probability(of, after)).toBeCloseTo(prediction, 12);
        expect(acts(of, after)).toBe(!acts(of, values));
        expect(distance).toBeCloseTo(
          changes.reduce((sum, each) => sum + each.distance, 0),
          12,
        );
        for (const change of changes) {
          const others = changes.filter((each) => each !== change);
          if (others.length > 0) expect(acts(of, changed(values, others))).toBe(acts(of, values));
        }
        several += changes.length > 1 ? 1 : 0;
      }
      const sets = answer.counterfactuals.map(({ changes }) =>
        changes
          .map(({ feature }) => feature)
          .sort()
          .join(),
      );
      expect(new Set(sets).size).toBe(sets.length);
    }
    expect(several).toBeGreaterThan(0);
  });
});

describe("the smallest counterfactual", () => {
  it("of boosting is the smallest of all single and double changes across thresholds, by brute force, to the rounding of its values", () => {
    for (const row of rows) {
      const values = valuesOf(row);
      const best = counterfactuals(small, values, reference, { maxChanges: 2, costPerChange: 0 }).counterfactuals[0].distance;
      const smallest = bruteForce(values);
      expect(best).toBeLessThanOrEqual(smallest + 0.02);
      expect(best).toBeGreaterThanOrEqual(smallest - 1e-8);
    }
  });

  it("of a linear model changes a single feature by exactly what is missing, to 1e-6", () => {
    const uncalibrated = { ...linear, calibration: null };
    const { estimator, preparation } = uncalibrated;
    if (estimator.kind !== "linear") throw new Error("not linear");
    const wind = preparation.columns.findIndex(({ name }) => name === "weather.wind");
    const scale = preparation.columns[wind].maps.find(({ kind }) => kind === "scale");
    if (scale?.kind !== "scale") throw new Error("not scaled");
    const row = rows[3];
    const constraints = Object.fromEntries(["weather.rain", "shop.kind", "noise.noise"].map((id) => [id, { immutable: true }]));
    const answer = counterfactuals(uncalibrated, valuesOf(row), reference, { constraints });
    const missing = Math.log(threshold / (1 - threshold)) - predict(uncalibrated, dataset, Uint32Array.of(row)).raw[0];
    const [{ from, to }] = answer.counterfactuals[0].changes;
    expect(Number(to) - Number(from)).toBeCloseTo((missing / estimator.coefficients[wind]) * scale.scale, 6);
  });
});

describe("very many thresholds", () => {
  it("are thinned, and what is found is as near as refining gets", () => {
    const stump = (at: number): Tree => ({
      feature: Int32Array.of(0, -1, -1),
      threshold: Float64Array.of(at, 0, 0),
      left: Int32Array.of(1, 0, 0),
      right: Int32Array.of(2, 0, 0),
      missingLeft: Uint8Array.of(0, 0, 0),
      value: Float64Array.of(0, -0.001, 0.001),
      cover: Float64Array.of(2, 1, 1),
    });
    const trees = Array.from({ length: 4_000 }, (_, i) => stump(-2 + i / 1_000));
    const column = { name: "weather.wind", categories: 0, source: { kind: "number", feature: 0 }, maps: [] } as const;
    const staircase: ModelPackage = {
      ...model,
      calibration: null,
      preparation: { columns: [column], encodings: [] },
      estimator: { kind: "trees", link: "logit", base: Float64Array.of(0), trees },
    };
    const [found] = counterfactuals(staircase, [-1.5, null, null, null], reference).counterfactuals;
    // Each step over a threshold adds 0.002 to the log-odds, which are 0 in the middle.
    const exact = Math.log(threshold / (1 - threshold)) / 2;
    expect(found.changes).toHaveLength(1);
    expect(Math.abs(Number(found.changes[0].to) - exact)).toBeLessThan(0.002);
  });
});

/** Tries every pair of values just beyond thresholds; trees are not scaled, so that thresholds are in the features' own units. */
function bruteForce(values: readonly FeatureValue[]): number {
  const { estimator, preparation } = small;
  if (estimator.kind !== "trees") throw new Error("no trees");
  const options = dataset.features.map((column, feature) => {
    if (column.kind === "categorical") {
      return column.categories.map((value) => ({ value: value as FeatureValue, cost: value === values[feature] ? 0 : 1 }));
    }
    const position = preparation.columns.findIndex(({ name }) => name === column.id);
    const thresholds = estimator.trees.flatMap((tree) =>
      [...tree.threshold].filter((_, node) => tree.feature[node] === position),
    );
    // The 2,000 reference rows that are taken of 2,400.
    const sampled = Float64Array.from({ length: 2_000 }, (_, i) => column.values[split.train[Math.floor(i * 1.2)]]);
    const known = sampled.filter(Number.isFinite);
    const center = median(known);
    const mad = median(known.map((x) => Math.abs(x - center)));
    const [least, most] = [Math.min(...known), Math.max(...known)];
    const from = values[feature];
    const tried = thresholds.flatMap((t) => [t, t + 1e-9]).filter((x) => x >= least && x <= most);
    return [from, ...tried].map((value) => ({
      value,
      cost: value === from ? 0 : from === null ? 1 : Math.abs(Number(value) - Number(from)) / mad,
    }));
  });
  const predictRow = createRowPredictor(small);
  const wanted = predictRow(values).prediction[0] < threshold;
  let best = Number.POSITIVE_INFINITY;
  options.forEach((first, a) => {
    options.forEach((second, b) => {
      if (b <= a) return;
      for (const one of first) {
        for (const two of second) {
          if (one.cost + two.cost >= best) continue;
          const after = values.with(a, one.value).with(b, two.value);
          if (predictRow(after).prediction[0] >= threshold === wanted) best = one.cost + two.cost;
        }
      }
    });
  });
  return best;
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const half = (sorted.length - 1) / 2;
  return sorted[Math.floor(half)] / 2 + sorted[Math.ceil(half)] / 2;
}

describe("constraints", () => {
  const answers = (options: CounterfactualOptions) =>
    rows.map((row) => counterfactuals(model, valuesOf(row), reference, options));
  const changesIn = (all: readonly CounterfactualAnswer[]) =>
    all.flatMap((answer) => answer.counterfactuals.flatMap(({ changes }) => changes));

  it("leave immutable features alone", () => {
    const found = changesIn(answers({ constraints: { "weather.wind": { immutable: true } } }));
    expect(found.length).toBeGreaterThan(0);
    expect(found.some(({ feature }) => feature === "weather.wind")).toBe(false);
  });

  it("let numbers only rise or fall, stay in bounds and go by steps", () => {
    const rule = { "weather.wind": { direction: "up", max: 1.5 }, "weather.rain": { step: 0.5, min: -2, max: 2 } } as const;
    const found = changesIn(answers({ constraints: rule }));
    const wind = found.filter(({ feature }) => feature === "weather.wind");
    const rain = found.filter(({ feature }) => feature === "weather.rain");
    expect(Math.min(wind.length, rain.length)).toBeGreaterThan(0);
    for (const { from, to } of wind) {
      expect(Number(to)).toBeGreaterThan(Number(from));
      expect(Number(to)).toBeLessThanOrEqual(1.5);
    }
    for (const { to } of rain) {
      expect(Math.abs(Number(to))).toBeLessThanOrEqual(2);
      expect(Number.isInteger(Number(to) / 0.5)).toBe(true);
    }
  });

  it("hold for what is missing, and for a row that breaks them itself", () => {
    const values = [null, null, "a", 0];
    const up = counterfactuals(model, values, reference, { constraints: { "weather.wind": { direction: "up", min: 0.5 } } });
    const wind = up.counterfactuals.flatMap(({ changes }) => changes.filter(({ feature }) => feature === "weather.wind"));
    expect(wind.length).toBeGreaterThan(0);
    for (const { to } of wind) expect(Number(to)).toBeGreaterThanOrEqual(0.5);
    const only = { immutable: true };
    const constraints = { "weather.rain": only, "shop.kind": only, "noise.noise": only, "weather.wind": { min: 1.25, max: 6 } };
    const [found] = counterfactuals(linear, [-3, 0, "c", 0], reference, { constraints }).counterfactuals;
    expect(found.changes).toMatchObject([{ feature: "weather.wind", to: 1.25 }]);
  });

  it("allow only some categories", () => {
    const only = { immutable: true };
    const constraints = { "weather.wind": only, "weather.rain": only, "noise.noise": only, "shop.kind": { values: ["b"] } };
    const found = changesIn(answers({ constraints }));
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ feature, to }) => feature === "shop.kind" && to === "b")).toBe(true);
  });

  it("may leave no way, which is said", () => {
    const constraints = Object.fromEntries(plan.features.map(({ id }) => [id, { immutable: true }]));
    const answer = counterfactuals(model, valuesOf(rows[0]), reference, { constraints });
    expect(answer).toMatchObject({ outcome: "none-within-limits", counterfactuals: [], changeable: [] });
  });

  it("that contradict themselves or fit no feature are refused", () => {
    const code = (name: string) => expect.objectContaining({ code: name });
    const ask = (constraints: CounterfactualOptions["constraints"]) => () =>
      counterfactuals(model, valuesOf(rows[0]), reference, constraints === undefined ? {} : { constraints });
    expect(ask({ "weather.snow": {} })).toThrow(code("EXPLAIN_FEATURE_UNKNOWN"));
    expect(ask({ "weather.wind": { min: 2, max: 1 } })).toThrow(code("EXPLAIN_CONSTRAINT_INVALID"));
    expect(ask({ "weather.wind": { step: 0 } })).toThrow(code("EXPLAIN_CONSTRAINT_INVALID"));
    expect(ask({ "weather.wind": { min: Number.NaN } })).toThrow(code("EXPLAIN_CONSTRAINT_INVALID"));
    expect(ask({ "weather.wind": { values: ["a"] } })).toThrow(code("EXPLAIN_CONSTRAINT_INVALID"));
    expect(ask({ "shop.kind": { direction: "up" } })).toThrow(code("EXPLAIN_CONSTRAINT_INVALID"));
  });
});

describe("features computed from others", () => {
  const derived: ModelPackage = {
    ...model,
    plan: {
      ...plan,
      features: plan.features.map((feature) =>
        feature.id === "weather.rain" ? { ...feature, origin: { kind: "on-demand", name: "rain" } } : feature,
      ),
      onDemand: [
        {
          name: "rain",
          inputs: [{ name: "wind", id: "weather.wind", type: "float64" }],
          request: {},
          returns: "float64",
          code: "",
          sha256: "",
        },
      ],
    },
  };

  it("stay, and so does what they are computed from, unless they can be computed again", () => {
    const answer = counterfactuals(derived, valuesOf(rows[1]), reference);
    expect(answer.changeable).toEqual(["shop.kind", "noise.noise"]);
  });

  it("follow what they are computed from", () => {
    const recompute = (values: readonly FeatureValue[]) => values.with(1, 2 * Number(values[0]));
    for (const row of rows.slice(0, 6)) {
      const values = recompute(valuesOf(row));
      const answer = counterfactuals(derived, values, reference, { recompute });
      expect(answer.changeable).not.toContain("weather.rain");
      for (const { changes, prediction } of answer.counterfactuals) {
        const after = recompute(changed(values, changes));
        expect(probability(derived, after)).toBeCloseTo(prediction, 12);
        expect(acts(derived, after)).toBe(!acts(derived, values));
      }
    }
  });
});

describe("other tasks", () => {
  const wind = dataset.features[0].kind === "numeric" ? dataset.features[0].values : new Float64Array(0);

  it("values reach a goal", () => {
    const regression: Dataset = { ...dataset, task: "regression", label: wind.map((w) => 3 * w + 1) };
    const options = { ...trainingOptions(linearRegression({ alpha: 0 })), select: "rmse" } as const;
    const amounts = trainCandidate(regression, split, options).package;
    const at = { dataset: regression, rows: split.train };
    const values = valuesOf(rows[0]);
    const goal = { kind: "at-least", value: probability(amounts, values) + 1.5 } as const;
    const answer = counterfactuals(amounts, values, at, { goal });
    const [{ feature, from, to }] = answer.counterfactuals[0].changes;
    expect(feature).toBe("weather.wind");
    expect(Number(to) - Number(from)).toBeCloseTo(0.5, 4);
    expect(counterfactuals(amounts, values, at, { goal: { kind: "below", value: 1e9 } }).outcome).toBe("already");
    expect(() => counterfactuals(amounts, values, at)).toThrow(expect.objectContaining({ code: "EXPLAIN_GOAL_INVALID" }));
  });

  it("of several classes the wanted one becomes the most likely", () => {
    const label = Int32Array.from(wind, (w) => (w < -0.5 ? 0 : w < 0.5 ? 1 : 2));
    const several: Dataset = { ...dataset, task: "multiclass", classes: ["low", "middle", "high"], label };
    const options = { ...trainingOptions(randomForest({ trees: 10, maxDepth: 4 })), select: "log_loss" } as const;
    const classes = trainCandidate(several, split, options).package;
    const at = { dataset: several, rows: split.train };
    const values = valuesOf(rows.find((row) => label[row] === 0) ?? 0);
    const answer = counterfactuals(classes, values, at, { toClass: "high" });
    expect(answer.goal).toEqual({ kind: "class", name: "high" });
    for (const { changes } of answer.counterfactuals) {
      const [low, middle, high] = createRowPredictor(classes)(changed(values, changes)).prediction;
      expect(high).toBeGreaterThan(Math.max(low, middle));
    }
    expect(counterfactuals(classes, values, at).goal).toEqual({ kind: "class", name: "middle" });
    expect(() => counterfactuals(classes, values, at, { toClass: "enormous" })).toThrow(
      expect.objectContaining({ code: "EXPLAIN_GOAL_INVALID" }),
    );
  });
});

describe("bad input", () => {
  const code = (name: string) => expect.objectContaining({ code: name });

  it("is refused with a code: other features, no reference rows, the rule", () => {
    expect(() => counterfactuals(model, [1, 2], reference)).toThrow(code("EXPLAIN_FEATURES_MISMATCH"));
    expect(() => counterfactuals(model, valuesOf(0), { dataset, rows: new Uint32Array(0) })).toThrow(code("EXPLAIN_NO_ROWS"));
    const rule = { ...model, estimator: { kind: "rule", condition: "x" } } as const;
    expect(() => counterfactuals(rule, valuesOf(0), reference)).toThrow(code("TRAIN_RULE_NOT_SERVABLE"));
  });

  it("has an answer: everything missing, huge values, a category that nobody has seen, a model that says the same of all", () => {
    for (const values of [
      [null, null, null, null],
      [1e300, -1e300, "never seen", 1e-300],
      [Number.POSITIVE_INFINITY, Number.NaN, "a", 0],
    ]) {
      const answer = counterfactuals(model, values, reference);
      expect(answer.outcome).toBe("found");
      for (const { changes } of answer.counterfactuals) {
        expect(acts(model, changed(values, changes))).toBe(!acts(model, values));
      }
    }
    const constant = { ...model, estimator: { kind: "baseline", link: "logit", output: Float64Array.of(0) } } as const;
    expect(counterfactuals(constant, valuesOf(0), reference).outcome).toBe("none-within-limits");
  });

  it("is one reference row, or a feature that is the same in all or missing in all", () => {
    const same = dataset.features.map((column, index) =>
      column.kind === "numeric"
        ? { ...column, values: new Float64Array(dataset.rows).fill(index === 0 ? 1 : Number.NaN) }
        : column,
    );
    const flat = { dataset: { ...dataset, features: same }, rows: split.train };
    for (const odd of [flat, { dataset, rows: split.train.subarray(0, 1) }]) {
      const { outcome, counterfactuals: found } = counterfactuals(model, valuesOf(rows[2]), odd);
      expect(["found", "none-within-limits"]).toContain(outcome);
      for (const { changes } of found)
        expect(acts(model, changed(valuesOf(rows[2]), changes))).toBe(!acts(model, valuesOf(rows[2])));
    }
  });
});
