import { describe, expect, it } from "vitest";
import type { Run } from "../../../../src/contract/index.ts";
import { bestRun, compareParams, leadingMetrics, MOST_COMPARED, metricDots, runFilter, toggleSelection } from "./prepare.ts";

const run = (id: string, metrics: Record<string, number>, params: Record<string, string> = {}): Run => ({
  id,
  name: id,
  experiment: "e",
  experimentId: "1",
  status: "finished",
  lifecycle: "active",
  parentRunId: null,
  startedAt: "2013-11-01T00:00:00Z",
  endedAt: null,
  actor: "anna",
  userName: "",
  notFinite: {},
  metrics: Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, { value, low: value - 0.1, high: value + 0.1 }]),
  ),
  tags: {},
  params,
  datasets: [],
  artifactUri: "",
  artifacts: [],
  snapshots: [],
  gitCommit: null,
  gitDiff: null,
  traceId: null,
});

describe("runFilter", () => {
  it("hides trials unless they are asked for, and says nothing where nothing is chosen", () => {
    expect(runFilter(null, true)).toBe("");
    expect(runFilter(null, false)).toBe("tags.`orrery.trial` IS NULL");
    expect(runFilter("failed", false)).toBe("attributes.status = 'failed' AND tags.`orrery.trial` IS NULL");
  });
});

describe("compareParams", () => {
  it("puts those that differ first, and counts a missing one as different", () => {
    const rows = compareParams([
      run("a", {}, { seed: "1", rate: "0.1" }),
      run("b", {}, { seed: "1", rate: "0.2", leaves: "63" }),
    ]);
    expect(rows).toEqual([
      { name: "leaves", values: [null, "63"], differs: true },
      { name: "rate", values: ["0.1", "0.2"], differs: true },
      { name: "seed", values: ["1", "1"], differs: false },
    ]);
  });
});

describe("bestRun", () => {
  it("takes the greatest of a score and the least of a loss", () => {
    const runs = [run("a", { roc_auc: 0.7, log_loss: 0.5 }), run("b", { roc_auc: 0.8, log_loss: 0.6 })];
    expect([bestRun(runs, "roc_auc"), bestRun(runs, "log_loss")]).toEqual([1, 0]);
  });
  it("names none where two share it, or where there is nothing to compare", () => {
    expect(bestRun([run("a", { f1: 0.5 }), run("b", { f1: 0.5 })], "f1")).toBeNull();
    expect(bestRun([run("a", { f1: 0.5 }), run("b", {})], "f1")).toBeNull();
    expect(bestRun([], "f1")).toBeNull();
  });
});

describe("the list of runs", () => {
  it("shows the leading metrics of any run on the page", () => {
    expect(leadingMetrics([run("a", { ece: 0, own: 1 }), run("b", { roc_auc: 1 })], 2)).toEqual(["roc_auc", "ece"]);
  });
  it("draws a dot for each estimate that is there", () => {
    expect(
      metricDots([
        { label: "x", metrics: run("a", { f1: 0.5 }).metrics },
        { label: "y", metrics: {} },
      ]),
    ).toEqual([{ row: "x", metric: "F1", value: 0.5, low: 0.4, high: 0.6 }]);
  });
  it("forgets the oldest choice when there are too many, and a choice made twice", () => {
    const many = Array.from({ length: MOST_COMPARED }, (_, index) => `r${index}`);
    expect(toggleSelection(many, "new")).toEqual([...many.slice(1), "new"]);
    expect(toggleSelection(["a", "b"], "a")).toEqual(["b"]);
  });
});
