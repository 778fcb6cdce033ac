import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { goldenData, numericColumns } from "../../../../test/fixtures/golden-data.ts";
import { binaryRows, goldenMetrics, relativeError, rowWeights } from "../../../../test/fixtures/golden-metrics.ts";
import type { MetricName } from "../../definitions/index.ts";
import { fBeta } from "./confusion.ts";
import { type Decision, METRIC_NAMES, metricValues, scoreRows } from "./metrics.ts";

const payoff = { truePositive: 80, falsePositive: -25, falseNegative: -60, trueNegative: 1 };
const decision: Decision = { threshold: 0.5, payoff: { truePositive: 10, falsePositive: -5, falseNegative: -2 } };
const valuesFor = (labels: number[], probabilities: number[], at = decision) =>
  metricValues(scoreRows(Uint8Array.from(labels), Float64Array.from(probabilities), new Int32Array(labels.length), at));

function expectFigures(values: Partial<Record<MetricName, number>>, expected: Readonly<Record<string, number>>) {
  expect(Object.keys(values).sort()).toEqual(Object.keys(expected).sort());
  for (const name of METRIC_NAMES) expect(relativeError(values[name], expected[name]), name).toBeLessThan(1e-12);
}

describe("metrics", () => {
  it.each(goldenMetrics.binary)(
    "equal scikit-learn's to 1e-12 ($rows rows, $steps steps, weights $weights)",
    ({ seed, rows, steps, weights, threshold, metrics }) => {
      const { labels, scores } = binaryRows(seed, rows, steps);
      const own = rowWeights(seed, rows, weights);
      expectFigures(metricValues(scoreRows(labels, scores, new Int32Array(rows), { threshold, payoff }, own)), metrics);
    },
  );

  it("equal scikit-learn's to 1e-12 on tumours, told by their radius", () => {
    const data = goldenData("breast_cancer");
    const [radius] = numericColumns(data);
    const labels = Uint8Array.from(data.target, (benign) => 1 - benign);
    const { metrics, threshold } = goldenMetrics.breastCancer;
    const probabilities = radius.map((each) => each / 30);
    expectFigures(metricValues(scoreRows(labels, probabilities, new Int32Array(data.rows), { threshold, payoff })), metrics);
  });

  it("are the same when rows are permuted, and when a row stands twice instead of having weight 2", () => {
    const rows = fc.array(
      fc.record({
        label: fc.integer({ min: 0, max: 1 }),
        p: fc.integer({ min: 0, max: 9 }),
        weight: fc.integer({ min: 0, max: 3 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    const measured = (given: { label: number; p: number; weight: number }[], weights?: Float64Array) =>
      metricValues(
        scoreRows(
          Uint8Array.from(given, ({ label }) => label),
          Float64Array.from(given, ({ p }) => p / 9),
          new Int32Array(given.length),
          decision,
          weights,
        ),
      );
    fc.assert(
      fc.property(rows, fc.func(fc.integer()), (given, key) => {
        const weighted = measured(
          given,
          Float64Array.from(given, ({ weight }) => weight),
        );
        const written = measured(given.flatMap((row) => Array(row.weight).fill(row)));
        const permuted = given
          .map((row, i) => ({ row, at: key(i) }))
          .sort((a, b) => a.at - b.at)
          .map(({ row }) => row);
        const reordered = measured(
          permuted,
          Float64Array.from(permuted, ({ weight }) => weight),
        );
        for (const other of [written, reordered]) {
          expect(Object.keys(other)).toEqual(Object.keys(weighted));
          for (const name of METRIC_NAMES) {
            const value = weighted[name];
            if (value !== undefined) expect(relativeError(other[name], value), name).toBeLessThan(1e-12);
          }
        }
      }),
    );
  });

  it("measures one metric alone as it measures it among all", () => {
    const { labels, scores } = binaryRows(3, 200, 10);
    const scored = scoreRows(labels, scores, new Int32Array(200), decision);
    const all = metricValues(scored);
    for (const name of METRIC_NAMES) expect(metricValues(scored, null, name)[name]).toBe(all[name]);
  });

  it("leaves ranking metrics out with one class, and precision where nothing is predicted positive", () => {
    expect(valuesFor([0, 0], [0.2, 0.4])).not.toHaveProperty("roc_auc");
    expect(valuesFor([0, 0], [0.2, 0.4])).not.toHaveProperty("recall");
    expect(valuesFor([1, 1], [0.9, 0.8])).not.toHaveProperty("pr_auc");
    for (const name of ["ks", "mcc", "kappa", "balanced_accuracy", "specificity"]) {
      expect(valuesFor([1, 1], [0.9, 0.8])).not.toHaveProperty(name);
    }
    const nothingPredicted = valuesFor([0, 1], [0.2, 0.4]);
    expect(nothingPredicted).not.toHaveProperty("precision");
    expect(nothingPredicted).not.toHaveProperty("mcc");
    expect(nothingPredicted).toMatchObject({ recall: 0, f1: 0, roc_auc: 1, kappa: 0 });
  });

  it("are all absent for no rows, and for rows that count nothing", () => {
    expect(valuesFor([], [])).toEqual({});
    expect(
      metricValues(scoreRows(Uint8Array.of(0, 1), Float64Array.of(0.1, 0.9), new Int32Array(2), decision, new Float64Array(2))),
    ).toEqual({});
  });

  it("are defined for a single row as far as one row tells", () => {
    expect(valuesFor([1], [0.8])).toMatchObject({ accuracy: 1, f1: 1, payoff_per_decision: 10 });
  });

  it("clips certain and wrong probabilities in log loss instead of answering infinity", () => {
    expect(valuesFor([1, 0], [0, 1]).log_loss).toBeCloseTo(-Math.log(2 ** -52), 10);
  });

  it("acts from the threshold on, and pays a true negative nothing unless told", () => {
    // One true positive at the threshold exactly, one false positive, one false negative, one true negative.
    expect(valuesFor([1, 0, 1, 0], [0.5, 0.6, 0.4, 0.3]).payoff_per_decision).toBe((10 - 5 - 2) / 4);
  });

  it("refuse lengths that differ, labels other than 0 and 1, weights below 0 and numbers that are no probabilities", () => {
    const invalid = expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" });
    expect(() => valuesFor([1], [])).toThrow(invalid);
    expect(() => valuesFor([2], [0.5])).toThrow(invalid);
    for (const wrong of [Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY]) {
      expect(() => valuesFor([1], [wrong])).toThrow(invalid);
    }
    for (const weight of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const scored = () =>
        scoreRows(Uint8Array.of(1), Float64Array.of(0.5), new Int32Array(1), decision, Float64Array.of(weight));
      expect(scored).toThrow(invalid);
    }
    expect(() => fBeta({ truePositives: 1, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 }, -1)).toThrow(
      expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" }),
    );
  });
});
