import { describe, expect, it } from "vitest";
import { goldenMetrics, relativeError } from "../../../../test/fixtures/golden-metrics.ts";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { normalQuantile } from "../preparation/normal-quantile.ts";
import { deLongTest } from "./de-long.ts";

/** The rows of de_long_case in make-metrics.py. */
function twoModels(seed: number, rows: number, steps: number) {
  const draw = uniform(seed);
  const labels = new Uint8Array(rows);
  const a = new Float64Array(rows);
  const b = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const value = draw();
    labels[row] = draw() < value ? 1 : 0;
    for (const scores of [a, b]) {
      const noisy = 0.6 * value + 0.4 * draw();
      scores[row] = steps > 0 ? Math.floor(noisy * steps) / steps : noisy;
    }
  }
  return { labels, a, b };
}

describe("deLongTest", () => {
  it.each(goldenMetrics.deLong)(
    "equals the definition over all pairs, to a relative 1e-10 ($rows rows, $steps steps)",
    ({ seed, rows, steps, auc, errors, standardError, pValue }) => {
      const { labels, a, b } = twoModels(seed, rows, steps);
      const test = deLongTest(labels, a, b);
      expect(relativeError(test?.a.value, auc[0])).toBeLessThan(1e-12);
      expect(relativeError(test?.b.value, auc[1])).toBeLessThan(1e-12);
      expect(relativeError(test?.a.low, auc[0] + normalQuantile(0.025) * errors[0])).toBeLessThan(1e-10);
      expect(relativeError(test?.standardError, standardError)).toBeLessThan(1e-10);
      expect(relativeError(test?.pValue, pValue)).toBeLessThan(1e-10);
    },
  );

  it("finds nothing between a model and itself", () => {
    const { labels, a } = twoModels(3, 100, 0);
    expect(deLongTest(labels, a, a)).toMatchObject({ difference: { value: 0, low: 0, high: 0 }, pValue: 1 });
  });

  it("rejects equal models about as often as it says: 5% of 600 times, within 2 to 8.5%", () => {
    let rejected = 0;
    for (let seed = 1; seed <= 600; seed++) {
      const { labels, a, b } = twoModels(seed * 7919, 120, 0);
      if ((deLongTest(labels, a, b)?.pValue ?? 1) < 0.05) rejected++;
    }
    expect(rejected / 600).toBeGreaterThan(0.02);
    expect(rejected / 600).toBeLessThan(0.085);
  });

  it("says nothing with fewer than two rows of a class, and refuses lengths that differ", () => {
    const scores = Float64Array.of(0.1, 0.2, 0.3);
    expect(deLongTest(Uint8Array.of(0, 0, 1), scores, scores)).toBeNull();
    expect(deLongTest(new Uint8Array(0), new Float64Array(0), new Float64Array(0))).toBeNull();
    expect(() => deLongTest(Uint8Array.of(0, 0, 1), scores, Float64Array.of(1))).toThrow(
      expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" }),
    );
  });
});
