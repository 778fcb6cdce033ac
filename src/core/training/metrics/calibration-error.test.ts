import { describe, expect, it } from "vitest";
import { binaryRows, goldenMetrics } from "../../../../test/fixtures/golden-metrics.ts";
import { type Binning, calibrationError } from "./calibration-error.ts";

describe("calibrationError", () => {
  it.each(goldenMetrics.calibration)(
    "has the curve of scikit-learn's calibration_curve, to 1e-12",
    ({ seed, rows, ...golden }) => {
      const { labels, scores } = binaryRows(seed, rows);
      for (const binning of ["equal-width", "equal-mass"] satisfies Binning[]) {
        const found = calibrationError(labels, scores, { binning });
        expect(found?.bins).toHaveLength(golden[binning].meanProbability.length);
        found?.bins.forEach(({ meanProbability, shareOfPositives }, bin) => {
          expect(meanProbability).toBeCloseTo(golden[binning].meanProbability[bin], 12);
          expect(shareOfPositives).toBeCloseTo(golden[binning].shareOfPositives[bin], 12);
        });
      }
    },
  );

  it("weighs bins by their rows for the expected, and takes the worst for the maximum", () => {
    const labels = Uint8Array.of(1, 1, 0, 0);
    const found = calibrationError(labels, Float64Array.of(0.9, 0.9, 0.9, 0.25), { bins: 2 });
    expect(found?.ece).toBeCloseTo((3 * (0.9 - 2 / 3) + 0.25) / 4, 12);
    expect(found?.mce).toBeCloseTo(0.25, 12);
    const weighted = calibrationError(labels, Float64Array.of(0.9, 0.9, 0.9, 0.25), {
      bins: 2,
      weights: Float64Array.of(1, 1, 0, 2),
    });
    expect(weighted?.ece).toBeCloseTo((2 * 0.1 + 2 * 0.25) / 4, 12);
  });

  it("keeps rows of one probability in one bin of equal mass", () => {
    const found = calibrationError(new Uint8Array(100), new Float64Array(100).fill(0.3), { binning: "equal-mass" });
    expect(found?.bins).toEqual([
      { low: 0.3, high: 0.3, weight: 100, meanProbability: expect.closeTo(0.3, 12), shareOfPositives: 0 },
    ]);
  });

  it("is undefined for no rows and refuses bins and probabilities that are none", () => {
    expect(calibrationError(new Uint8Array(0), new Float64Array(0))).toBeUndefined();
    const parameter = expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" });
    for (const bins of [0, 2.5, 1e9]) {
      expect(() => calibrationError(Uint8Array.of(1), Float64Array.of(0.5), { bins })).toThrow(parameter);
    }
    expect(() => calibrationError(Uint8Array.of(1), Float64Array.of(2))).toThrow(
      expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" }),
    );
  });
});
