import { describe, expect, test } from "vitest";
import type { ColumnTypes, FeaturePlan } from "./plan.ts";
import { checkRequest, parseRequest } from "./request.ts";

const planOf = (keys: ColumnTypes, request: ColumnTypes): FeaturePlan => ({
  formatVersion: 1,
  features: [],
  views: [],
  onDemand: [],
  keys,
  request,
});
const plan = planOf(
  { carrier: "string", till: "int32" },
  { amount: "float64", units: "int64", gift: "bool", at: "timestamp", note: "string" },
);
const good = {
  carrier: "UA",
  till: 3,
  amount: 1.5,
  units: 9_007_199_254_740_991,
  gift: false,
  at: "2013-11-01T12:00:00.000001Z",
  note: "",
};

describe("a request", () => {
  test("of the right types has no problems, and its timestamps become microseconds", () => {
    expect(checkRequest(plan, good)).toEqual([]);
    expect(parseRequest(plan, good)).toEqual({ ...good, at: 1_383_307_200_000_001 });
  });

  test("may have null in any field, and fields that nobody asked for", () => {
    const nulls = Object.fromEntries(Object.keys(good).map((field) => [field, null]));
    expect(checkRequest(plan, nulls)).toEqual([]);
    expect(parseRequest(plan, nulls)).toEqual(nulls);
    expect(parseRequest(plan, { ...good, reference: "x", nested: {} })).not.toHaveProperty("reference");
  });

  test.each([
    ["carrier", 1],
    ["carrier", ["UA"]],
    ["till", 1.5],
    ["till", "3"],
    ["till", 2 ** 31],
    ["amount", "1.5"],
    ["amount", Number.NaN],
    ["amount", Number.POSITIVE_INFINITY],
    ["units", 2 ** 53],
    ["gift", 0],
    ["gift", "true"],
    ["at", "yesterday"],
    ["at", 1_383_307_200],
    ["at", "2013-13-01T00:00:00Z"],
    ["note", { text: "" }],
  ])("with a wrong %s (%j) is told so by the field's path", (path, value) => {
    const problems = checkRequest(plan, { ...good, [path]: value });
    expect(problems).toEqual([{ path, message: expect.stringMatching(/^takes .+ or null, not /) }]);
    expect(() => parseRequest(plan, { ...good, [path]: value })).toThrow(
      expect.objectContaining({ code: "FEATURE_REQUEST_INVALID", kind: "invalid", details: { problems } }),
    );
  });

  test("is told of every field at once, absent ones included", () => {
    expect(
      checkRequest(plan, { carrier: 1 })
        .map(({ path }) => path)
        .sort(),
    ).toEqual(Object.keys(good).sort());
  });

  test("does not take a field from an object's prototype", () => {
    expect(checkRequest(planOf(Object.fromEntries([["constructor", "string"]]), {}), {})).toHaveLength(1);
  });

  test("shows a long value cut short", () => {
    const [problem] = checkRequest(plan, { ...good, till: "x".repeat(1_000) });
    expect(problem?.message.length).toBeLessThan(120);
  });
});
