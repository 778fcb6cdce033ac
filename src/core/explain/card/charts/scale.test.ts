import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scaleOver, ticksOf } from "./scale.ts";

describe("a scale", () => {
  it("puts the least and the greatest at its ends, and all others in order between", () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
        const scale = scaleOver(values, 10, 200);
        const places = [...values].sort((a, b) => a - b).map((each) => scale.at(each));
        for (const place of places) {
          expect(place).toBeGreaterThanOrEqual(10);
          expect(place).toBeLessThanOrEqual(200);
        }
        expect(places).toEqual([...places].sort((a, b) => a - b));
      }),
    );
  });

  it("of one value, or of none, has its place all the same", () => {
    expect(scaleOver([3], 0, 100).at(3)).toBe(50);
    expect(scaleOver([0], 0, 100).at(0)).toBe(50);
    expect(scaleOver([Number.MAX_VALUE], 0, 100).at(Number.MAX_VALUE)).toBe(100);
    expect(scaleOver([], 0, 100).at(0)).toBe(0);
    expect(scaleOver([Number.NaN, Number.POSITIVE_INFINITY, 1, 2], 0, 100).at(2)).toBe(100);
  });
});

describe("ticks", () => {
  it("are round numbers inside", () => {
    expect(ticksOf({ low: 0, high: 1 }, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticksOf({ low: -3, high: 4 }, 4)).toEqual([-2, 0, 2, 4]);
    expect(ticksOf({ low: 0.61, high: 0.68 }, 4)).toEqual([0.62, 0.64, 0.66, 0.68]);
    expect(ticksOf({ low: 1_000, high: 9_000 }, 4)).toEqual([2_000, 4_000, 6_000, 8_000]);
  });

  it("are few, whatever the range", () => {
    const value = fc.double({ noNaN: true, min: -1e200, max: 1e200 });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const { low, high } = scaleOver([a, b], 0, 1);
        const ticks = ticksOf({ low, high }, 5);
        expect(ticks.length).toBeLessThanOrEqual(20);
        const rounding = 1e-12 * Math.max(Math.abs(low), Math.abs(high));
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(low - rounding);
          expect(tick).toBeLessThanOrEqual(high + rounding);
        }
      }),
    );
  });
});
