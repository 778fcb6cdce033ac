import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { applyCalibration, fitCalibration } from "./calibration.ts";
import { poolAdjacentViolators } from "./isotonic.ts";

interface IsotonicCase {
  readonly seed: number;
  readonly rows: number;
  readonly steps: number;
  readonly fitted: readonly number[];
}
// IsotonicRegression of scikit-learn; versions in the file.
const golden: { isotonic: IsotonicCase[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/logistic-isotonic.json", import.meta.url), "utf8"),
);

function rowsOf(seed: number, rows: number, steps: number) {
  const draw = uniform(seed);
  const probabilities = new Float64Array(rows);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const value = draw();
    probabilities[row] = steps > 0 ? Math.floor(value * steps) / steps : value;
    labels[row] = draw() < value * value ? 1 : 0;
  }
  return { probabilities, labels };
}

describe("poolAdjacentViolators", () => {
  it.each(golden.isotonic)(
    "fits what scikit-learn fits, to 1e-12 ($rows rows, $steps steps)",
    ({ seed, rows, steps, fitted }) => {
      const { probabilities, labels } = rowsOf(seed, rows, steps);
      const { value, weight } = poolAdjacentViolators(probabilities, Float64Array.from(labels));
      const byScore = Array.from(fitted, (_, row) => row).sort((a, b) => probabilities[a] - probabilities[b]);
      const expanded = Array.from(value).flatMap((v, block) => Array<number>(weight[block]).fill(v));
      byScore.forEach((row, i) => {
        expect(expanded[i]).toBeCloseTo(fitted[row] ?? Number.NaN, 12);
      });
    },
  );
});

describe("calibration", () => {
  it("counts a row of weight 2 as two rows, and one of weight 0 as none", () => {
    const { probabilities, labels } = rowsOf(3, 300, 20);
    const weights = Float64Array.from(labels, (_, row) => row % 3);
    const drawn = Array.from(labels.keys()).flatMap((row) => Array<number>(row % 3).fill(row));
    const weighted = poolAdjacentViolators(probabilities, Float64Array.from(labels), weights);
    const written = poolAdjacentViolators(
      Float64Array.from(drawn, (row) => probabilities[row]),
      Float64Array.from(drawn, (row) => labels[row]),
    );
    expect(weighted.weight).toEqual(written.weight);
    weighted.value.forEach((value, block) => {
      expect(value).toBeCloseTo(written.value[block], 12);
    });
    const fitted = fitCalibration(probabilities, labels, { weights: new Float64Array(300).fill(1) });
    expect(fitted).toEqual(fitCalibration(probabilities, labels));
  });

  it("keeps the ranking: of two scores the higher never gets the lower probability, and they stay apart", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), (seed) => {
        const { probabilities, labels } = rowsOf(seed, 300, 0);
        const calibration = fitCalibration(probabilities, labels);
        if (calibration === null) return;
        const sorted = Float64Array.from(new Set(probabilities)).sort();
        const calibrated = applyCalibration(calibration, sorted);
        for (let i = 1; i < sorted.length; i++) expect(calibrated[i]).toBeGreaterThan(calibrated[i - 1]);
        expect(calibrated[0]).toBeGreaterThan(0);
        expect(calibrated[calibrated.length - 1]).toBeLessThan(1);
      }),
      { numRuns: 50 },
    );
  });

  it("brings overconfident probabilities to the observed shares on rows that it has not seen", () => {
    // Labels come with the square of the probability: far off before, within 0.02 of the truth after.
    const fitted = rowsOf(11, 20_000, 0);
    const calibration = fitCalibration(fitted.probabilities, fitted.labels);
    if (calibration === null) throw new Error("not calibrated");
    const { probabilities } = rowsOf(12, 1_000, 0);
    const error = applyCalibration(calibration, probabilities).reduce(
      (sum, p, row) => sum + Math.abs(p - probabilities[row] ** 2),
      0,
    );
    expect(error / probabilities.length).toBeLessThan(0.02);
  });

  it("is left out where there is little or nothing to learn from", () => {
    const { probabilities, labels } = rowsOf(1, 99, 0);
    expect(fitCalibration(probabilities, labels)).toBeNull();
    expect(fitCalibration(new Float64Array(200).fill(0.3), new Uint8Array(200))).toBeNull();
    expect(fitCalibration(new Float64Array(0), new Uint8Array(0))).toBeNull();
  });

  it("answers in 0…1 for a model that gives one probability to all, and for certain ones", () => {
    const same = fitCalibration(
      new Float64Array(200).fill(0.3),
      Uint8Array.from({ length: 200 }, (_, row) => row % 2),
    );
    if (same === null) throw new Error("not calibrated");
    expect(applyCalibration(same, Float64Array.of(0.3))[0]).toBeCloseTo(0.5, 12);
    const certain = fitCalibration(
      Float64Array.from({ length: 200 }, (_, row) => row % 2),
      Uint8Array.from({ length: 200 }, (_, row) => row % 2),
    );
    if (certain === null) throw new Error("not calibrated");
    for (const p of applyCalibration(certain, Float64Array.of(0, 0.5, 1))) {
      expect(p).toBeGreaterThanOrEqual(0);
      expect(p).toBeLessThanOrEqual(1);
    }
  });
});
