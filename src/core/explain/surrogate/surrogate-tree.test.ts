import { describe, expect, it } from "vitest";
import { logisticRegression, randomForest } from "../../definitions/index.ts";
import { type Dataset, type ModelPackage, predict, trainCandidate } from "../../training/index.ts";
import { syntheticDataset, syntheticSplit, trainingOptions, trainOn } from "../explain.fixture.ts";
import { everyRow, takeRows } from "../sample-rows.ts";
import { surrogateTree } from "./surrogate-tree.ts";

const dataset = syntheticDataset(5_000);
const split = syntheticSplit(dataset);
const model = trainOn(dataset).package;
const code = (name: string) => expect.objectContaining({ code: name });

/** Whether a row is in a rule, by reading its words. */
function isIn(when: string, of: Dataset, row: number): boolean {
  if (when === "always") return true;
  return when.split(" and ").every((part) => {
    const condition = part.replace(/^\(|( or it is missing)?\)$/g, "");
    const id = /[a-z]+\.[a-z]+/.exec(condition)?.[0] ?? "";
    const column = of.features.find((feature) => feature.id === id);
    if (column === undefined) throw new Error(`no feature in ${part}`);
    const isMissing = column.kind === "numeric" ? Number.isNaN(column.values[row]) : column.codes[row] < 0;
    if (isMissing) return part.includes("is missing");
    if (column.kind === "categorical") {
      return condition
        .replace(`${id} is `, "")
        .split(/, | or /)
        .includes(column.categories[column.codes[row]]);
    }
    const value = column.values[row];
    const above = /^(-?\d\S*) </.exec(condition)?.[1] ?? /> (\S+)$/.exec(condition)?.[1] ?? "-Infinity";
    const upTo = /<= (\S+)$/.exec(condition)?.[1] ?? "Infinity";
    return value > Number(above) && value <= Number(upTo);
  });
}

describe("a surrogate tree", () => {
  const found = surrogateTree(model, dataset, split.train);
  const sample = takeRows(dataset, split.train);
  const predicted = predict(model, sample, everyRow(sample)).prediction;

  it("is rules that can be read, as they stand, over every row exactly once", () => {
    const counts = found.rules.map(() => 0);
    for (let row = 0; row < sample.rows; row++) {
      const matching = found.rules.flatMap(({ when }, i) => (isIn(when, sample, row) ? [i] : []));
      expect(matching).toHaveLength(1);
      counts[matching[0]] += 1;
    }
    found.rules.forEach(({ share }, i) => {
      expect(share).toBeCloseTo(counts[i] / sample.rows, 12);
    });
    expect(found.rules.length).toBeLessThanOrEqual(8);
    expect(found.depth).toBeLessThanOrEqual(3);
  });

  it("predicts what the model predicts for the rows of a rule, on average", () => {
    for (const { when, predicts, share } of found.rules) {
      const rows = [...predicted.keys()].filter((row) => isIn(when, sample, row));
      const mean = rows.reduce((sum, row) => sum + predicted[row], 0) / rows.length;
      // The mean is over the grown part of them.
      expect(Math.abs(Number(predicts) - mean)).toBeLessThan(0.05);
      expect(share).toBeGreaterThanOrEqual(0.01);
    }
  });

  it("says how faithful it is on other rows, and beside always the same answer", () => {
    const { r2, agreement, agreementOfConstant } = found.fidelity;
    expect(found.rows.grown + found.rows.held).toBe(sample.rows);
    expect(r2).toBeGreaterThan(0.6);
    expect(r2).toBeLessThan(1);
    expect(agreement).toBeGreaterThan(agreementOfConstant ?? 1);
    expect(found.limits.join(" ")).toContain(`${(100 * (r2 ?? 0)).toFixed(1)}%`);
    const shallow = surrogateTree(model, dataset, split.train, { maxDepth: 1 });
    expect(shallow.fidelity.r2).toBeLessThan(r2 ?? 0);
    expect(shallow.rules).toHaveLength(2);
  });

  it("is nearly the model itself where that is a small tree", () => {
    const tree = trainOn(
      dataset,
      randomForest({ trees: 1, maxDepth: 2, bootstrap: false, maxFeatures: "all", minLeafRows: 200 }),
    );
    const { fidelity, rules } = surrogateTree(tree.package, dataset, split.train, { maxDepth: 2 });
    expect(fidelity.r2).toBeGreaterThan(0.995);
    expect(fidelity.agreement).toBeGreaterThan(0.995);
    expect(rules).toHaveLength(4);
  });

  it("names the frequent of many categories, and the rarer ones as one", () => {
    const codes = Int32Array.from({ length: dataset.rows }, (_, row) => (row % 2 === 0 ? row % 6 : 6 + (row % 60)));
    const categories = Array.from({ length: 70 }, (_, code) => `city ${code}`);
    const many: Dataset = {
      ...dataset,
      features: dataset.features.with(2, { kind: "categorical", id: "shop.kind", codes, categories }),
      label: Uint8Array.from(codes, (code, row) => (code < 6 === row % 7 > 0 ? 1 : 0)),
    };
    const of = trainCandidate(many, split, trainingOptions()).package;
    const { rules, fidelity } = surrogateTree(of, many, split.train);
    expect(rules.some(({ when }) => /city 0.*|any of \d+ rarer ones/.test(when))).toBe(true);
    expect(Math.max(...rules.map(({ when }) => when.split("city").length - 1))).toBeLessThanOrEqual(8);
    expect(fidelity.agreement).toBeGreaterThan(0.9);
  });

  it("gives the same rules for the same seed", () => {
    expect(surrogateTree(model, dataset, split.train, { seed: 4 })).toEqual(
      surrogateTree(model, dataset, split.train, { seed: 4 }),
    );
  });
});

