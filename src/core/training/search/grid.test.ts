import { describe, expect, it } from "vitest";
import { search, separateSearch } from "../../definitions/index.ts";
import { gridPoints, listPoints, numberLevels } from "./grid.ts";

const spaceOf = (params: Record<string, unknown>) => separateSearch(params).space;

describe("a grid", () => {
  it("changes the last parameter fastest", () => {
    const space = spaceOf({ a: search.choice(["x", "y"]), b: search.int(1, 3) });
    expect([...gridPoints(space, 5)]).toEqual(["x", "y"].flatMap((a) => [1, 2, 3].map((b) => ({ a, b }))));
  });

  it("does not repeat a point for a parameter that does not apply", () => {
    const space = spaceOf({
      kind: search.choice(["plain", "bent"]),
      bend: search.when({ kind: "bent" }, search.choice([1, 2])),
      twist: search.when({ bend: 2 }, search.choice([true, false])),
    });
    expect([...gridPoints(space, 5)]).toEqual([
      { kind: "plain" },
      { kind: "bent", bend: 1 },
      { kind: "bent", bend: 2, twist: true },
      { kind: "bent", bend: 2, twist: false },
    ]);
  });

  it("spaces the values of a range evenly on its scale, from bound to bound", () => {
    expect(numberLevels(search.float(-1, 1), 5)).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect(numberLevels(search.log(0.01, 100), 5).map((value) => Number(value.toFixed(12)))).toEqual([0.01, 0.1, 1, 10, 100]);
    expect(numberLevels(search.int(0, 100), 3)).toEqual([0, 50, 100]);
    expect(numberLevels(search.logInt(1, 1_000), 4)).toEqual([1, 10, 100, 1_000]);
    expect(numberLevels(search.float(3, 3), 4)).toEqual([3]);
    expect(numberLevels(search.float(0, 10), 1)).toEqual([5]);
  });

  it("counts spaces that have an end", () => {
    expect(listPoints(spaceOf({ a: search.int(1, 10), b: search.choice([1, 2]) }), 20)).toHaveLength(20);
    expect(listPoints(spaceOf({ a: search.int(1, 10), b: search.choice([1, 2]) }), 19)).toBeNull();
    expect(listPoints(spaceOf({ a: search.float(1, 10) }), 1e9)).toBeNull();
    expect(listPoints(spaceOf({ a: search.float(2, 2) }), 1)).toEqual([{ a: 2 }]);
  });
});
