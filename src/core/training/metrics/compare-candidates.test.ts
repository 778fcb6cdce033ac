import { describe, expect, it } from "vitest";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { adjustPValues, compareCandidates, pairedBootstrap } from "./compare-candidates.ts";
import { resampledRows } from "./evaluate.ts";
import { scoreRows } from "./metrics.ts";

const decision = { threshold: 0.5, payoff: { truePositive: 1, falsePositive: -1, falseNegative: -1 } };

/** Two models that see the truth through noise of their own. */
function twoModels(seed: number, rows: number, noiseA: number, noiseB: number) {
  const draw = uniform(seed);
  const labels = new Uint8Array(rows);
  const a = new Float64Array(rows);
  const b = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const chance = draw();
    labels[row] = draw() < chance ? 1 : 0;
    a[row] = (1 - noiseA) * chance + noiseA * draw();
    b[row] = (1 - noiseB) * chance + noiseB * draw();
  }
  const units = Int32Array.from(labels, (_, row) => row);
  const [first, second] = [a, b].map((scores) => resampledRows(scoreRows(labels, scores, units, decision)));
  return { a: first, b: second };
}

describe("compareCandidates", () => {
  it("says better and worse where the interval of the difference lies beyond the margin, by the metric's direction", () => {
    const { a, b } = twoModels(1, 1500, 0.1, 0.6);
    expect(compareCandidates(a, b, "roc_auc", { resamples: 400 })).toMatchObject({ verdict: "better", units: 1500, margin: 0 });
    expect(compareCandidates(b, a, "roc_auc", { resamples: 400 }).verdict).toBe("worse");
    expect(compareCandidates(a, b, "log_loss", { resamples: 400 }).verdict).toBe("better");
    expect(compareCandidates(a, b, "roc_auc", { resamples: 400, margin: 0.2 }).verdict).toBe("not-distinguishable");
    expect(compareCandidates(a, b, "roc_auc", { resamples: 400 }).pValue).toBeCloseTo(2 / 401, 12);
  });

  it("calls equal models better or worse in about one of twenty cases: 1 to 10% of 200", () => {
    let found = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const { a, b } = twoModels(seed * 7919, 150, 0.3, 0.3);
      if (compareCandidates(a, b, "roc_auc", { resamples: 200, seed }).verdict !== "not-distinguishable") found++;
    }
    expect(found / 200).toBeGreaterThan(0.01);
    expect(found / 200).toBeLessThan(0.1);
  });

  it("is undefined where the metric is, or where there is nothing to learn the spread from", () => {
    const { a, b } = twoModels(1, 50, 0.1, 0.2);
    expect(compareCandidates(a, b, "roc_auc", { resamples: 0 })).toMatchObject({ verdict: "undefined", pValue: null });
    const oneClass = resampledRows(scoreRows(new Uint8Array(2), Float64Array.of(0.1, 0.2), Int32Array.of(1, 2), decision));
    expect(compareCandidates(oneClass, oneClass, "roc_auc")).toMatchObject({ verdict: "undefined", difference: null });
    const oneDay = resampledRows(scoreRows(Uint8Array.of(0, 1), Float64Array.of(0.1, 0.2), new Int32Array(2), decision));
    expect(compareCandidates(oneDay, oneDay, "roc_auc").verdict).toBe("undefined");
  });

  it("finds no difference between a model and itself", () => {
    const { a } = twoModels(1, 100, 0.1, 0.2);
    expect(pairedBootstrap(a, a, "brier")).toEqual({ difference: { value: 0, low: 0, high: 0 }, pValue: 1 });
    expect(compareCandidates(a, a, "brier").verdict).toBe("not-distinguishable");
  });

  it("refuses models scored on other rows, and a margin below 0", () => {
    const { a } = twoModels(1, 50, 0.1, 0.2);
    const { b } = twoModels(1, 60, 0.1, 0.2);
    expect(() => compareCandidates(a, b, "brier")).toThrow(expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" }));
    expect(() => compareCandidates(a, a, "brier", { margin: -1 })).toThrow(
      expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" }),
    );
  });
});

describe("adjustPValues", () => {
  it("steps down as Holm does, in the order given", () => {
    const adjusted = adjustPValues([0.04, 0.01, 0.03, 0.9]);
    [0.09, 0.04, 0.09, 0.9].forEach((expected, i) => {
      expect(adjusted[i]).toBeCloseTo(expected, 12);
    });
    expect(adjustPValues([])).toEqual([]);
  });
});
