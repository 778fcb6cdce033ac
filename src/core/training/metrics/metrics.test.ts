import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import type { MetricName } from "../../definitions/index.ts";
import { type Decision, metricValues, scoreRows } from "./metrics.ts";

interface MetricsCase extends Decision {
  readonly seed: number;
  readonly rows: number;
  readonly steps: number;
  readonly metrics: Record<MetricName, number>;
}
// Written by test/golden/make-training-metrics.py, with the versions of numpy and scikit-learn in it.
const golden: { metrics: MetricsCase[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/training-metrics.json", import.meta.url), "utf8"),
);

const decision: Decision = { threshold: 0.5, payoff: { truePositive: 10, falsePositive: -5, falseNegative: -2 } };
const valuesFor = (labels: number[], probabilities: number[], at = decision) =>
  metricValues(scoreRows(Uint8Array.from(labels), Float64Array.from(probabilities), new Int32Array(labels.length), at));

describe("metrics", () => {
  it.each(golden.metrics)("equal scikit-learn's to 1e-12 ($rows rows, $steps steps)", ({ seed, rows, steps, metrics, ...at }) => {
    const draw = uniform(seed);
    const labels: number[] = [];
    const probabilities: number[] = [];
    for (let row = 0; row < rows; row++) {
      const value = draw();
      probabilities.push(steps > 0 ? Math.floor(value * steps) / steps : value);
      labels.push(draw() < value * value ? 1 : 0);
    }
    const values = valuesFor(labels, probabilities, at);
    for (const [name, expected] of Object.entries(metrics)) {
      const value = values[name as MetricName];
      expect(Math.abs((value ?? Number.NaN) - expected), name).toBeLessThan(1e-12 * Math.max(1, Math.abs(expected)));
    }
  });

  it("roc_auc is the share of pairs in the right order, ties counting half", () => {
    const scored = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 5 })), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(scored, (rows) => {
        const positives = rows.filter(([label]) => label === 1);
        const negatives = rows.filter(([label]) => label === 0);
        fc.pre(positives.length > 0 && negatives.length > 0);
        let ordered = 0;
        for (const [, p] of positives) for (const [, n] of negatives) ordered += p > n ? 1 : p === n ? 0.5 : 0;
        const value = valuesFor(
          rows.map(([label]) => label),
          rows.map(([, score]) => score / 5),
        ).roc_auc;
        expect(value).toBeCloseTo(ordered / (positives.length * negatives.length), 12);
      }),
    );
  });

  it("leaves ranking metrics out with one class, and precision where nothing is predicted positive", () => {
    expect(valuesFor([0, 0], [0.2, 0.4])).not.toHaveProperty("roc_auc");
    expect(valuesFor([0, 0], [0.2, 0.4])).not.toHaveProperty("recall");
    expect(valuesFor([1, 1], [0.9, 0.8])).not.toHaveProperty("pr_auc");
    const nothingPredicted = valuesFor([0, 1], [0.2, 0.4]);
    expect(nothingPredicted).not.toHaveProperty("precision");
    expect(nothingPredicted).toMatchObject({ recall: 0, f1: 0, roc_auc: 1 });
  });

  it("are all absent for no rows", () => {
    expect(valuesFor([], [])).toEqual({});
  });

  it("clips certain and wrong probabilities in log loss instead of answering infinity", () => {
    expect(valuesFor([1, 0], [0, 1]).log_loss).toBeCloseTo(-Math.log(1e-15), 1);
  });

  it("acts from the threshold on, and pays a true negative nothing unless told", () => {
    // One true positive at the threshold exactly, one false positive, one false negative, one true negative.
    expect(valuesFor([1, 0, 1, 0], [0.5, 0.6, 0.4, 0.3]).payoff_per_decision).toBe((10 - 5 - 2) / 4);
  });

  it("refuse lengths that differ and numbers that are no probabilities", () => {
    expect(() => valuesFor([1], [])).toThrow(expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" }));
    for (const wrong of [Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY]) {
      expect(() => valuesFor([1], [wrong])).toThrow(expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" }));
    }
  });
});