describe("a surrogate of other tasks", () => {
  const wind = dataset.features[0].kind === "numeric" ? dataset.features[0].values : new Float64Array(0);

  it("names the class that the model says", () => {
    const label = Int32Array.from(wind, (w) => (w < -0.5 ? 0 : w < 0.5 ? 1 : 2));
    const several: Dataset = { ...dataset, task: "multiclass", classes: ["low", "middle", "high"], label };
    const options = { ...trainingOptions(logisticRegression()), select: "log_loss" } as const;
    const classes = trainCandidate(several, split, options).package;
    const { rules, fidelity } = surrogateTree(classes, several, split.train);
    expect(new Set(rules.map(({ predicts }) => predicts))).toEqual(new Set(["low", "middle", "high"]));
    expect(fidelity.r2).toBeNull();
    expect(fidelity.agreement).toBeGreaterThan(0.9);
  });

  it("of values has no agreement, only the variance explained", () => {
    const regression: Dataset = { ...dataset, task: "regression", label: wind.map((w) => 3 * w) };
    const options = { ...trainingOptions(randomForest({ trees: 5 })), select: "rmse" } as const;
    const amounts = trainCandidate(regression, split, options).package;
    const { fidelity } = surrogateTree(amounts, regression, split.train, { maxDepth: 4 });
    expect(fidelity).toMatchObject({ agreement: null, agreementOfConstant: null });
    expect(fidelity.r2).toBeGreaterThan(0.9);
  });
});

describe("bad input", () => {
  it("is refused with a code", () => {
    expect(() => surrogateTree(model, dataset, split.train, { maxDepth: 5 })).toThrow(code("EXPLAIN_DEPTH_INVALID"));
    expect(() => surrogateTree(model, dataset, new Uint32Array(0))).toThrow(code("EXPLAIN_NO_ROWS"));
    const fewer = { ...dataset, features: dataset.features.slice(1) };
    expect(() => surrogateTree(model, fewer, split.train)).toThrow(code("EXPLAIN_FEATURES_MISMATCH"));
  });

  it("has an answer: a model that says the same of all, one row, features that are empty but for one", () => {
    const constant: ModelPackage = { ...model, estimator: { kind: "baseline", link: "logit", output: Float64Array.of(0) } };
    const flat = surrogateTree(constant, dataset, split.train);
    expect(flat.rules).toMatchObject([{ when: "always", share: 1 }]);
    expect(flat.fidelity).toMatchObject({ r2: null, agreement: 1 });
    expect(surrogateTree(model, dataset, split.train.subarray(0, 1)).rules).toHaveLength(1);
    const empty = dataset.features.map((column, index) =>
      column.kind === "numeric" && index > 0 ? { ...column, values: new Float64Array(dataset.rows).fill(Number.NaN) } : column,
    );
    const { rules } = surrogateTree(model, { ...dataset, features: empty }, split.train);
    expect(rules.every(({ when }) => !when.includes("rain"))).toBe(true);
  });

  it("is explained through missing values, where those decide", () => {
    const rain = Float64Array.from({ length: dataset.rows }, (_, row) => (row % 2 === 0 ? Number.NaN : wet(row)));
    const holes: Dataset = {
      ...dataset,
      label: Uint8Array.from(rain, (value, row) => (Number.isNaN(value) === row % 10 > 0 ? 1 : 0)),
      features: dataset.features.with(1, { kind: "numeric", id: "weather.rain", values: rain }),
    };
    const of = trainCandidate(holes, split, trainingOptions()).package;
    const { rules } = surrogateTree(of, holes, split.train);
    expect(rules.some(({ when }) => when.includes("missing"))).toBe(true);
  });
});

const wet = (row: number): number => Math.sin(row);
