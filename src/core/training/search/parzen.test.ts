import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { search, separateSearch } from "../../definitions/index.ts";
import { seededRandom } from "../random.ts";
import { parzenDensity } from "./parzen.ts";

const spaceOf = (params: Record<string, unknown>) => separateSearch(params).space;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe("a Parzen density", () => {
  it("sums to 1 over integers, choices and their combinations", () => {
    const space = spaceOf({ n: search.logInt(1, 40), kind: search.choice(["a", "b", "c"]) });
    const points = Array.from({ length: 40 }, (_, n) => ["a", "b", "c"].map((kind) => ({ n: n + 1, kind }))).flat();
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...points), { maxLength: 8 }), (observed) => {
        const density = parzenDensity(space, observed);
        expect(sum(points.map((point) => Math.exp(density.logDensity(point))))).toBeCloseTo(1, 10);
      }),
    );
  });

  it("integrates to 1 over a range, on its scale", () => {
    const steps = 2_000;
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { maxLength: 8 }), (values) => {
        const density = parzenDensity(
          spaceOf({ x: search.log(0.01, 100) }),
          values.map((x) => ({ x })),
        );
        const width = (Math.log(100) - Math.log(0.01)) / steps;
        const heights = Array.from({ length: steps }, (_, k) =>
          Math.exp(density.logDensity({ x: 0.01 * Math.exp((k + 0.5) * width) })),
        );
        // The density is up to a constant factor: that of a standard normal's height.
        expect((sum(heights) * width) / Math.sqrt(2 * Math.PI)).toBeCloseTo(1, 4);
      }),
      { numRuns: 30 },
    );
  });

  it("draws what it says, within four standard errors", () => {
    const space = spaceOf({ n: search.int(1, 6), kind: search.choice([true, false]) });
    const density = parzenDensity(space, [
      { n: 2, kind: true },
      { n: 2, kind: true },
      { n: 5, kind: false },
    ]);
    const random = seededRandom(3);
    const draws = 40_000;
    const counts = new Map<string, number>();
    for (let drawn = 0; drawn < draws; drawn++) {
      const key = JSON.stringify(density.draw(random));
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (let n = 1; n <= 6; n++)
      for (const kind of [true, false]) {
        const share = Math.exp(density.logDensity({ n, kind }));
        const seen = (counts.get(JSON.stringify({ n, kind })) ?? 0) / draws;
        expect(Math.abs(seen - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / draws));
      }
  });

  it("knows only the prior where nothing was observed", () => {
    const density = parzenDensity(spaceOf({ kind: search.choice([1, 2, 3, 4]) }), []);
    expect(Math.exp(density.logDensity({ kind: 3 }))).toBeCloseTo(0.25, 12);
  });

  it("stays within the bounds, also of ranges of one value and of huge and tiny ones", () => {
    const space = spaceOf({ one: search.float(3, 3), huge: search.float(-1e300, 1e300), tiny: search.log(1e-300, 1e-290) });
    const density = parzenDensity(space, [
      { one: 3, huge: 1e300, tiny: 1e-300 },
      { one: 3, huge: -1e300, tiny: 1e-290 },
    ]);
    const random = seededRandom(1);
    for (let drawn = 0; drawn < 200; drawn++) {
      const point = density.draw(random);
      expect(point.one).toBe(3);
      expect(Math.abs(Number(point.huge))).toBeLessThanOrEqual(1e300);
      expect(Number(point.tiny)).toBeGreaterThanOrEqual(1e-300);
      expect(Number(point.tiny)).toBeLessThanOrEqual(1e-290);
      expect(density.logDensity(point)).not.toBeNaN();
    }
  });
});
