import { describe, expect, it } from "vitest";
import { binaryRows, goldenMetrics, rowWeights } from "../../../../test/fixtures/golden-metrics.ts";
import { gainCurve, precisionRecallCurve, rocCurve, thinCurve } from "./curves.ts";
import { rankRows } from "./rank-rows.ts";

function expectNear(values: Float64Array | undefined, expected: readonly number[]) {
  expect(values).toHaveLength(expected.length);
  values?.forEach((value, point) => {
    expect(value).toBeCloseTo(expected[point], 12);
  });
}

describe("curves", () => {
  it.each(goldenMetrics.curves)(
    "equal scikit-learn's to 1e-12 ($rows rows, $steps steps, weights $weights)",
    ({ seed, rows, steps, weights, roc, precisionRecall }) => {
      const { labels, scores } = binaryRows(seed, rows, steps);
      const ranked = rankRows(labels, scores, rowWeights(seed, rows, weights));
      const curve = rocCurve(ranked);
      expect(curve?.threshold[0]).toBe(Number.POSITIVE_INFINITY);
      expectNear(curve?.threshold.subarray(1), roc.threshold);
      expectNear(curve?.falsePositiveRate.subarray(1), roc.falsePositiveRate);
      expectNear(curve?.truePositiveRate.subarray(1), roc.truePositiveRate);
      // scikit-learn stops at the first threshold that has all positives.
      const found = precisionRecallCurve(ranked);
      expectNear(found?.threshold.subarray(0, precisionRecall.threshold.length), precisionRecall.threshold);
      expectNear(found?.precision.subarray(0, precisionRecall.precision.length), precisionRecall.precision);
      expectNear(found?.recall.subarray(0, precisionRecall.recall.length), precisionRecall.recall);
    },
  );

  it("gain and lift end where acting on all rows brings all positives", () => {
    const gain = gainCurve(rankRows(Uint8Array.of(1, 0, 1, 0), Float64Array.of(0.9, 0.8, 0.8, 0.1)));
    expect(gain?.share).toEqual(Float64Array.of(0.25, 0.75, 1));
    expect(gain?.gain).toEqual(Float64Array.of(0.5, 1, 1));
    expect(gain?.lift).toEqual(Float64Array.of(2, 1 / 0.75, 1));
  });

  it("are undefined without positives, and have no point for rows that count nothing", () => {
    const negative = rankRows(new Uint8Array(2), Float64Array.of(0.1, 0.2));
    expect(rocCurve(negative)).toBeUndefined();
    expect(precisionRecallCurve(negative)).toBeUndefined();
    expect(gainCurve(negative)).toBeUndefined();
    const uncounted = rankRows(Uint8Array.of(0, 1), Float64Array.of(0.9, 0.2), Float64Array.of(0, 1));
    expect(precisionRecallCurve(uncounted)).toMatchObject({ threshold: Float64Array.of(0.2), precision: Float64Array.of(1) });
  });

  it("are thinned evenly, with both ends", () => {
    const { labels, scores } = binaryRows(1, 500);
    const curve = rocCurve(rankRows(labels, scores));
    if (curve === undefined) throw new Error("one class");
    const thin = thinCurve(curve, 11);
    expect(thin.truePositiveRate).toHaveLength(11);
    expect(thin.threshold[0]).toBe(Number.POSITIVE_INFINITY);
    expect(thin.falsePositiveRate[10]).toBe(1);
    expect(thinCurve(curve, 1000).threshold).toEqual(curve.threshold);
  });
});
