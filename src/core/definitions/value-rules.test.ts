import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CANDIDATE_KINDS, candidateProblems } from "./candidate-problems.ts";
import { gradientBoosting } from "./candidates.ts";
import { STEP_KINDS, stepProblems } from "./preparation-problems.ts";
import { calibrationProblem, classWeightsProblem, rowWeightsProblem, seedProblem, splitProblems } from "./training-problems.ts";
import { shown, valuesProblems, wholeFrom } from "./value-rules.ts";

describe("values", () => {
  it("are named with what they should be, unknown names first", () => {
    expect(valuesProblems({ tree: 3, trees: 0 }, { trees: wholeFrom(1) })).toEqual([
      "tree is no parameter: there are trees",
      "trees is 0, not a whole number from 1 on",
    ]);
    expect(valuesProblems({ on: 1 }, {})).toEqual(["on is no parameter: there are none"]);
    expect(valuesProblems(null, {})).toEqual(["its parameters are null, not an object"]);
  });

  it("do not take names that every object has for parameters", () => {
    expect(valuesProblems({ toString: 1 }, { trees: wholeFrom(1) })[0]).toBe("toString is no parameter: there are trees");
  });

  it("are shown briefly, whatever they are", () => {
    const circle: Record<string, unknown> = {};
    circle.circle = circle;
    expect([shown("a"), shown(undefined), shown(1n), shown(circle), shown(() => 1)]).toEqual([
      '"a"',
      "undefined",
      "1",
      "something that is no JSON",
      "a function",
    ]);
    expect(shown("x".repeat(1_000))).toHaveLength(58);
  });
});

describe("what comes from JSON", () => {
  const checks = [
    candidateProblems,
    stepProblems,
    splitProblems,
    classWeightsProblem,
    rowWeightsProblem,
    calibrationProblem,
    seedProblem,
  ];

  it("is judged without an error, whatever it is", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        for (const check of checks) check(value);
      }),
    );
  });

  it("is judged without an error where only its kind is right", () => {
    const parts = fc.dictionary(
      fc.constantFrom("name", "params", "tune", "on", "by", "low", "high", "test", "space"),
      fc.anything(),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...CANDIDATE_KINDS, ...STEP_KINDS, "time", "grouped", "age", "feature"),
        parts,
        (kind, rest) => {
          for (const check of checks) check({ ...rest, kind });
        },
      ),
    );
  });

  it("is judged without an error where only its ranges are wrong", () => {
    const candidate = gradientBoosting();
    const domain = fc.record({
      search: fc.constantFrom("float", "int", "choice", "x"),
      low: fc.anything(),
      options: fc.anything(),
      when: fc.anything(),
    });
    const range = fc.record({ name: fc.constantFrom("trees", "loss", "x"), domain: fc.oneof(domain, fc.anything()) });
    fc.assert(
      fc.property(fc.array(fc.oneof(range, fc.anything())), fc.anything(), (space, settings) => {
        candidateProblems({ ...candidate, tune: { space, settings } });
      }),
    );
  });
});
