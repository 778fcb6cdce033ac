import { describe, expect, it } from "vitest";
import type { PipelineRun } from "../../../../src/contract/index.ts";
import { BOX, gantt, graph, layerSteps } from "./prepare.ts";

type Step = PipelineRun["steps"][number];
const START = Date.parse("2013-11-01T00:00:00Z");
const at = (seconds: number | null) => (seconds === null ? null : new Date(START + seconds * 1_000).toISOString());
const step = (name: string, needs: string[], from: number | null = null, to: number | null = null): Step => ({
  step: name,
  status: from === null ? "pending" : to === null ? "running" : "succeeded",
  needs,
  attempt: 1,
  startedAt: at(from),
  endedAt: at(to),
  error: null,
  candidateFailure: null,
});
const run = (steps: Step[]): PipelineRun => ({
  id: "p",
  pipeline: "daily",
  status: "running",
  trigger: { kind: "manual", reason: "" },
  actor: "anna",
  createdAt: at(0) ?? "",
  startedAt: at(0),
  endedAt: null,
  traceId: "",
  steps,
});
const names = (layers: Step[][]) => layers.map((layer) => layer.map((each) => each.step));

describe("layerSteps", () => {
  it("puts each step behind the longest way to it", () => {
    const steps = [step("deploy", ["a", "c"]), step("a", []), step("b", ["a"]), step("c", ["b"])];
    expect(names(layerSteps(steps))).toEqual([["a"], ["b"], ["c"], ["deploy"]]);
  });
  it("ends on a circle, a step that needs itself and one that needs an unknown one", () => {
    const layers = layerSteps([step("a", ["b"]), step("b", ["a"]), step("c", ["c"]), step("d", ["gone"])]);
    expect(names(layers).flat().sort()).toEqual(["a", "b", "c", "d"]);
  });
});

describe("gantt", () => {
  it("shows a candidate that could not be trained as failed, and why", () => {
    const candidateFailure = { code: "TRAIN_NOT_CONVERGED", kind: "invalid" as const, message: "no end", hint: "", details: {} };
    const [row] = gantt(run([{ ...step("train:linear", [], 0, 1), candidateFailure }]));
    expect(row).toMatchObject({ step: "train:linear", status: "failed", error: candidateFailure });
  });
  it("places steps over the time of the whole run", () => {
    const rows = gantt(run([step("a", [], 0, 5), step("b", ["a"], 5, 20)]));
    expect(rows.map(({ bar, seconds }) => [bar, seconds])).toEqual([
      [{ from: 0, length: 0.25 }, 5],
      [{ from: 0.25, length: 0.75 }, 15],
    ]);
  });
  it("lets a running step reach to now and draws none for what has not started", () => {
    const rows = gantt(run([step("a", [], 0, null), step("b", ["a"])]), START + 8_000);
    expect(rows.map(({ bar, seconds }) => [bar, seconds])).toEqual([
      [{ from: 0, length: 1 }, 8],
      [null, null],
    ]);
  });
  it("survives a run in which nothing has started", () => {
    expect(gantt(run([step("a", [])]))).toMatchObject([{ bar: null }]);
  });
});

describe("graph", () => {
  it("draws a column a layer and a curve a need, within its size", () => {
    const { boxes, edges, width, height } = graph([
      step("a", []),
      step("b", ["a"]),
      step("c", ["a"]),
      step("d", ["b", "c", "gone"]),
    ]);
    expect(edges.map(({ id }) => id)).toEqual(["a b", "a c", "b d", "c d"]);
    for (const { x, y } of boxes) {
      expect(x + BOX.width).toBeLessThanOrEqual(width);
      expect(y + BOX.height).toBeLessThanOrEqual(height);
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
    }
  });
});
