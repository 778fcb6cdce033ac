import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Moments } from "./moments.ts";

const momentsOf = (values: readonly number[]) => {
  const moments = new Moments(true);
  for (const value of values) moments.add(value);
  return moments;
};

describe("moments of a window", () => {
  // The deviations from the mean 5 are -3, -1, -1, -1, 0, 0, 2, 4; their squares sum to 32.
  test("are the count, sum, mean and sample standard deviation", () => {
    const moments = momentsOf([2, 4, 4, 4, 5, 5, 7, 9]);
    expect([moments.rows, moments.sum, moments.mean]).toEqual([8, 40, 5]);
    expect(moments.std).toBeCloseTo(Math.sqrt(32 / 7), 15);
  });

  test("have no standard deviation with fewer than two rows", () => {
    expect(momentsOf([]).std).toBeNaN();
    expect(momentsOf([3]).std).toBeNaN();
  });

  test("do not lose a small spread around a large mean, where plain sums of squares lose all of it", () => {
    // The deviations from 1e9 are -1, 0 and 1: their sample variance is 1.
    expect(momentsOf([1e9 - 1, 1e9, 1e9 + 1]).std).toBe(1);
  });

  test("keep nothing of rows that have left", () => {
    const moments = momentsOf([0.1, 1e9, 0.2]);
    moments.remove(1e9);
    // The double next to the exact sum of the doubles 0.1 and 0.2 is the double sum itself.
    expect(moments.sum).toBe(0.1 + 0.2);
    moments.remove(0.1);
    moments.remove(0.2);
    expect([moments.rows, moments.sum]).toEqual([0, 0]);
  });

  test("have the same sum in whatever order rows come, and whatever came and went before", () => {
    const amounts = fc.array(
      fc.integer({ min: -1e12, max: 1e12 }).map((value) => value / 1e6),
      { minLength: 1, maxLength: 50 },
    );
    fc.assert(
      fc.property(amounts, amounts, (kept, gone) => {
        const direct = momentsOf(kept);
        const moments = momentsOf([...gone, ...kept.toReversed()]);
        for (const value of gone) moments.remove(value);
        expect(moments.sum).toBe(direct.sum);
        expect(moments.mean).toBe(direct.mean);
      }),
    );
  });
});
