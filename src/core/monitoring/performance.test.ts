import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimatedPerformance, performanceReport } from "./performance.ts";

const decision = { threshold: 0.5, payoff: { truePositive: 60, falsePositive: -40, falseNegative: -20 } };
const cohort = {
  start: 0,
  end: 10,
  probability: Float64Array.of(0.9, 0.8, 0.3, 0.2, 0.6, 0.4),
  day: Int32Array.of(1, 1, 2, 2, 3, 3),
  label: Float64Array.of(1, 0, 1, 0, Number.NaN, 1),
  due: Uint8Array.of(1, 1, 1, 1, 1, 0),
  censored: Uint8Array.of(0, 0, 0, 0, 0, 0),
};

describe("performance of matured cohorts", () => {
  it("scores only predictions whose label is due and there, and says how many of the due are", () => {
    const report = performanceReport(cohort, decision);
    // The sixth has its label early and is left out; the fifth is due and has none.
    expect(report).toMatchObject({ predictions: 6, due: 5, labelled: 4, coverage: 0.8, censored: 0 });
    expect(report.evaluation).toMatchObject({ rows: 4, positives: 2, days: 2 });
    // Pairs (0.9, 0.3) x (0.8, 0.2): 0.9 beats both, 0.3 beats one.
    expect(report.evaluation?.metrics.roc_auc?.value).toBe(0.75);
  });

  it("keeps censored predictions out of coverage and counts them", () => {
    const report = performanceReport({ ...cohort, censored: Uint8Array.of(0, 0, 0, 0, 1, 0) }, decision);
    expect(report).toMatchObject({ due: 4, labelled: 4, coverage: 1, censored: 1 });
  });

  it("says nothing while no label is due or none came", () => {
    const early = performanceReport({ ...cohort, due: new Uint8Array(6) }, decision);
    expect(early).toMatchObject({ due: 0, coverage: null, evaluation: null });
    const silent = performanceReport({ ...cohort, label: new Float64Array(6).fill(Number.NaN) }, decision);
    expect(silent).toMatchObject({ due: 5, labelled: 0, coverage: 0, evaluation: null });
  });

  it("leaves metrics out that one class does not define", () => {
    const report = performanceReport({ ...cohort, label: Float64Array.of(1, 1, 1, 1, 1, 1) }, decision);
    expect(report.evaluation?.metrics.roc_auc).toBeUndefined();
    expect(report.evaluation?.metrics.recall?.value).toBeDefined();
  });

  it("refuses ragged columns and a window without length", () => {
    expect(() => performanceReport({ ...cohort, label: new Float64Array(2) }, decision)).toThrow(
      expect.objectContaining({ code: "MONITOR_COLUMNS_MISMATCH" }),
    );
    expect(() => performanceReport({ ...cohort, end: 0 }, decision)).toThrow(
      expect.objectContaining({ code: "MONITOR_WINDOW_INVALID" }),
    );
  });
});

describe("estimated performance", () => {
  it("is the expected ROC AUC over all pairs of predictions, by brute force (1e-12)", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 19 }), { minLength: 2, maxLength: 30 }), (twentieths) => {
        const p = Float64Array.from(twentieths, (n) => n / 20);
        let ordered = 0;
        let pairs = 0;
        for (const positive of p) {
          for (const negative of p) {
            const weight = positive * (1 - negative);
            pairs += weight;
            ordered += weight * (positive > negative ? 1 : positive === negative ? 0.5 : 0);
          }
        }
        expect(Math.abs((estimatedPerformance(p, decision).rocAuc ?? 0) - ordered / pairs)).toBeLessThan(1e-12);
      }),
    );
  });

  it("expects the payoff of acting from the threshold on", () => {
    const { payoffPerDecision, assumption } = estimatedPerformance(Float64Array.of(0.5, 0.25), decision);
    // Acting at 0.5: 0.5 x 60 - 0.5 x 40 = 10. Not acting at 0.25: 0.25 x -20 = -5.
    expect(payoffPerDecision).toBe(2.5);
    expect(assumption).toContain("stands still");
  });

  it("is undefined without rows and where everything is certain", () => {
    expect(estimatedPerformance(new Float64Array(0), decision)).toMatchObject({ rows: 0, rocAuc: null, payoffPerDecision: null });
    expect(estimatedPerformance(Float64Array.of(1, 1), decision).rocAuc).toBeNull();
  });
});
