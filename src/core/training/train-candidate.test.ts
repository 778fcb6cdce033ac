import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  categoricalColumn,
  datasetOf,
  flightsLike,
  numericColumn,
  START,
  trainingOptions,
  uniform,
} from "../../../test/fixtures/training-data.ts";
import {
  baseline,
  byTime,
  type CandidateDefinition,
  gradientBoosting,
  logisticRegression,
  type ThresholdGoal,
} from "../definitions/index.ts";
import type { FeatureValue } from "../features/index.ts";
import { DAY } from "../time.ts";
import type { Dataset } from "./dataset.ts";
import { evaluatePredictions } from "./evaluate-candidate.ts";
import type { Evaluation } from "./model.ts";
import { createPredictor, predict } from "./predict.ts";
import { featuresOf } from "./preparation/fitted-preparation.ts";
import { splitByTime } from "./splits/split-by-time.ts";
import { selectCandidate, trainCandidate } from "./train-candidate.ts";

const dataset = flightsLike(3_000);
const LATER = START + 1_000 * DAY;
const split = splitByTime(dataset, byTime({ test: "10d", validation: "20d" }), LATER);
const boosting = gradientBoosting({ trees: 30, leaves: 8 });
const rule: CandidateDefinition = { kind: "rule", name: "rule" };
const train = (candidate: CandidateDefinition, on: Dataset = dataset, exclude: readonly string[] = []) =>
  trainCandidate(on, on === dataset ? split : splitByTime(on, byTime({ test: "10d", validation: "20d" }), LATER), {
    ...trainingOptions(on, candidate),
    exclude,
  });
const valuesOf = (on: Dataset, row: number): FeatureValue[] =>
  on.features.map((feature) => {
    if (feature.kind === "numeric") return Number.isNaN(feature.values[row]) ? null : feature.values[row];
    return feature.codes[row] < 0 ? null : (feature.categories[feature.codes[row]] ?? null);
  });
const rocAuc = ({ selection }: { selection: Evaluation }) => selection.metrics.roc_auc?.value ?? Number.NaN;

