import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { rankRows, reweigh, rowsByScore } from "./rank-rows.ts";

const byComparison = (scores: Float64Array) => Uint32Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);

describe("rowsByScore", () => {
  it("orders any finite numbers as comparing them does, ties in row order", () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, -0, 1, -1, Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE, 0.5),
    );
    fc.assert(
      fc.property(fc.array(number, { maxLength: 200 }), (numbers) => {
        const scores = Float64Array.from(numbers);
        expect(rowsByScore(scores)).toEqual(byComparison(scores));
      }),
    );
  });

  it.each([
    ["spread", (value: number) => value],
    ["close together, so that only the lower half of the bits tells", (value: number) => 0.5 + value * 1e-8],
    ["close together below zero", (value: number) => -0.5 - value * 1e-8],
    ["tied", (value: number) => Math.floor(value * 20) / 20],
    ["all alike", () => 0.25],
    ["from tiny to huge, of both signs", (value: number) => (value - 0.5) * 10 ** (600 * value - 300)],
  ])("orders thousands that are %s", (_, shape) => {
    const draw = uniform(1);
    const scores = Float64Array.from({ length: 5_000 }, () => shape(draw() + draw() * 2 ** -24));
    expect(rowsByScore(scores)).toEqual(byComparison(scores));
  });

  it("orders a part of a larger array", () => {
    const whole = Float64Array.of(9, 1, 3, 2, 8);
    expect(rowsByScore(whole.subarray(1, 4))).toEqual(Uint32Array.of(1, 2, 0));
  });
});

describe("rankRows", () => {
  it("marks the last of each tie, and takes other weights without sorting again", () => {
    const ranked = rankRows(Uint8Array.of(1, 0, 1), Float64Array.of(0.2, 0.7, 0.2));
    expect(ranked).toMatchObject({ order: Uint32Array.of(1, 0, 2), lastOfTie: Uint8Array.of(1, 0, 1), weight: null });
    expect(reweigh(ranked, Float64Array.of(5, 6, 7)).weight).toEqual(Float64Array.of(6, 5, 7));
  });

  it("refuses scores that are not finite, with the row", () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const ranked = () => rankRows(Uint8Array.of(0, 1), Float64Array.of(0.5, wrong));
      expect(ranked).toThrow(
        expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID", message: expect.stringContaining("row 1") }),
      );
    }
  });
});
