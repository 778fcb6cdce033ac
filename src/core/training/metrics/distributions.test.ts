import { describe, expect, it } from "vitest";
import { goldenMetrics } from "../../../../test/fixtures/golden-metrics.ts";
import { normalQuantile } from "../preparation/normal-quantile.ts";
import {
  chiSquareUpperTail,
  erfc,
  fairBinomialCdf,
  fUpperTail,
  normalCdf,
  normalTwoSided,
  studentQuantile,
  studentTwoSided,
} from "./distributions.ts";

const functions: Readonly<Record<string, (...given: number[]) => number>> = {
  normalTwoSided: (z) => normalTwoSided(z),
  normalQuantile: (q) => normalQuantile(q),
  studentTwoSided: (t, n) => studentTwoSided(t, n),
  studentQuantile: (p, n) => studentQuantile(p, n),
  fUpperTail: (f) => fUpperTail(f, 10, 5),
  chiSquareUpperTail: (x) => chiSquareUpperTail(x),
  fairBinomialCdf: (k, n) => fairBinomialCdf(k, n),
};

describe("distribution functions", () => {
  it.each(Object.entries(goldenMetrics.distributions))("%s is scipy's, to a relative 1e-10", (name, cases) => {
    for (const figures of cases) {
      const expected = figures.at(-1) ?? Number.NaN;
      const value = functions[name](...figures.slice(0, -1));
      expect(Math.abs(value - expected), `${name} of ${figures}`).toBeLessThanOrEqual(1e-10 * Math.abs(expected));
    }
  });

  it("hold at their ends", () => {
    expect(erfc(0)).toBe(1);
    expect(erfc(40)).toBe(0);
    expect(erfc(-40)).toBe(2);
    expect(normalCdf(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
    expect(fairBinomialCdf(4, 4)).toBe(1);
    expect(fUpperTail(0, 10, 5)).toBe(1);
  });
});
