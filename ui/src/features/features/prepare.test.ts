import { describe, expect, it } from "vitest";
import type { FeatureView } from "../../../../src/contract/index.ts";
import { byFreshness, earlierVersionsText, featureCount, localName } from "./prepare.ts";

const view = (name: string, materializedUntil: string | null, features = 1): FeatureView => ({
  name,
  entity: "e",
  keys: ["k"],
  source: "s",
  features: Array.from({ length: features }, (_, index) => ({ id: `${name}.f${index}`, type: "float64", seasonal: false })),
  materializedUntil,
  earlierVersions: 0,
});

describe("feature views", () => {
  it("come with those that are not online first, then the stalest", () => {
    const views = [view("b", "2013-11-02T00:00:00Z"), view("a", "2013-11-01T00:00:00Z"), view("d", null), view("c", null)];
    expect(byFreshness(views).map(({ name }) => name)).toEqual(["c", "d", "a", "b"]);
  });
  it("add up their features", () => expect(featureCount([view("a", null, 3), view("b", null, 2)])).toBe(5));
  it("tell of their earlier versions", () =>
    expect([1, 2].map(earlierVersionsText)).toEqual(["and an earlier version", "and 2 earlier versions"]));
  it("shorten a feature's id only by their own name", () => {
    expect(localName("a.f0", "a")).toBe("f0");
    expect(localName("ab.f0", "a")).toBe("ab.f0");
  });
});
