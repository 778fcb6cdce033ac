import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { categoricalColumn, uniform } from "../../../../test/fixtures/training-data.ts";
import { evaluate, pairedDifference, reliabilityCurve, segmentEvaluations } from "./evaluate.ts";
import { type Decision, METRIC_NAMES, metricValues, scoreRows } from "./metrics.ts";
import { unitResamples } from "./resampling.ts";

const decision: Decision = { threshold: 0.5, payoff: { truePositive: 10, falsePositive: -5, falseNegative: -2 } };

/** Days that are good or bad as a whole, so that rows of a day are alike. */
function dependentRows(rows: number, days: number, seed = 1) {
  const draw = uniform(seed);
  const level = Array.from({ length: days }, () => draw());
  const day = Int32Array.from({ length: rows }, (_, row) => 15_000 + (row % days));
  const probabilities = Float64Array.from(day, (number) => Math.min(0.99, 0.5 * draw() + 0.5 * level[number - 15_000]));
  const labels = Uint8Array.from(day, (number) => (draw() < level[number - 15_000] ** 2 ? 1 : 0));
  return { labels, probabilities, day };
}

describe("evaluate", () => {
  it("counts a day as often as it was drawn: the same figures as rows written out that often", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (seed) => {
        const { labels, probabilities, day } = dependentRows(60, 5, seed);
        const [weights] = unitResamples(5, { resamples: 1, seed });
        if (weights === undefined) throw new Error("no resample");
        const drawn = Array.from(labels, (_, row) => row).flatMap((row) => Array(weights[day[row] - 15_000]).fill(row));
        const repeated = scoreRows(
          Uint8Array.from(drawn, (row) => labels[row]),
          Float64Array.from(drawn, (row) => probabilities[row]),
          Int32Array.from(drawn, (row) => day[row]),
          decision,
        );
        const weighted = metricValues(scoreRows(labels, probabilities, day, decision), weights);
        const written = metricValues(repeated);
        expect(Object.keys(weighted)).toEqual(Object.keys(written));
        for (const metric of METRIC_NAMES) {
          if (written[metric] !== undefined) expect(weighted[metric]).toBeCloseTo(written[metric], 12);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("gives the same intervals for the same seed, and bounds around the estimate", () => {
    const { labels, probabilities, day } = dependentRows(2_000, 40);
    const first = evaluate(labels, probabilities, day, decision);
    expect(evaluate(labels, probabilities, day, decision)).toEqual(first);
    expect(first).toMatchObject({ rows: 2_000, days: 40, threshold: 0.5 });
    for (const metric of METRIC_NAMES) {
      const estimate = first.metrics[metric];
      if (estimate === undefined) throw new Error(`${metric} is missing`);
      expect(estimate.low).toBeLessThan(estimate.high);
      if (metric !== "ece") expect(estimate.value).toBeGreaterThan(estimate.low);
      if (metric !== "ece") expect(estimate.value).toBeLessThan(estimate.high);
    }
  });

  it("is less sure when rows of a day are alike than rows as days of their own would make it", () => {
    const { labels, probabilities, day } = dependentRows(2_000, 20);
    const width = (days: Int32Array) => {
      const { brier } = evaluate(labels, probabilities, days, decision).metrics;
      return brier === undefined ? Number.NaN : brier.high - brier.low;
    };
    expect(width(day)).toBeGreaterThan(2 * width(Int32Array.from(day, (_, row) => row)));
  });

  it("gives the estimate as its own bounds for a single day, and nothing for no rows", () => {
    const { labels, probabilities } = dependentRows(50, 5);
    const { brier } = evaluate(labels, probabilities, new Int32Array(50), decision).metrics;
    expect(brier?.low).toBe(brier?.value);
    expect(brier?.high).toBe(brier?.value);
    const empty = evaluate(new Uint8Array(0), new Float64Array(0), new Int32Array(0), decision);
    expect(empty).toEqual({ rows: 0, positives: 0, days: 0, threshold: 0.5, metrics: {} });
  });
});

describe("pairedDifference", () => {
  it("is exactly nothing between a model and itself", () => {
    const { labels, probabilities, day } = dependentRows(300, 10);
    const same = pairedDifference(labels, day, probabilities, probabilities, "roc_auc", decision);
    expect(same).toEqual({ value: 0, low: 0, high: 0 });
  });

  it("is surer of a difference than the two intervals alone", () => {
    const { labels, probabilities, day } = dependentRows(2_000, 20);
    const draw = uniform(3);
    const noisier = probabilities.map((p) => 0.5 * p + 0.5 * draw());
    const difference = pairedDifference(labels, day, probabilities, noisier, "roc_auc", decision);
    const alone = evaluate(labels, probabilities, day, decision).metrics.roc_auc;
    if (difference === null || alone === undefined) throw new Error("undefined metric");
    expect(difference.low).toBeGreaterThan(0);
    expect(difference.high - difference.low).toBeLessThan(alone.high - alone.low);
  });

  it("is null where the metric is undefined", () => {
    const p = Float64Array.of(0.1, 0.2);
    expect(pairedDifference(new Uint8Array(2), Int32Array.of(1, 2), p, p, "roc_auc", decision)).toBeNull();
  });
});

describe("segmentEvaluations", () => {
  it("evaluates each value by itself, and says nothing of groups with too few positives", () => {
    const { labels, probabilities, day } = dependentRows(600, 10);
    const texts = Array.from(labels, (_, row) => (row < 400 ? "UA" : row < 590 ? "HA" : null));
    const segment = categoricalColumn("carrier", texts);
    const rows = Uint32Array.from(labels, (_, row) => row);
    const found = segmentEvaluations(segment, rows, labels, probabilities, day, decision, { minPositives: 20 });
    expect(found.map(({ value, rows: count }) => [value, count])).toEqual([
      ["UA", 400],
      ["HA", 190],
      [null, 10],
    ]);
    expect(found[2]?.metrics).toBeNull();
    const alone = evaluate(labels.slice(0, 400), probabilities.slice(0, 400), day.slice(0, 400), decision);
    expect(found[0]).toMatchObject({ positives: alone.positives, metrics: alone.metrics });
  });
});

describe("reliabilityCurve", () => {
  it("compares the mean probability with the share of positives in each bin that has rows", () => {
    const curve = reliabilityCurve(Uint8Array.of(0, 1, 1), Float64Array.of(0.12, 0.18, 1));
    expect(curve).toEqual([
      { low: 0.1, high: 0.2, rows: 2, meanProbability: 0.15, shareOfPositives: 0.5 },
      { low: 0.9, high: 1, rows: 1, meanProbability: 1, shareOfPositives: 1 },
    ]);
  });
});
