import { describe, expect, it } from "vitest";
import { seededRandom } from "../random.ts";
import { drawNormal, normalMass, uniform } from "./normal.ts";

describe("the normal distribution", () => {
  // By mpmath 1.3 at 50 digits: (erfc(a / sqrt 2) - erfc(b / sqrt 2)) / 2.
  it.each([
    [-1, 1, 0.6826894921370859],
    [0, 2.5, 0.4937903346742239],
    [-40, 40, 1],
    [2, 3, 0.021400233916549112],
    [-3, -2, 0.021400233916549112],
    [3.6, 3.7, 5.130885668014554e-5],
    [8, 9, 6.21983198586583e-16],
    [20, 21, 2.753624115326956e-89],
  ])("has between %d and %d the mass %d", (a, b, mass) => {
    expect(Math.abs(normalMass(a, b) / mass - 1)).toBeLessThan(1e-11);
  });

  it("is drawn with its mean and variance", () => {
    const random = seededRandom(1);
    const draws = Array.from({ length: 100_000 }, () => drawNormal(random));
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const square = draws.reduce((sum, x) => sum + x * x, 0) / draws.length;
    // Three standard errors.
    expect(Math.abs(mean)).toBeLessThan(3 / Math.sqrt(draws.length));
    expect(Math.abs(square - 1)).toBeLessThan(3 * Math.sqrt(2 / draws.length));
  });
});

it("uniform numbers lie in [0, 1) and fill it evenly", () => {
  const random = seededRandom(7);
  const counts = new Array<number>(10).fill(0);
  for (let n = 0; n < 100_000; n++) counts[Math.floor(uniform(random) * 10)] += 1;
  expect(counts).toHaveLength(10);
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(4 * Math.sqrt(9_000));
});
