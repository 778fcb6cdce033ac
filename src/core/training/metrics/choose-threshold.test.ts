import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseThreshold, type ThresholdObjective } from "./choose-threshold.ts";
import { confusionAt, fBeta, totalPayoff } from "./confusion.ts";
import { rankRows } from "./rank-rows.ts";

const labels = Uint8Array.of(1, 0, 1, 1, 0, 0);
const scores = Float64Array.of(0.9, 0.8, 0.7, 0.4, 0.4, 0.1);
const ranked = rankRows(labels, scores);

describe("chooseThreshold", () => {
  it("serves each objective", () => {
    const payoff = { truePositive: 3, falsePositive: -2, falseNegative: -1 };
    expect(chooseThreshold(ranked, { kind: "payoff", payoff })).toMatchObject({ threshold: 0.4, value: (9 - 4) / 6 });
    expect(chooseThreshold(ranked, { kind: "f-beta" })).toMatchObject({ threshold: 0.4, value: 6 / 8 });
    expect(chooseThreshold(ranked, { kind: "f-beta", beta: 0.1 })?.threshold).toBe(0.9);
    expect(chooseThreshold(ranked, { kind: "youden" })).toMatchObject({ threshold: 0.9, value: 1 / 3 });
    const precise = chooseThreshold(ranked, { kind: "recall-at-precision", precision: 0.65 });
    expect(precise).toMatchObject({ threshold: 0.7, value: 2 / 3, metrics: { precision: 2 / 3 } });
    expect(chooseThreshold(ranked, { kind: "precision-at-recall", recall: 1 })).toMatchObject({ threshold: 0.4, value: 0.6 });
    // 4 of 6 rows would split the tie at 0.4, so three are acted on.
    expect(chooseThreshold(ranked, { kind: "share", share: 4 / 6 })).toMatchObject({ threshold: 0.7, value: 0.5 });
  });

  it("acts on nothing where that is best, with a threshold above every score and probability", () => {
    const never = chooseThreshold(ranked, { kind: "payoff", payoff: { truePositive: 1, falsePositive: -9, falseNegative: 2 } });
    expect(never?.threshold).toBeGreaterThan(1);
    expect(never).toMatchObject({ value: 1, confusion: { truePositives: 0, falsePositives: 0 } });
    expect(never?.metrics.precision).toBeUndefined();
  });

  it("takes the highest of thresholds that serve alike", () => {
    const found = chooseThreshold(rankRows(Uint8Array.of(1, 0, 1, 0), Float64Array.of(0.9, 0.5, 0.5, 0.1)), { kind: "youden" });
    expect(found?.threshold).toBe(0.9);
  });

  it("is the best of all thresholds, weighted, and its figures are those of acting from it on", () => {
    const rows = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: -2, max: 5 }), fc.integer({ min: 0, max: 3 })),
      {
        minLength: 1,
        maxLength: 25,
      },
    );
    fc.assert(
      fc.property(rows, (given) => {
        const label = Uint8Array.from(given, ([each]) => each);
        const score = Float64Array.from(given, ([, each]) => each);
        const weight = Float64Array.from(given, ([, , each]) => each);
        fc.pre(weight.some((each) => each > 0));
        const payoff = { truePositive: 5, falsePositive: -3, falseNegative: -1, trueNegative: 0.5 };
        const at = (threshold: number) => confusionAt(label, score, threshold, weight);
        const thresholds = [-2, -1, 0, 1, 2, 3, 4, 5, 6];
        const best = chooseThreshold(rankRows(label, score, weight), { kind: "payoff", payoff });
        expect(best?.confusion).toEqual(at(best?.threshold ?? Number.NaN));
        const total = weight.reduce((sum, each) => sum + each, 0);
        const most = Math.max(...thresholds.map((threshold) => totalPayoff(at(threshold), payoff)));
        expect(best?.value).toBeCloseTo(most / total, 12);
        const f2 = chooseThreshold(rankRows(label, score, weight), { kind: "f-beta", beta: 2 });
        const greatest = Math.max(-1, ...thresholds.flatMap((threshold) => fBeta(at(threshold), 2) ?? []));
        expect(f2?.value ?? -1).toBeCloseTo(greatest, 12);
      }),
    );
  });

  it("is null where nothing will do, and refuses objectives that are none", () => {
    const negative = rankRows(new Uint8Array(2), Float64Array.of(0.1, 0.2));
    expect(chooseThreshold(negative, { kind: "recall-at-precision", precision: 0.5 })).toBeNull();
    expect(chooseThreshold(negative, { kind: "youden" })).toBeNull();
    const none = rankRows(new Uint8Array(0), new Float64Array(0));
    expect(chooseThreshold(none, { kind: "share", share: 1 })).toBeNull();
    const wrong: ThresholdObjective[] = [
      { kind: "share", share: 1.5 },
      { kind: "recall-at-precision", precision: Number.NaN },
      { kind: "f-beta", beta: -1 },
      { kind: "payoff", payoff: { truePositive: Number.POSITIVE_INFINITY, falsePositive: 0, falseNegative: 0 } },
    ];
    for (const objective of wrong) {
      expect(() => chooseThreshold(ranked, objective), objective.kind).toThrow(
        expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" }),
      );
    }
  });
});
