import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Counterfactuals, Explanation } from "../../../../src/contract/index.ts";
import { changeRows, featureRows, goalText, waterfall } from "./prepare.ts";

const explanationOf = (phis: readonly number[], base = -1): Explanation => ({
  predictionId: "p",
  model: "m",
  version: 1,
  base,
  output: phis.reduce((sum, phi) => sum + phi, base),
  probability: 0.5,
  method: "tree-path-dependent",
  scale: "log-odds",
  contributions: phis.map((phi, index) => ({ feature: `f${index}`, value: index === 0 ? null : index, phi })),
});

describe("waterfall", () => {
  it("leads from the base to the output, each bar beginning where the last ended, for any contributions", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 20 }),
        (phis, most) => {
          const { base, output, bars } = waterfall(explanationOf(phis), most);
          expect(bars.length).toBeLessThanOrEqual(most + 1);
          expect(bars[0]?.from).toBe(base);
          expect(bars.slice(1).map(({ from }) => from)).toEqual(bars.slice(0, -1).map(({ to }) => to));
          expect(bars.at(-1)?.to).toBeCloseTo(output, 9);
        },
      ),
    );
  });
  it("shows the largest, in either direction, and joins the rest", () => {
    const { bars } = waterfall(explanationOf([0.1, -2, 1, 0.05]), 2);
    expect(bars.map(({ label }) => label)).toEqual(["f1 = 1", "f2 = 2", "2 others"]);
    expect(bars[2]?.phi).toBeCloseTo(0.15, 12);
  });
  it("names a missing value", () => expect(waterfall(explanationOf([1])).bars[0]?.label).toBe("f0 = missing"));
});

describe("featureRows", () => {
  it("sorts by name and marks what was missing, but not zero, false or an empty text", () => {
    expect(featureRows({ b: null, a: 0, d: "", c: false }).map(({ feature, missing }) => [feature, missing])).toEqual([
      ["a", false],
      ["b", true],
      ["c", false],
      ["d", false],
    ]);
  });
});

describe("ways to another decision", () => {
  const answer: Counterfactuals = {
    predictionId: "p",
    model: "m",
    version: 1,
    outcome: "found",
    goal: { kind: "below", value: 0.25 },
    prediction: 0.4,
    counterfactuals: [
      {
        changes: [
          { feature: "plays", from: 1, to: 4 },
          { feature: "plan", from: null, to: "family" },
        ],
        distance: 2,
        prediction: 0.2,
      },
      { changes: [{ feature: "minutes", from: 3, to: 30 }], distance: 3, prediction: 0.249 },
    ],
    changeable: [],
    immutable: [],
  };

  it("have a row a change, numbered by way, and say where each way leads once", () => {
    expect(changeRows(answer)).toMatchObject([
      { way: "1", feature: "plays", from: "1", to: "4", prediction: "20%" },
      { way: "", feature: "plan", from: "missing", to: "family", prediction: "and" },
      { way: "2", feature: "minutes", from: "3", to: "30", prediction: "24.9%" },
    ]);
    expect(new Set(changeRows(answer).map(({ key }) => key)).size).toBe(3);
  });
  it("need what the goal says", () => {
    expect(goalText(answer)).toBe("a probability of less than 25%");
    expect(goalText({ ...answer, goal: { kind: "class", name: "late" } })).toBe("late as the likeliest class");
  });
});
