import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aggregateOf, figuresWanted, WindowAccumulator } from "./window-accumulators.ts";

const functions = [
  ...(["count", "sum", "mean", "min", "max", "std", "count-distinct", "first", "last"] as const).map((fn) => ({ fn })),
  { fn: "last", nth: 2 } as const,
];
const accumulatorOf = () => new WindowAccumulator(figuresWanted(functions), (one, other) => one - other);

/** From the rows that are in, in order. */
function plainly(rows: readonly { row: number; value: number }[]) {
  const values = rows.toSorted((one, other) => one.row - other.row).map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  const none = values.length === 0;
  const spread = values.reduce((total, value) => total + (value - sum / values.length) ** 2, 0);
  return [
    values.length,
    ...(none ? [NaN, NaN, NaN, NaN] : [sum, sum / values.length, Math.min(...values), Math.max(...values)]),
    values.length < 2 ? NaN : Math.sqrt(spread / (values.length - 1)),
    new Set(values).size,
    values.at(0) ?? NaN,
    values.at(-1) ?? NaN,
    values.at(-2) ?? NaN,
  ];
}

describe("a window that rows enter and leave in any order", () => {
  test("has the figures of the rows that are in it", () => {
    const step = fc.record({ value: fc.integer({ min: -3, max: 3 }), place: fc.nat(), leaves: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const accumulator = accumulatorOf();
        const inside: { row: number; value: number }[] = [];
        steps.forEach(({ value, place, leaves }, index) => {
          if (leaves && inside.length > 0) {
            const [gone] = inside.splice(place % inside.length, 1);
            accumulator.remove(gone.value, gone.row);
          } else {
            // Distinct rows that do not come in their order.
            const row = (place % 1_000) * 1_000 + index;
            inside.push({ row, value });
            accumulator.add(value, row);
          }
          const figures = functions.map((each) => aggregateOf(each, true, accumulator));
          const expected = plainly(inside);
          // Values are few and small: all but means and spreads are exact.
          for (const [figure, value] of expected.entries())
            if (Number.isNaN(value)) expect(figures[figure]).toBeNaN();
            else expect(figures[figure]).toBeCloseTo(value, 12);
        });
      }),
    );
  });

  test("keeps nothing of the thousands that have left it", () => {
    const accumulator = accumulatorOf();
    for (let row = 0; row < 5_000; row++) {
      accumulator.add(row, row);
      if (row >= 3) accumulator.remove(row - 3, row - 3);
    }
    expect([accumulator.rows, accumulator.least, accumulator.greatest, accumulator.distinct]).toEqual([3, 4_997, 4_999, 3]);
    expect([1, 2, 3, 4, -1, -3, -4].map((place) => accumulator.nth(place))).toEqual([
      4_997,
      4_998,
      4_999,
      NaN,
      4_999,
      4_997,
      NaN,
    ]);
  });

  test("does not tell zeros of two signs apart", () => {
    const one = accumulatorOf();
    const other = accumulatorOf();
    for (const [row, value] of [0, -0].entries()) {
      one.add(value, row);
      other.add(-value, row);
    }
    for (const { least, greatest, distinct, sum } of [one, other]) expect([least, greatest, distinct, sum]).toEqual([0, 0, 1, 0]);
  });

  test("without any row has zero counts and no other value", () => {
    const empty = functions.map((each) => aggregateOf(each, true, undefined));
    expect(empty).toEqual([0, NaN, NaN, NaN, NaN, NaN, 0, NaN, NaN, NaN]);
  });
});
