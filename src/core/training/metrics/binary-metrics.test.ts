import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binaryRows, goldenMetrics, relativeError, rowWeights } from "../../../../test/fixtures/golden-metrics.ts";
import { averagePrecision, kolmogorovSmirnov, liftAt, rocAuc, topMetrics } from "./binary-metrics.ts";
import { confusionAt, fBeta } from "./confusion.ts";
import { brierScore, logLoss } from "./probability-metrics.ts";
import { rankRows } from "./rank-rows.ts";

describe("metrics of two classes by themselves", () => {
  it.each(goldenMetrics.binary)(
    "equal scikit-learn's to 1e-12 ($rows rows, $steps steps, weights $weights)",
    ({ seed, rows, steps, weights, threshold, metrics, f2, fHalf, lift10 }) => {
      const { labels, scores } = binaryRows(seed, rows, steps);
      const own = rowWeights(seed, rows, weights);
      const confusion = confusionAt(labels, scores, threshold, own);
      const pairs: [number | undefined, number][] = [
        [rocAuc(labels, scores, own), metrics.roc_auc],
        [averagePrecision(labels, scores, own), metrics.pr_auc],
        [kolmogorovSmirnov(labels, scores, own), metrics.ks],
        [logLoss(labels, scores, own), metrics.log_loss],
        [brierScore(labels, scores, own), metrics.brier],
        [fBeta(confusion, 2), f2],
        [fBeta(confusion, 0.5), fHalf],
        [liftAt(rankRows(labels, scores, own), 0.1), lift10],
      ];
      for (const [value, expected] of pairs) expect(relativeError(value, expected)).toBeLessThan(1e-12);
    },
  );

  it("roc_auc is the weighted share of pairs in the right order, ties counting half", () => {
    const scored = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: -3, max: 3 }), fc.integer({ min: 1, max: 4 })),
      {
        minLength: 2,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(scored, (rows) => {
        const positives = rows.filter(([label]) => label === 1);
        const negatives = rows.filter(([label]) => label === 0);
        fc.pre(positives.length > 0 && negatives.length > 0);
        let ordered = 0;
        let pairs = 0;
        for (const [, p, w] of positives) {
          for (const [, n, v] of negatives) {
            ordered += w * v * (p > n ? 1 : p === n ? 0.5 : 0);
            pairs += w * v;
          }
        }
        const value = rocAuc(
          Uint8Array.from(rows, ([label]) => label),
          Float64Array.from(rows, ([, score]) => score),
          Float64Array.from(rows, ([, , weight]) => weight),
        );
        expect(value).toBeCloseTo(ordered / pairs, 12);
      }),
    );
  });

  it("takes rows that tie at the cut in part", () => {
    // Of three rows at 0.5 one is positive: taking one of them at random hits it once in three times.
    const ranked = rankRows(Uint8Array.of(1, 0, 0, 1, 0), Float64Array.of(0.9, 0.5, 0.5, 0.5, 0.1));
    const top = topMetrics(ranked, 2);
    expect(top?.precision).toBeCloseTo((1 + 1 / 3) / 2, 12);
    expect(top?.recall).toBeCloseTo((1 + 1 / 3) / 2, 12);
    expect(top?.lift).toBeCloseTo((1 + 1 / 3) / 2 / 0.4, 12);
    expect(topMetrics(ranked, 5)).toEqual({ precision: 0.4, recall: 1, lift: 1 });
  });

  it("is undefined with one class or no rows, and refuses a share of nothing", () => {
    const none = rankRows(new Uint8Array(0), new Float64Array(0));
    const negative = rankRows(new Uint8Array(2), Float64Array.of(0.1, 0.2));
    expect(rocAuc(new Uint8Array(0), new Float64Array(0))).toBeUndefined();
    expect(rocAuc(new Uint8Array(2), Float64Array.of(0.1, 0.2))).toBeUndefined();
    expect(logLoss(new Uint8Array(0), new Float64Array(0))).toBeUndefined();
    expect(topMetrics(none, 1)).toBeUndefined();
    expect(topMetrics(negative, 1)).toEqual({ precision: 0, recall: undefined, lift: undefined });
    for (const share of [0, 1.5, Number.NaN]) {
      expect(() => liftAt(negative, share)).toThrow(expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" }));
    }
  });
});
