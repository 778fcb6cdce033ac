import { expect, it } from "vitest";
import { search, separateSearch } from "../../definitions/index.ts";
import { seededRandom } from "../random.ts";
import { axisOf, drawValue, pointFrom, pointKey } from "./space.ts";

const { space } = separateSearch({
  kind: search.choice(["plain", "bent"]),
  bend: search.when({ kind: "bent" }, search.int(1, 3)),
  rate: search.log(0.01, 1),
});

it("a candidate's parameters make the point that it starts from; those that do not apply or are not searched stay out", () => {
  expect(pointFrom(space, { kind: "bent", bend: 2, rate: 0.1, trees: 100 })).toEqual({ kind: "bent", bend: 2, rate: 0.1 });
  expect(pointFrom(space, { kind: "plain", bend: 2, rate: 0.1 })).toEqual({ kind: "plain", rate: 0.1 });
  expect(pointFrom([], { trees: 100 })).toEqual({});
});

it("parameters outside their ranges make no point", () => {
  expect(pointFrom(space, { kind: "bent", bend: 4, rate: 0.1 })).toBeNull();
  expect(pointFrom(space, { kind: "plain", rate: { low: 0, high: 1 } })).toBeNull();
  expect(pointFrom(space, { kind: "plain" })).toBeNull();
});

it("the same point has the same key whatever the order of its values, and another one another", () => {
  expect(pointKey(space, { rate: 0.1, kind: "plain" })).toBe(pointKey(space, { kind: "plain", rate: 0.1 }));
  expect(pointKey(space, { kind: "bent", bend: 1, rate: 0.1 })).not.toBe(pointKey(space, { kind: "bent", bend: 2, rate: 0.1 }));
});

it("integers are drawn equally often, the first and the last too", () => {
  const random = seededRandom(2);
  const counts = new Map<unknown, number>();
  for (let drawn = 0; drawn < 40_000; drawn++) {
    const value = drawValue(search.int(3, 6), random);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  expect([...counts.keys()].toSorted()).toEqual([3, 4, 5, 6]);
  // Four standard errors.
  for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(4 * Math.sqrt(7_500));
});

it("a log scale draws each factor of ten equally often", () => {
  const random = seededRandom(2);
  const counts = [0, 0, 0];
  for (let drawn = 0; drawn < 30_000; drawn++)
    counts[Math.floor(Math.log10(Number(drawValue(search.log(1, 1_000), random))))] += 1;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(4 * Math.sqrt(6_667));
});

it("an axis brings values back from their positions and keeps to its bounds", () => {
  const axis = axisOf(search.logInt(2, 256));
  for (const value of [2, 3, 31, 256]) expect(axis.value(axis.position(value))).toBe(value);
  expect([axis.value(axis.low), axis.value(axis.high)]).toEqual([2, 256]);
});
