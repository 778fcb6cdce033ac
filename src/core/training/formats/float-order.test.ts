import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextFloat, previousDouble, previousFloat, thresholdForRounded } from "./float-order.ts";

const float = fc.float({ noNaN: true });

describe("neighbours of a number", () => {
  it("are the next that the type can hold", () => {
    expect(previousDouble(1)).toBe(1 - 2 ** -53);
    expect(previousDouble(0)).toBe(-(2 ** -1074));
    expect(previousFloat(0)).toBe(-(2 ** -149));
    expect(previousFloat(1)).toBe(1 - 2 ** -24);
    expect(nextFloat(1)).toBe(1 + 2 ** -23);
    expect(nextFloat(3.4028234663852886e38)).toBe(Number.POSITIVE_INFINITY);
  });

  it("undo each other", () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        (value) => nextFloat(previousFloat(value)) === value || value === 0,
      ),
    );
  });
});

describe("a threshold for numbers that are rounded to float32", () => {
  const agrees = (x: number, threshold: number) => x <= thresholdForRounded(threshold) === Math.fround(x) <= threshold;

  it("decides as rounding and comparing would, for any number", () => {
    fc.assert(fc.property(fc.double({ noNaN: true }), float, agrees), { numRuns: 2_000 });
  });

  it("decides as rounding and comparing would next to the threshold, where ties are", () => {
    fc.assert(
      fc.property(
        float,
        fc.integer({ min: -2, max: 2 }),
        fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
        fc.constantFrom(-1, 0, 1),
        (t, steps, part, ulp) => {
          let near = t;
          for (let i = 0; i < Math.abs(steps); i++) near = steps < 0 ? previousFloat(near) : nextFloat(near);
          if (!Number.isFinite(near)) return agrees(near, t);
          const x = near + part * (nextFloat(near) - near);
          const beside = ulp === 0 ? x : ulp < 0 ? previousDouble(x) : -previousDouble(-x);
          return agrees(beside, t);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
