import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PlanIR, type PlanStep, validatePlan } from "./index.ts";

const step = (name: string, needs: readonly string[] = [], more: Partial<PlanStep> = {}): PlanStep => ({
  name,
  module: "file:///steps/step.ts",
  needs,
  params: {},
  cache: false,
  effect: false,
  retries: 0,
  timeoutMs: 1_000,
  ...more,
});
const plan = (...steps: PlanStep[]): PlanIR => ({ formatVersion: 1, pipeline: "daily", steps });

describe("a plan", () => {
  test("of steps in any order is valid when none waits for itself", () => {
    const valid = plan(step("c", ["a", "b"]), step("b", ["a"]), step("a"), step("record:x", ["c"], { module: "", effect: true }));
    expect(validatePlan(valid)).toBe(valid);
  });

  test("that waits for itself names the circle", () => {
    const circle = plan(step("start"), step("a", ["start", "c"]), step("b", ["a"]), step("c", ["b"]), step("behind", ["c"]));
    expect(() => validatePlan(circle)).toThrow(
      expect.objectContaining({ code: "PIPELINE_CYCLE", details: { cycle: expect.arrayContaining(["a", "b", "c"]) } }),
    );
    expect(() => validatePlan(plan(step("a", ["a"])))).toThrow("a -> a");
  });

  test("with an unknown need, a name twice or no steps is refused", () => {
    expect(() => validatePlan(plan(step("a", ["ingset"])))).toThrow(expect.objectContaining({ code: "PIPELINE_NEED_UNKNOWN" }));
    expect(() => validatePlan(plan(step("a"), step("a")))).toThrow(expect.objectContaining({ code: "PIPELINE_STEP_DUPLICATE" }));
    expect(() => validatePlan(plan())).toThrow(expect.objectContaining({ code: "PIPELINE_PLAN_INVALID" }));
  });

  test.each<[string, Partial<PlanStep>]>([
    ["an empty name", { name: "" }],
    ["a name with a slash", { name: "a/b" }],
    ["a module that is no file", { module: "https://example.org/step.js" }],
    ["no module", { module: "" }],
    ["negative retries", { retries: -1 }],
    ["no timeout", { timeoutMs: 0 }],
    ["a timeout that is no number", { timeoutMs: Number.NaN }],
    ["a timeout that timers cannot keep", { timeoutMs: 2 ** 31 }],
    ["files that are no URLs", { files: ["./data.sql"] }],
    ["a function among its params", { params: { nested: { fn: () => 1 } } }],
    ["a date among its params", { params: { at: new Date(0) } }],
    ["not-a-number among its params", { params: { list: [1, Number.NaN] } }],
  ])("with %s is refused", (_, more) => {
    expect(() => validatePlan(plan(step("a", [], more)))).toThrow(
      expect.objectContaining({ code: "PIPELINE_PLAN_INVALID", kind: "invalid" }),
    );
  });

  test("is valid exactly when its steps can be put in an order (compared with depth-first search)", () => {
    const graph = fc
      .integer({ min: 1, max: 7 })
      .chain((size) =>
        fc
          .array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 12 })
          .map((edges) => Array.from({ length: size }, (_, node) => edges.filter(([from]) => from === node).map(([, to]) => to))),
      );
    fc.assert(
      fc.property(graph, (needs) => {
        const reaches = (from: number, to: number, seen = new Set<number>()): boolean =>
          (needs[from] ?? []).some((next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))));
        const circular = needs.some((_, node) => reaches(node, node));
        const made = plan(
          ...needs.map((each, node) =>
            step(
              `s${node}`,
              each.map((need) => `s${need}`),
            ),
          ),
        );
        if (circular) expect(() => validatePlan(made)).toThrow(expect.objectContaining({ code: "PIPELINE_CYCLE" }));
        else validatePlan(made);
      }),
    );
  });
});
