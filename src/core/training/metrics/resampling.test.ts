import { describe, expect, it } from "vitest";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { evaluate } from "./evaluate.ts";
import { denseUnits, estimateMetrics, type Resampled, unitResamples } from "./resampling.ts";

const decision = { threshold: 0.5, payoff: { truePositive: 1, falsePositive: -1, falseNegative: -1 } };

/** Rows whose true accuracy is 0.7, in days that are good or bad as a whole by `spread`. */
function rowsOfDays(seed: number, days: number, perDay: number, spread: number) {
  const draw = uniform(seed);
  const rows = days * perDay;
  const labels = new Uint8Array(rows);
  const probabilities = new Float64Array(rows);
  const day = new Int32Array(rows);
  for (let number = 0; number < days; number++) {
    const accuracy = 0.7 + spread * (2 * draw() - 1);
    for (let row = number * perDay; row < (number + 1) * perDay; row++) {
      labels[row] = draw() < 0.5 ? 1 : 0;
      const right = draw() < accuracy;
      probabilities[row] = right === (labels[row] === 1) ? 0.9 : 0.1;
      day[row] = number;
    }
  }
  return { labels, probabilities, day };
}

/** Share of simulated samples whose interval covers the true accuracy. */
function coverage(interval: "percentile" | "bca", units: "day" | "row"): number {
  let covered = 0;
  const simulations = 300;
  for (let seed = 1; seed <= simulations; seed++) {
    const { labels, probabilities, day } = rowsOfDays(seed * 7919, 40, 6, 0.25);
    const unit = units === "day" ? day : Int32Array.from(day, (_, row) => row);
    const { accuracy } = evaluate(labels, probabilities, unit, decision, { resamples: 200, seed, interval }).metrics;
    if (accuracy !== undefined && accuracy.low <= 0.7 && 0.7 <= accuracy.high) covered++;
  }
  return covered / simulations;
}

describe("bootstrap intervals", () => {
  it.each(["percentile", "bca"] as const)(
    "cover the truth in 90 to 98% of 300 samples where they say 95% (%s, by day)",
    (interval) => {
      const share = coverage(interval, "day");
      expect(share).toBeGreaterThan(0.9);
      expect(share).toBeLessThan(0.98);
    },
  );

  it("cover less where rows that are alike are resampled one by one", () => {
    expect(coverage("percentile", "row")).toBeLessThan(coverage("percentile", "day"));
  });

  it("of bca follow a skewed estimate: the upper bound is further away", () => {
    // The mean of 30 exponential draws, a few large: the percentile interval is too short above.
    const draw = uniform(12);
    const values = Float64Array.from({ length: 30 }, () => -Math.log(1 - draw()));
    const mean: Resampled<"mae"> = {
      names: ["mae"],
      units: 30,
      measure: (weights) => {
        const total = weights === null ? 30 : weights.reduce((sum, each) => sum + each, 0);
        return { mae: values.reduce((sum, each, i) => sum + each * (weights === null ? 1 : weights[i]), 0) / total };
      },
    };
    const percentile = estimateMetrics(mean, { resamples: 2000 }).mae;
    const bca = estimateMetrics(mean, { resamples: 2000, interval: "bca" }).mae;
    if (percentile === undefined || bca === undefined) throw new Error("undefined");
    expect(bca.high).toBeGreaterThan(percentile.high);
    expect(bca.low).toBeGreaterThan(percentile.low);
  });

  it("widen with the confidence", () => {
    const { labels, probabilities, day } = rowsOfDays(1, 30, 5, 0.2);
    const width = (confidence: number) => {
      const { brier } = evaluate(labels, probabilities, day, decision, { confidence }).metrics;
      return brier === undefined ? 0 : brier.high - brier.low;
    };
    expect(width(0.99)).toBeGreaterThan(width(0.95));
    expect(width(0.95)).toBeGreaterThan(width(0.8));
  });

  it("refuse resamples and a confidence that are none", () => {
    const { labels, probabilities, day } = rowsOfDays(1, 4, 5, 0.2);
    const parameter = expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" });
    for (const options of [{ resamples: -1 }, { resamples: 1.5 }, { confidence: 1 }, { confidence: 95 }]) {
      expect(() => evaluate(labels, probabilities, day, decision, options)).toThrow(parameter);
    }
  });
});

describe("unitResamples", () => {
  it("draws as many units as there are, the same for the same seed", () => {
    const drawn = (seed: number) => Array.from(unitResamples(50, { resamples: 3, seed }), (weights) => weights.slice());
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    for (const weights of drawn(1)) expect(weights.reduce((sum, each) => sum + each, 0)).toBe(50);
    expect([...unitResamples(1, { resamples: 3 })]).toEqual([]);
  });
});

describe("denseUnits", () => {
  it("numbers units in ascending order, with or without gaps", () => {
    expect(denseUnits(Int32Array.of(7, 5, 6, 7))).toEqual({ count: 3, index: Int32Array.of(2, 0, 1, 2) });
    expect(denseUnits(Int32Array.of(70, -5, 6, 70))).toEqual({ count: 3, index: Int32Array.of(2, 0, 1, 2) });
    expect(denseUnits(new Int32Array(0))).toEqual({ count: 0, index: new Int32Array(0) });
  });
});
