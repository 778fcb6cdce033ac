import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thresholdBetween } from "./threshold-between.ts";

const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.float({ noNaN: true }),
  fc.integer({ min: -5, max: 5 }),
  fc.double({ min: 1, max: 1.000001 }),
  fc.constantFrom(Number.MAX_VALUE, 2 ** 128, 2 ** -149, 2 ** -150, -(2 ** -150), Number.MIN_VALUE),
);
const pairs = fc
  .tuple(number, number)
  .filter(([a, b]) => a < b || b < a)
  .map(([a, b]) => (a < b ? { a, b } : { a: b, b: a }));

describe("a threshold between two values", () => {
  it("sends the lower left and the upper right", () => {
    fc.assert(
      fc.property(pairs, ({ a, b }) => {
        const threshold = thresholdBetween(a, b);
        expect(a <= threshold).toBe(true);
        expect(b <= threshold).toBe(false);
        expect(Object.is(threshold, -0)).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it("sends every double where its float32 goes, if the two differ as float32", () => {
    fc.assert(
      fc.property(pairs, fc.array(number), ({ a, b }, others) => {
        fc.pre(Math.fround(a) < Math.fround(b));
        const threshold = thresholdBetween(a, b);
        const single = Math.fround(threshold);
        const nearby = [threshold, threshold * (1 + 2 ** -52), threshold * (1 - 2 ** -52), threshold + 2 ** -1074];
        for (const x of [a, b, ...nearby, ...others]) expect(x <= threshold).toBe(Math.fround(x) <= single);
      }),
      { numRuns: 5_000 },
    );
  });

  it("lies near the middle", () => {
    expect(thresholdBetween(3, 4)).toBeCloseTo(3.5, 6);
    expect(thresholdBetween(-1, 1)).toBeCloseTo(0, 12);
    expect(thresholdBetween(1e-30, 2e-30)).toBeCloseTo(1.5e-30, 36);
  });

  it("tells doubles apart that are one float32", () => {
    const b = 1 + 2 ** -40;
    expect(thresholdBetween(1, b)).toBe(1 + 2 ** -41);
    expect(thresholdBetween(1, 1 + 2 ** -52)).toBe(1);
  });

  it("is finite between infinities", () => {
    expect(thresholdBetween(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toBeCloseTo(0, 12);
    expect(Number.isFinite(thresholdBetween(1, Number.POSITIVE_INFINITY))).toBe(true);
    expect(Number.isFinite(thresholdBetween(Number.NEGATIVE_INFINITY, 1))).toBe(true);
  });
});
