import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jensenShannon, MAX_JENSEN_SHANNON, normedWasserstein, populationStability, wasserstein } from "./distances.ts";

interface Golden {
  histograms: { reference: number[]; current: number[]; jensenShannon: number; psi: number }[];
  samples: { reference: number[]; current: number[]; wasserstein: number; normed: number; std: number }[];
}
// Written by test/golden/make-monitoring.py with numpy and scipy; versions are in the file. Tolerance 1e-12.
const golden: Golden = JSON.parse(readFileSync(new URL("../../../test/golden/monitoring.json", import.meta.url), "utf8"));
const sorted = (values: readonly number[]) => Float64Array.from(values).sort();

describe("distances of distributions", () => {
  it.each(golden.histograms)("Jensen-Shannon and PSI equal scipy's and numpy's (case %#)", (example) => {
    expect(Math.abs(jensenShannon(example.reference, example.current) - example.jensenShannon)).toBeLessThan(1e-12);
    expect(Math.abs(populationStability(example.reference, example.current) - example.psi)).toBeLessThan(1e-12);
  });

  it.each(golden.samples)("Wasserstein equals scipy's (case %#)", (example) => {
    const [reference, current] = [sorted(example.reference), sorted(example.current)];
    expect(Math.abs(wasserstein(reference, current) - example.wasserstein)).toBeLessThan(1e-12);
    expect(Math.abs(normedWasserstein(reference, current, example.std) - example.normed)).toBeLessThan(1e-12);
  });

  it("Jensen-Shannon is symmetric, zero for equal shares and at most sqrt(ln 2)", () => {
    const counts = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        expect(jensenShannon(a, b)).toBeCloseTo(jensenShannon(b, a), 12);
        expect(jensenShannon(a, b)).toBeLessThanOrEqual(MAX_JENSEN_SHANNON);
        expect(
          jensenShannon(
            a,
            a.map((count) => 3 * count),
          ),
        ).toBeLessThan(1e-7);
      }),
    );
    expect(jensenShannon([1, 0], [0, 1])).toBeCloseTo(MAX_JENSEN_SHANNON, 12);
  });

  it.each([
    ["different numbers of bins", [1, 2], [1, 2, 3]],
    ["an empty side", [1, 2], [0, 0]],
    ["a negative count", [1, -2], [1, 1]],
    ["NaN", [1, Number.NaN], [1, 1]],
  ])("refuses %s", (_, reference, current) => {
    expect(() => jensenShannon(reference, current)).toThrow(expect.objectContaining({ code: "MONITOR_DISTRIBUTION_INVALID" }));
    expect(() => populationStability(reference, current)).toThrow(
      expect.objectContaining({ code: "MONITOR_DISTRIBUTION_INVALID" }),
    );
  });
});
