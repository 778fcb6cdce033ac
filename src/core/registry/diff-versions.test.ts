import { describe, expect, test } from "vitest";
import { diffVersions, type Gate, type VersionFacts } from "./index.ts";

const gate = (id: string, passed: boolean): Gate => ({
  id,
  model: "late",
  version: 1,
  championVersion: null,
  openedAt: 0,
  state: passed ? "passed" : "failed",
  passed,
  verdicts: [],
});
const facts = (version: number, more: Partial<VersionFacts> = {}): VersionFacts => ({
  version,
  tags: {},
  params: {},
  metrics: {},
  data: {},
  trainingSet: null,
  features: {},
  algorithm: {},
  commit: null,
  uncommitted: null,
  trainedAt: null,
  gate: null,
  ...more,
});

describe("the diff of two versions", () => {
  test("of two that are alike is empty but for their gates", () => {
    const same = { params: { c: "1" }, metrics: { auc: Number.NaN }, features: { a: "int64" }, commit: "abc", trainingSet: "t" };
    expect(diffVersions(facts(1, { ...same, gate: gate("g", true) }), facts(2, same))).toEqual({
      from: 1,
      to: 2,
      params: [],
      metrics: [],
      tags: [],
      data: [],
      trainingSet: null,
      features: { added: [], removed: [], changed: [], unknown: [] },
      code: { commit: null, uncommitted: { from: null, to: null } },
      algorithm: [],
      gates: { from: gate("g", true), to: null },
    });
  });

  test("lists what was added, removed and changed, by key", () => {
    const diff = diffVersions(
      facts(1, {
        params: { depth: "3", same: "x", old: "1" },
        metrics: { auc: 0.7, loss: Number.POSITIVE_INFINITY, gone: 1 },
        data: { flights: "s1", weather: "w1" },
        features: { a: "int64", b: "float64", c: "string" },
        trainingSet: "t1",
        commit: "abc",
        uncommitted: "+ line",
        algorithm: { candidate: "linear" },
      }),
      facts(2, {
        params: { depth: "4", same: "x", "a new": "" },
        metrics: { auc: 0.72, loss: 0.4, __proto__x: 0 },
        data: { flights: "s2", weather: "w1" },
        features: { b: "float64", c: "int64", d: "bool" },
        trainingSet: "t2",
        commit: "def",
        algorithm: { candidate: "boosting" },
      }),
    );
    expect(diff.params).toEqual([
      { key: "a new", from: null, to: "" },
      { key: "depth", from: "3", to: "4" },
      { key: "old", from: "1", to: null },
    ]);
    expect(diff.metrics).toEqual([
      { key: "__proto__x", from: null, to: 0, by: null },
      { key: "auc", from: 0.7, to: 0.72, by: expect.closeTo(0.02, 10) },
      { key: "gone", from: 1, to: null, by: null },
      { key: "loss", from: Number.POSITIVE_INFINITY, to: 0.4, by: null },
    ]);
    expect(diff.data).toEqual([{ key: "flights", from: "s1", to: "s2" }]);
    expect(diff.features).toEqual({
      added: ["d"],
      removed: ["a"],
      changed: [{ feature: "c", from: "string", to: "int64" }],
      unknown: [],
    });
    expect(diff.trainingSet).toEqual({ key: "training set", from: "t1", to: "t2" });
    expect(diff.code).toEqual({ commit: { key: "commit", from: "abc", to: "def" }, uncommitted: { from: "+ line", to: null } });
    expect(diff.algorithm).toEqual([{ key: "candidate", from: "linear", to: "boosting" }]);
  });

  test("reads names that objects have of themselves as any other", () => {
    const odd = (value: string) => JSON.parse(`{"constructor":"${value}","__proto__":"${value}"}`) as Record<string, string>;
    expect(diffVersions(facts(1, { params: odd("1") }), facts(2, { params: odd("2") })).params).toEqual([
      { key: "__proto__", from: "1", to: "2" },
      { key: "constructor", from: "1", to: "2" },
    ]);
    expect(diffVersions(facts(1), facts(2, { params: odd("2") })).params.map(({ from }) => from)).toEqual([null, null]);
  });

  test("says of features nothing where one version's are not known", () => {
    expect(diffVersions(facts(1, { features: null }), facts(2, { features: { a: "int64" } })).features).toEqual({
      added: [],
      removed: [],
      changed: [],
      unknown: [1],
    });
  });
});
