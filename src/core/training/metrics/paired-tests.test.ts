import { describe, expect, it } from "vitest";
import { goldenMetrics } from "../../../../test/fixtures/golden-metrics.ts";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { correctedResampledTest, fiveByTwoTest, mcNemarTest } from "./paired-tests.ts";

const { resampled, fiveByTwo, mcNemar } = goldenMetrics.pairedTests;

describe("mcNemarTest", () => {
  it.each(mcNemar)("has scipy's p-value for $onlyA rows against $onlyB", ({ onlyA, onlyB, pValue }) => {
    const rows = onlyA + onlyB + 10;
    const a = Array.from({ length: rows }, (_, row) => (row < onlyA || row >= onlyA + onlyB ? 1 : 0));
    const b = Array.from({ length: rows }, (_, row) => (row < onlyA ? 0 : 1));
    const test = mcNemarTest(new Uint8Array(rows).fill(1), a, b);
    expect(test).toMatchObject({ onlyA, onlyB, difference: (onlyA - onlyB) / rows });
    expect(test.pValue).toBeCloseTo(pValue, 12);
  });

  it("finds nothing where both are right and wrong together, and refuses lengths that differ and no rows", () => {
    expect(mcNemarTest([0, 1, 2], [0, 1, 0], [0, 1, 1])).toMatchObject({ pValue: 1, difference: 0 });
    const invalid = expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" });
    expect(() => mcNemarTest([0, 1], [0], [0, 1])).toThrow(invalid);
    expect(() => mcNemarTest([], [], [])).toThrow(invalid);
  });
});

describe("correctedResampledTest", () => {
  it("has the figures of Nadeau and Bengio's formula by scipy's t", () => {
    const test = correctedResampledTest(resampled.differences, resampled.testShare);
    expect(test.value).toBeCloseTo(resampled.value, 12);
    expect(test.low).toBeCloseTo(resampled.low, 10);
    expect(test.high).toBeCloseTo(resampled.high, 10);
    expect(test.pValue).toBeCloseTo(resampled.pValue, 10);
  });

  it("is less sure than folds taken for independent would be", () => {
    const wide = correctedResampledTest([0.1, 0.2, 0.3], 0.5);
    const narrow = correctedResampledTest([0.1, 0.2, 0.3], 1e-9);
    expect(wide.high - wide.low).toBeGreaterThan(1.5 * (narrow.high - narrow.low));
  });

  it("is defined for equal differences, and refuses a single fold", () => {
    expect(correctedResampledTest([0, 0, 0], 0.5)).toEqual({ value: 0, low: 0, high: 0, pValue: 1 });
    expect(correctedResampledTest([1, 1, 1], 0.5)).toEqual({ value: 1, low: 1, high: 1, pValue: 0 });
    for (const wrong of [[0.1], [0.1, Number.NaN]]) {
      expect(() => correctedResampledTest(wrong, 0.25)).toThrow(expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" }));
    }
  });
});

describe("fiveByTwoTest", () => {
  it("has Alpaydin's F and Dietterich's t by scipy's distributions", () => {
    const test = fiveByTwoTest(fiveByTwo.differences);
    expect(test.f).toBeCloseTo(fiveByTwo.f, 10);
    expect(test.pValue).toBeCloseTo(fiveByTwo.pValue, 10);
    expect(test.t).toBeCloseTo(fiveByTwo.t, 10);
    expect(test.pValueT).toBeCloseTo(fiveByTwo.pValueT, 10);
  });

  it("stays quiet for differences that are noise about 0", () => {
    const draw = uniform(4);
    const noise = Array.from({ length: 5 }, (): [number, number] => [draw() - 0.5, draw() - 0.5]);
    expect(fiveByTwoTest(noise).pValue).toBeGreaterThan(0.05);
    expect(fiveByTwoTest(Array(5).fill([0, 0])).pValue).toBe(1);
    expect(fiveByTwoTest(Array(5).fill([0.1, 0.1])).pValue).toBe(0);
    expect(() => fiveByTwoTest([[1, 2]])).toThrow(expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" }));
  });
});
