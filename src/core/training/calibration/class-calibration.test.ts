import { describe, expect, it } from "vitest";
import { classRows, goldenMetrics, rowWeights } from "../../../../test/fixtures/golden-metrics.ts";
import { multiclassValues, scoreClasses } from "../metrics/multiclass-metrics.ts";
import { applyCalibration, fitClassCalibration } from "./calibration.ts";

/** Probabilities to the power of 3, renormalised: too sure. */
function tooSure(seed: number, rows: number, classes: number) {
  const { labels, probabilities } = classRows(seed, rows, classes);
  for (let at = 0; at < probabilities.length; at += classes) {
    const row = probabilities.subarray(at, at + classes);
    for (let k = 0; k < classes; k++) row[k] **= 3;
    const sum = row.reduce((total, each) => total + each, 0);
    for (let k = 0; k < classes; k++) row[k] /= sum;
  }
  return { labels, probabilities };
}

const logLossOf = (labels: Int32Array, probabilities: Float64Array, classes: number) =>
  multiclassValues(scoreClasses(labels, probabilities, classes)).log_loss ?? Number.NaN;

describe("calibration of several classes", () => {
  it.each(goldenMetrics.temperature)(
    "finds scikit-learn's temperature, to the 1e-6 that its search by loss values resolves ($classes classes, weights $weights)",
    ({ seed, rows, classes, weights, temperature }) => {
      const { labels, probabilities } = tooSure(seed, rows, classes);
      const given = rowWeights(seed, rows, weights);
      const fitted = fitClassCalibration(probabilities, labels, classes, given === undefined ? {} : { weights: given });
      if (fitted?.kind !== "temperature") throw new Error("not fitted");
      expect(Math.abs(fitted.temperature / temperature - 1)).toBeLessThan(1e-6);
    },
  );

  it("is at the minimum: any other temperature has a greater loss", () => {
    const { labels, probabilities } = tooSure(3, 300, 4);
    const fitted = fitClassCalibration(probabilities, labels, 4);
    if (fitted?.kind !== "temperature") throw new Error("not fitted");
    const lossAt = (temperature: number) => logLossOf(labels, applyCalibration({ ...fitted, temperature }, probabilities), 4);
    for (const factor of [0.9, 0.999, 1.001, 1.1]) {
      expect(lossAt(factor * fitted.temperature)).toBeGreaterThan(lossAt(fitted.temperature));
    }
  });

  it.each(["temperature", "isotonic", "sigmoid"] as const)(
    "lowers the log loss of unseen rows, whose probabilities sum to 1 (%s)",
    (method) => {
      const seen = tooSure(41, 2_000, 3);
      const unseen = tooSure(42, 2_000, 3);
      const fitted = fitClassCalibration(seen.probabilities, seen.labels, 3, { method });
      if (fitted === null) throw new Error("not fitted");
      const calibrated = applyCalibration(fitted, unseen.probabilities);
      expect(logLossOf(unseen.labels, calibrated, 3)).toBeLessThan(logLossOf(unseen.labels, unseen.probabilities, 3) - 0.1);
      for (let at = 0; at < calibrated.length; at += 3) {
        expect(calibrated[at] + calibrated[at + 1] + calibrated[at + 2]).toBeCloseTo(1, 12);
      }
    },
  );

  it("gives a row by itself what it gives it among others, and certain rows an answer", () => {
    const { labels, probabilities } = tooSure(5, 400, 3);
    for (const method of ["temperature", "isotonic", "sigmoid"] as const) {
      const fitted = fitClassCalibration(probabilities, labels, 3, { method });
      if (fitted === null) throw new Error("not fitted");
      const all = applyCalibration(fitted, probabilities);
      expect(applyCalibration(fitted, probabilities.slice(30, 33))).toEqual(all.slice(30, 33));
      const certain = applyCalibration(fitted, Float64Array.of(1, 0, 0));
      expect(certain[0]).toBeGreaterThan(0.9);
      expect(certain.every((p) => p >= 0 && p <= 1)).toBe(true);
    }
    const nothing = { kind: "one-vs-rest" as const, classes: [null, null, null] };
    expect(applyCalibration(nothing, new Float64Array(3))).toEqual(new Float64Array(3).fill(1 / 3));
  });

  it("leaves a class with too little to learn from as it is, and is left out where there is nothing", () => {
    const { labels, probabilities } = tooSure(6, 300, 3);
    const withoutLast = labels.map((label) => (label === 2 ? 0 : label));
    const fitted = fitClassCalibration(probabilities, withoutLast, 3, { method: "isotonic" });
    expect(fitted).toMatchObject({ classes: [{ kind: "isotonic" }, { kind: "isotonic" }, null] });
    expect(fitClassCalibration(new Float64Array(0), [], 3)).toBeNull();
    expect(fitClassCalibration(new Float64Array(0), [], 3, { method: "isotonic" })).toBeNull();
    expect(fitClassCalibration(new Float64Array(6).fill(1 / 3), [0, 1], 3)).toBeNull();
    expect(() => fitClassCalibration(new Float64Array(5), [0, 1], 3)).toThrow(
      expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" }),
    );
  });
});