describe("trainCandidate", () => {
  it("learns what there is to learn: both models beat rule and baseline", () => {
    const [none, simple, linear, trees] = [baseline(), rule, logisticRegression(), boosting].map((candidate) => train(candidate));
    expect(rocAuc(none)).toBe(0.5);
    expect(rocAuc(simple)).toBeGreaterThan(0.55);
    expect(rocAuc(linear)).toBeGreaterThan(rocAuc(simple) + 0.03);
    expect(rocAuc(trees)).toBeGreaterThan(rocAuc(simple) + 0.03);
    expect(trees.selection.rows).toBe(split.select.length);
  });

  it("gives the same package for the same seed and says what it was made of", () => {
    const first = train(boosting);
    expect(train(boosting)).toEqual(first);
    expect(first.package).toMatchObject({
      formatVersion: 2,
      model: "late-arrival",
      candidate: boosting,
      trainedAt: START + 100 * DAY,
      labelCutoff: split.labelCutoff,
      trainingRows: split.train.length,
      snapshots: { flights: "snap-1" },
      seed: 1,
      decision: { threshold: 0.5 },
    });
    expect(first.history.length).toBeGreaterThan(1);
    expect(first.calibrationCurve.reduce((rows, bin) => rows + bin.rows, 0)).toBe(split.select.length);
  });

  it("calibrates models, and leaves baseline and rule as they are", () => {
    expect(train(boosting).package.calibration).not.toBeNull();
    expect(train(logisticRegression()).package.calibration).not.toBeNull();
    expect(train(baseline()).package.calibration).toBeNull();
    expect(train(rule).package).toMatchObject({ calibration: null, estimator: { condition: "weather.wind > 30" } });
  });

  it("does not look at the test part", () => {
    const spoiled = { ...dataset, label: dataset.label.slice() };
    for (const row of split.test) spoiled.label[row] = 1 - spoiled.label[row];
    const [other] = [trainCandidate(spoiled, split, trainingOptions(spoiled, boosting))];
    expect(other).toEqual(train(boosting));
  });

  it("leaves excluded features out of the preparation and in the plan", () => {
    const without = train(boosting, dataset, ["weather.wind"]);
    expect(without.package.plan.features).toHaveLength(3);
    expect(without.package.preparation.columns.flatMap(featuresOf).includes(0)).toBe(false);
    expect(rocAuc(without)).toBeLessThan(rocAuc(train(boosting)) - 0.05);
    const { score } = createPredictor(without.package)([1, "UA", 0.5]);
    expect(createPredictor(without.package)([999, "UA", 0.5]).score).toBe(score);
  });

  it("reports progress up to the end", () => {
    const seen: number[] = [];
    trainCandidate(dataset, split, trainingOptions(dataset, boosting), ({ candidate, done }) => {
      expect(candidate).toBe("gradient-boosting");
      seen.push(done);
    });
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it("trains on columns that are constant, empty or infinite beside one that is not", () => {
    const draw = uniform(9);
    const x = Float64Array.from({ length: 3_000 }, draw);
    const odd = datasetOf({
      features: [
        numericColumn("a.constant", new Float64Array(3_000).fill(4)),
        numericColumn("a.empty", new Float64Array(3_000).fill(Number.NaN)),
        numericColumn(
          "a.infinite",
          x.map((value) => (value > 0.5 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY)),
        ),
        categoricalColumn("a.nothing", new Array(3_000).fill(null)),
        numericColumn("a.x", x),
      ],
      label: Uint8Array.from(x, (value) => (draw() < value ? 1 : 0)),
    });
    for (const candidate of [boosting, logisticRegression()]) {
      const trained = train(candidate, odd);
      expect(rocAuc(trained)).toBeGreaterThan(0.7);
      for (const values of [
        [4, null, null, null, 0.5],
        [5, 1, Number.POSITIVE_INFINITY, "new", Number.NaN],
      ]) {
        const { score, probability } = createPredictor(trained.package)(values);
        expect(Number.isFinite(score)).toBe(true);
        expect(probability).toBeGreaterThan(0);
        expect(probability).toBeLessThan(1);
      }
    }
  });

  it("refuses training rows of one class, and a ranking metric on a selection part of one class", () => {
    const negative = { ...dataset, label: new Uint8Array(dataset.rows) };
    const refuse = (on: Dataset) => () => trainCandidate(on, split, trainingOptions(on, baseline()));
    expect(refuse(negative)).toThrow(expect.objectContaining({ code: "TRAIN_ONE_CLASS" }));
    const label = dataset.label.slice();
    for (const row of split.select) label[row] = 0;
    expect(refuse({ ...dataset, label })).toThrow(expect.objectContaining({ message: expect.stringContaining("select part") }));
  });
});

describe("baselines", () => {
  const balanced = { classWeights: "balanced" as const };

  it("say what the rows say, whatever the candidates weigh them by", () => {
    const plain = train(baseline()).package.estimator;
    const weighted = trainCandidate(dataset, split, { ...trainingOptions(dataset, baseline()), ...balanced }).package.estimator;
    expect(weighted).toEqual(plain);
    const learnt = (options: object) =>
      trainCandidate(dataset, split, { ...trainingOptions(dataset, logisticRegression()), ...options }).package.estimator;
    expect(learnt(balanced)).not.toEqual(learnt({}));
  });

  it("are calibrated where they tell rows apart", () => {
    expect(train(baseline()).package.calibration).toBeNull();
    expect(train(baseline("best-feature")).package.calibration).not.toBeNull();
  });
});

describe("a chosen threshold", () => {
  const payoff = { truePositive: 60, falsePositive: -40, falseNegative: -20 };
  const choosing = (goal: ThresholdGoal) =>
    trainCandidate(dataset, split, {
      ...trainingOptions(dataset, logisticRegression()),
      decision: { threshold: 0.5, payoff, goal },
    });

  it("is each candidate's own, for the goal, and travels with the model", () => {
    const { package: model, selection } = choosing({ kind: "payoff" });
    expect(selection.threshold).toBe(model.decision.threshold);
    const fixed = { ...model, decision: { ...model.decision, threshold: 0.9 } };
    const paid = (of: typeof model) =>
      evaluatePredictions(dataset, split.calibrate, predict(of, dataset, split.calibrate).prediction, of.decision, {
        resamples: 0,
      }).metrics.payoff_per_decision?.value ?? Number.NaN;
    expect(paid(model)).toBeGreaterThan(paid(fixed));
    expect(choosing({ kind: "share", share: 0.1 }).package.decision.threshold).toBeGreaterThan(model.decision.threshold);
  });

  it("is not asked of the rule, which acts by itself", () => {
    const { package: rulePackage } = trainCandidate(dataset, split, {
      ...trainingOptions(dataset, rule),
      decision: { threshold: 0.5, payoff, goal: { kind: "payoff" } },
    });
    expect(rulePackage.decision.threshold).toBe(0.5);
  });
});

describe("a forest's shares", () => {
  it("stay probabilities where their sum passes 1 by rounding", () => {
    const { package: model } = train(logisticRegression());
    const leaf = (value: number) => ({
      feature: Int32Array.of(-1),
      threshold: Float64Array.of(0),
      left: Int32Array.of(-1),
      right: Int32Array.of(-1),
      missingLeft: Uint8Array.of(0),
      value: Float64Array.of(value),
      cover: Float64Array.of(1),
    });
    const trees = Array.from({ length: 100 }, () => leaf(0.01));
    const forest = {
      ...model,
      calibration: null,
      estimator: { kind: "trees" as const, link: "identity" as const, base: new Float64Array(1), trees },
    };
    expect(trees.reduce((sum, { value }) => sum + value[0], 0)).toBeGreaterThan(1);
    expect(predict(forest, dataset, split.test).prediction[0]).toBe(1);
    expect(createPredictor(forest)(valuesOf(dataset, 0)).probability).toBe(1);
  });
});

describe("prediction", () => {
  it.each([baseline(), logisticRegression(), boosting])("of one row is that of a batch, to 1e-12 ($name)", (candidate) => {
    const { package: model } = train(candidate);
    const rows = Uint32Array.from({ length: 300 }, (_, i) => i * 10);
    const { raw, prediction } = predict(model, dataset, rows);
    const predictor = createPredictor(model);
    rows.forEach((row, i) => {
      const single = predictor(valuesOf(dataset, row));
      expect(Math.abs(single.score - raw[i])).toBeLessThan(1e-12);
      expect(Math.abs(single.probability - prediction[i])).toBeLessThan(1e-12);
    });
  });

  it("answers for any values of the right types: unseen categories, missing, huge", () => {
    const predictors = [logisticRegression(), boosting].map((candidate) => createPredictor(train(candidate).package));
    const number = fc.option(fc.oneof(fc.double(), fc.integer()));
    fc.assert(
      fc.property(number, fc.option(fc.string()), number, (wind, carrier, noise) => {
        for (const predictor of predictors) {
          const { probability } = predictor([wind, carrier, noise]);
          expect(probability).toBeGreaterThanOrEqual(0);
          expect(probability).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("of the rule is its 0 or 1, with finite log-odds, and only in a batch", () => {
    const { package: model } = train(rule);
    const { raw, prediction } = predict(model, dataset, split.test);
    expect([...prediction]).toEqual(Array.from(split.test, (row) => dataset.rule[row]));
    expect(raw.every(Number.isFinite)).toBe(true);
    expect(() => createPredictor(model)).toThrow(expect.objectContaining({ code: "TRAIN_RULE_NOT_SERVABLE" }));
  });

  it("refuses a dataset with other features", () => {
    const { package: model } = train(baseline());
    const other = { ...dataset, features: dataset.features.toReversed() };
    expect(() => predict(model, other, split.test)).toThrow(expect.objectContaining({ code: "TRAIN_FEATURES_DIFFER" }));
  });
});

describe("selectCandidate", () => {
  const result = (name: string, metrics: Record<string, number>) => ({
    name,
    selection: {
      rows: 1,
      positives: 1,
      days: 1,
      threshold: 0.5,
      metrics: Object.fromEntries(Object.entries(metrics).map(([metric, value]) => [metric, { value, low: value, high: value }])),
    },
  });
  const results = [
    result("a", { roc_auc: 0.7, log_loss: 0.5 }),
    result("b", { roc_auc: 0.8, log_loss: 0.6 }),
    result("c", { roc_auc: 0.8 }),
  ];

  it("takes the highest ranking metric or the lowest loss, and of equals the first", () => {
    expect(selectCandidate(results, "roc_auc").name).toBe("b");
    expect(selectCandidate(results, "log_loss").name).toBe("a");
  });

  it("refuses when none has the metric", () => {
    for (const candidates of [[], results]) {
      expect(() => selectCandidate(candidates, "pr_auc")).toThrow(expect.objectContaining({ code: "TRAIN_NO_CANDIDATE" }));
    }
  });
});
