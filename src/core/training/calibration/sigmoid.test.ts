import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binaryRows, goldenMetrics, relativeError, rowWeights } from "../../../../test/fixtures/golden-metrics.ts";
import { logLoss } from "../metrics/probability-metrics.ts";
import { applyCalibration } from "./calibration.ts";
import { fitSigmoid } from "./sigmoid.ts";

describe("fitSigmoid", () => {
  it.each(goldenMetrics.sigmoid)(
    "finds the minimum of Platt's loss to 1e-9, and scikit-learn's to the 1e-7 it stops at ($rows rows, weights $weights)",
    ({ seed, rows, weights, slope, intercept, sklearn }) => {
      const { labels, scores } = binaryRows(seed, rows);
      const probabilities = scores.map((p) => Math.min(0.999, Math.max(0.001, p)));
      const fitted = fitSigmoid(probabilities, labels, rowWeights(seed, rows, weights));
      expect(relativeError(fitted?.slope, slope)).toBeLessThan(1e-9);
      expect(relativeError(fitted?.intercept, intercept)).toBeLessThan(1e-9);
      expect(relativeError(fitted?.slope, sklearn[0])).toBeLessThan(1e-7);
      expect(relativeError(fitted?.intercept, sklearn[1])).toBeLessThan(1e-7);
    },
  );

  it("keeps the order of any two probabilities, certain ones too, and answers between 0 and 1", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (seed) => {
        const { labels, scores } = binaryRows(seed, 120);
        const fitted = fitSigmoid(scores, labels);
        if (fitted === null) throw new Error("not fitted");
        const calibrated = applyCalibration(fitted, Float64Array.from([0, ...scores, 1]).sort());
        calibrated.forEach((p, i) => {
          expect(p).toBeGreaterThanOrEqual(0);
          expect(p).toBeLessThanOrEqual(1);
          if (i > 0) expect(p).toBeGreaterThanOrEqual(calibrated[i - 1]);
        });
      }),
      { numRuns: 30 },
    );
  });

  it("lowers the log loss of rows that it has not seen", () => {
    const { labels, scores } = binaryRows(31, 2_000);
    const fitted = fitSigmoid(scores, labels);
    const unseen = binaryRows(32, 2_000);
    if (fitted === null) throw new Error("not fitted");
    const before = logLoss(unseen.labels, unseen.scores) ?? 0;
    expect(logLoss(unseen.labels, applyCalibration(fitted, unseen.scores))).toBeLessThan(before - 0.03);
  });

  it("stays finite where the classes are apart, and where a model says the same of all", () => {
    const apart = fitSigmoid(
      Float64Array.from({ length: 40 }, (_, i) => (i < 20 ? 0 : 1)),
      Uint8Array.from({ length: 40 }, (_, i) => (i < 20 ? 0 : 1)),
    );
    if (apart === null) throw new Error("not fitted");
    expect(Number.isFinite(apart.slope)).toBe(true);
    expect(applyCalibration(apart, Float64Array.of(0, 1))[1]).toBeCloseTo(21 / 22, 6);
    const same = fitSigmoid(
      new Float64Array(40).fill(0.8),
      Uint8Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? 1 : 0)),
    );
    expect(same === null || Number.isFinite(same.slope + same.intercept)).toBe(true);
  });

  it("is left out with one class, and where a model ranks the wrong way round", () => {
    expect(fitSigmoid(Float64Array.of(0.1, 0.2), Uint8Array.of(1, 1))).toBeNull();
    expect(fitSigmoid(new Float64Array(0), new Uint8Array(0))).toBeNull();
    const { labels, scores } = binaryRows(33, 200);
    expect(
      fitSigmoid(
        scores.map((p) => 1 - p),
        labels,
      ),
    ).toBeNull();
    expect(() => fitSigmoid(scores, new Uint8Array(3))).toThrow(expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" }));
  });
});
