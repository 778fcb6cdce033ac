import { describe, expect, it } from "vitest";
import { classRows, goldenMetrics, relativeError, rowWeights } from "../../../../test/fixtures/golden-metrics.ts";
import {
  classMetrics,
  cohenKappa,
  confusionMatrix,
  MULTICLASS_METRICS,
  multiclassValues,
  resampledClasses,
  scoreClasses,
} from "./multiclass-metrics.ts";
import { estimateMetrics } from "./resampling.ts";

describe("metrics of several classes", () => {
  it.each(goldenMetrics.multiclass)(
    "equal scikit-learn's to 1e-12 ($rows rows, $classes classes, $steps steps, weights $weights)",
    ({ seed, rows, classes, steps, weights, metrics, linearKappa, microF1, f1, confusion }) => {
      const { labels, probabilities } = classRows(seed, rows, classes, steps);
      const own = rowWeights(seed, rows, weights);
      const scored = scoreClasses(labels, probabilities, classes, own);
      const values = multiclassValues(scored);
      for (const name of MULTICLASS_METRICS) {
        // scikit-learn takes no weights for pairs of classes.
        if (metrics[name] !== undefined) expect(relativeError(values[name], metrics[name]), name).toBeLessThan(1e-12);
      }
      const matrix = confusionMatrix(labels, scored.predicted, classes, own ?? null);
      matrix.cells.forEach((cell, i) => {
        expect(cell).toBeCloseTo(confusion[i], 12);
      });
      expect(relativeError(cohenKappa(matrix, "linear"), linearKappa)).toBeLessThan(1e-12);
      expect(relativeError(values.accuracy, microF1)).toBeLessThan(1e-12);
      classMetrics(matrix).f1.forEach((each, k) => {
        const expected = f1[k];
        if (expected === null) expect(each).toBeUndefined();
        else expect(relativeError(each, expected)).toBeLessThan(1e-12);
      });
    },
  );

  it("counts a row of weight 2 as two rows, pairs of classes too", () => {
    const { labels, probabilities } = classRows(5, 60, 3, 3);
    const weights = rowWeights(5, 60, "whole") ?? new Float64Array(60);
    const drawn = Array.from(labels.keys()).flatMap((row) => Array<number>(weights[row]).fill(row));
    const weighted = multiclassValues(scoreClasses(labels, probabilities, 3, weights));
    const written = multiclassValues(
      scoreClasses(
        drawn.map((row) => labels[row]),
        Float64Array.from(drawn.flatMap((row) => Array.from(probabilities.subarray(3 * row, 3 * row + 3)))),
        3,
      ),
    );
    expect(Object.keys(weighted)).toEqual(Object.keys(written));
    for (const name of MULTICLASS_METRICS) {
      const expected = written[name];
      if (expected !== undefined) expect(relativeError(weighted[name], expected), name).toBeLessThan(1e-12);
    }
  });

  it("leaves ROC AUC out where a class has no rows, and precision of a class that is never predicted", () => {
    const probabilities = Float64Array.of(0.8, 0.1, 0.1, 0.2, 0.7, 0.1);
    const scored = scoreClasses([0, 1], probabilities, 3);
    expect(multiclassValues(scored)).not.toHaveProperty("roc_auc_ovr");
    expect(multiclassValues(scored)).toMatchObject({ accuracy: 1, precision_macro: 1, balanced_accuracy: 1 });
    expect(classMetrics(confusionMatrix([0, 1], [0, 1], 3)).precision).toEqual([1, 1, undefined]);
  });

  it("is absent for no rows, and kappa and MCC where all is one class", () => {
    expect(multiclassValues(scoreClasses([], new Float64Array(0), 3))).toEqual({});
    const one = multiclassValues(scoreClasses([1, 1], Float64Array.of(0, 1, 0, 0, 1, 0), 3));
    expect(one).toMatchObject({ accuracy: 1 });
    expect(one).not.toHaveProperty("kappa");
    expect(one).not.toHaveProperty("mcc");
  });

  it("puts intervals around each figure by resampling units", () => {
    const { labels, probabilities } = classRows(6, 300, 3);
    const units = Int32Array.from(labels, (_, row) => row % 30);
    const estimates = estimateMetrics(resampledClasses(scoreClasses(labels, probabilities, 3), units));
    expect(Object.keys(estimates)).toContain("roc_auc_ovo");
    for (const { low, value, high } of Object.values(estimates)) {
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
    }
  });

  it("refuses labels that are no class, and probabilities that are none or too few", () => {
    const invalid = expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" });
    expect(() => scoreClasses([3], Float64Array.of(0.2, 0.3, 0.5), 3)).toThrow(invalid);
    expect(() => scoreClasses([0.5], Float64Array.of(0.2, 0.3, 0.5), 3)).toThrow(invalid);
    expect(() => scoreClasses([0], Float64Array.of(0.2, Number.NaN, 0.5), 3)).toThrow(invalid);
    expect(() => scoreClasses([0], Float64Array.of(0.2, 0.8), 3)).toThrow(invalid);
    expect(() => scoreClasses([0], Float64Array.of(1), 1)).toThrow(invalid);
  });
});
