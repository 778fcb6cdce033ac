import { describe, expect, it } from "vitest";
import { search, searchSpaceProblems, separateSearch } from "./search.ts";

const problems = (params: Record<string, unknown>) => searchSpaceProblems(separateSearch(params).space);

describe("a search space", () => {
  it("is made of the parameters that are ranges; the others stay fixed", () => {
    const { fixed, space } = separateSearch({ trees: 200, rate: search.log(0.01, 0.3), leaves: search.int(15, 127) });
    expect(fixed).toEqual({ trees: 200 });
    expect(space).toEqual([
      { name: "rate", domain: { search: "float", low: 0.01, high: 0.3, scale: "log" } },
      { name: "leaves", domain: { search: "int", low: 15, high: 127, scale: "linear" } },
    ]);
  });

  it("leaves out what a fixed parameter rules out, and drops the condition it meets", () => {
    const params = (penalty: string) => ({ penalty, l1Ratio: search.when({ penalty: "elastic-net" }, search.float(0, 1)) });
    expect(separateSearch(params("ridge")).space).toEqual([]);
    expect(separateSearch(params("elastic-net")).space).toEqual([{ name: "l1Ratio", domain: search.float(0, 1) }]);
  });

  it("has no problem when every range is one", () => {
    const conditional = search.when({ kind: ["a", "b"] }, search.when({ on: true }, search.float(2, 2)));
    expect(problems({ kind: search.choice(["a", "b", "c"]), on: search.choice([true, false]), x: conditional })).toEqual([]);
  });

  it.each([
    [{}, "the search space has no parameters"],
    [{ c: search.log(0, 1) }, "c goes from 0 on a log scale, which has only numbers above 0"],
    [{ c: search.logInt(-1, 1) }, "c goes from -1 on a log scale, which has only numbers above 0"],
    [{ c: search.float(2, 1) }, "c goes from 2 to 1: the first bound is the lower one"],
    [{ c: search.float(Number.NaN, 1) }, "the bounds of c are not finite numbers"],
    [{ c: search.float(0, Number.POSITIVE_INFINITY) }, "the bounds of c are not finite numbers"],
    [{ c: search.float(-1.7e308, 1.7e308) }, "the bounds of c are too far apart"],
    [{ c: search.int(0.5, 3) }, "c is an integer, but its bounds 0.5 and 3 are not both integers"],
    [{ c: search.choice([]) }, "c has no options to choose from"],
    [{ c: search.choice(["a", "b", "a"]) }, 'c has the option "a" twice'],
    [{ c: search.choice([1, Number.NaN]) }, "an option of c is not a finite number"],
    [{ c: search.when({ k: 1 }, search.float(0, 1)) }, "c depends on k, which does not stand before it"],
    [{ k: search.int(0, 3), c: search.when({ k: 1 }, search.float(0, 1)) }, "c depends on k, which is not a choice"],
    [
      { k: search.choice([1, 2]), c: search.when({ k: 3 }, search.float(0, 1)) },
      "c depends on k being 3, which is not one of its options",
    ],
    [{ k: search.choice([1, 2]), c: search.when({ k: [] }, search.float(0, 1)) }, "c depends on no value of k"],
  ])("%j: %s", (params, problem) => {
    expect(problems(params)).toEqual([problem]);
  });

  it("does not take the same name twice", () => {
    const { space } = separateSearch({ c: search.float(0, 1) });
    expect(searchSpaceProblems([...space, ...space])).toEqual(["c is there twice"]);
  });
});
