import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ColumnType,
  float64,
  type OnDemandDefinition,
  onDemand,
  requestField,
  string,
  timestamp,
} from "../definitions/index.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { loadOnDemand } from "./on-demand.ts";
import type { FeatureValue, PlannedOnDemand } from "./plan.ts";

const planned = (
  compute: OnDemandDefinition["compute"],
  returns: ColumnType = "float64",
  request: Record<string, ColumnType> = {},
): PlannedOnDemand => {
  const definition: OnDemandDefinition = { kind: "on-demand", name: "f", inputs: [], request, returns, seasonal: false, compute };
  const plan = compileFeaturePlan({
    name: "m",
    features: [{ name: "f", type: returns, id: "on-demand.f", keys: {}, request, seasonal: false, from: definition }],
  });
  const [first] = plan.onDemand;
  if (first === undefined) throw new TypeError("no on-demand feature in the plan");
  return first;
};
const run = (
  compute: OnDemandDefinition["compute"],
  returns?: ColumnType,
  row: Record<string, FeatureValue> = {},
  request?: Record<string, ColumnType>,
) => loadOnDemand(planned(compute, returns, request))(row);

const outer = 3;
const refusal = (name: string) =>
  expect.objectContaining({ code: "FEATURE_ON_DEMAND_NOT_SELF_CONTAINED", message: expect.stringContaining(`uses ${name},`) });

describe("an on-demand function", () => {
  test("runs from its text as it was written: arrow, function or method", () => {
    expect(run(() => 1)).toBe(1);
    expect(
      run(function named() {
        return 2;
      }),
    ).toBe(2);
    const definition = {
      compute() {
        return 3;
      },
    };
    expect(run(definition.compute)).toBe(3);
  });

  test("gets timestamps as dates and gives dates back as microseconds", () => {
    const row = { at: 1_372_680_000_000_000 };
    expect(run(({ at }) => (at instanceof Date ? at.getUTCFullYear() : null), "int32", row, { at: "timestamp" })).toBe(2013);
    expect(run(({ at }) => (at instanceof Date ? new Date(at.getTime() + 1) : null), "timestamp", row, { at: "timestamp" })).toBe(
      1_372_680_000_001_000,
    );
    expect(run(() => new Date(Number.NaN), "timestamp")).toBeNull();
  });

  test("is null without a call where a request field is null", () => {
    expect(run(({ a }) => Number(a) + 1, "float64", { a: null }, { a: "float64" })).toBeNull();
    expect(run(({ a }) => Number(a) + 1, "float64", {}, { a: "float64" })).toBeNull();
  });

  test("gives null for undefined and NaN", () => {
    expect(run(() => Number.NaN)).toBeNull();
    expect(run((() => undefined) as unknown as OnDemandDefinition["compute"])).toBeNull();
  });

  test("equals the function it was made of, whatever the numbers", () => {
    const compute: OnDemandDefinition["compute"] = ({ a, b }) =>
      typeof a === "number" && typeof b === "number" ? Math.hypot(a, b) * 3 - a / (b + 0.5) : null;
    const rebuilt = loadOnDemand(planned(compute, "float64", { a: "float64", b: "float64" }));
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        const expected = compute({ a, b });
        expect(rebuilt({ a, b })).toBe(Number.isNaN(expected) ? null : expected);
      }),
    );
  });

  test("of a request field is the field", () => {
    const plan = compileFeaturePlan({ name: "m", features: [requestField('odd "name"\n', string())] });
    const [field] = plan.onDemand;
    expect(field && loadOnDemand(field)({ 'odd "name"\n': "x" })).toBe("x");
  });
});

describe("a function that is not self-contained is refused by the name it stumbles on", () => {
  test.each<[string, OnDemandDefinition["compute"]]>([
    ["outer", () => outer],
    ["process", () => process.pid],
    ["require", () => new Function("return require")()],
    ["Math.random", () => Math.random()],
    ["Date.now", () => Date.now()],
    ["new Date()", () => new Date()],
    ["console", () => Number(console.log("x"))],
  ])("%s", (name, compute) => {
    // `new Function` is forbidden in the realm altogether, so that name is met when the function runs.
    if (name === "require") expect(() => run(compute)).toThrow(expect.objectContaining({ code: "FEATURE_ON_DEMAND_FAILED" }));
    else expect(() => planned(compute)).toThrow(refusal(name));
  });

  test("also in a branch that only some values enter", () => {
    const branch = onDemand("branch", {
      inputs: [],
      request: { at: timestamp(), amount: float64() },
      returns: "float64",
      compute: ({ at, amount }) => (at.getUTCFullYear() === 1970 && amount < 0 ? outer : amount),
    });
    expect(() => compileFeaturePlan({ name: "m", features: [branch] })).toThrow(refusal("outer"));
  });

  test("and at the latest when a row enters a branch that no probe has entered", () => {
    const hidden = loadOnDemand(planned(({ a }) => (a === 42 ? outer : 1), "float64", { a: "float64" }));
    expect(hidden({ a: 1 })).toBe(1);
    expect(() => hidden({ a: 42 })).toThrow(refusal("outer"));
  });
});

describe("an on-demand function fails clearly", () => {
  test("when it throws", () => {
    const text: OnDemandDefinition["compute"] = ({ name }) => String(name).repeat(-1);
    expect(() => run(text, "string", { name: "a" }, { name: "string" })).toThrow(
      expect.objectContaining({ code: "FEATURE_ON_DEMAND_FAILED" }),
    );
  });

  test.each<[ColumnType, unknown]>([
    ["int32", 1.5],
    ["int32", 2 ** 40],
    ["int64", 2 ** 60],
    ["string", 1],
    ["float64", "1"],
    ["bool", 1],
    ["timestamp", 5],
    ["float64", {}],
    ["float64", Promise.resolve(1)],
  ])("when it returns another type than %s", (returns, value) => {
    const asJson = JSON.stringify(value);
    const compute = new Function(
      `return ${value instanceof Promise ? "(async () => 1)()" : asJson};`,
    ) as OnDemandDefinition["compute"];
    expect(() => run(compute, returns)).toThrow(expect.objectContaining({ code: "FEATURE_ON_DEMAND_TYPE" }));
  });

  test("when its text cannot be compiled on its own", () => {
    expect(() => planned(Math.max as unknown as OnDemandDefinition["compute"])).toThrow(
      expect.objectContaining({ code: "FEATURE_ON_DEMAND_SOURCE" }),
    );
  });

  test("when the stored text is not what was stored", () => {
    const good = planned(() => 1);
    expect(() => loadOnDemand({ ...good, code: "() => 2" })).toThrow(
      expect.objectContaining({ code: "FEATURE_ON_DEMAND_SOURCE" }),
    );
  });
});
