import { describe, expect, it } from "vitest";
import { listedRun } from "./listed-run.fixture.ts";
import { axisChoices, parallelChart, stretchesOf, usualAxes } from "./parallel.ts";

const runs = [
  listedRun("a", { roc_auc: 0.7 }, { rate: "0.001", depth: "4", kind: "tree", seed: "7" }),
  listedRun("b", { roc_auc: 0.9 }, { rate: "0.1", depth: "6", kind: "linear", seed: "7" }),
  listedRun("c", {}, { rate: "1", depth: "8", seed: "7" }),
];

describe("parallel coordinates", () => {
  it("have an axis for each param that tells the runs apart, and the leading metric last", () => {
    expect(usualAxes(runs)).toEqual(["params.depth", "params.kind", "params.rate", "metrics.roc_auc"]);
    expect(axisChoices(runs)).toEqual(["params.depth", "params.kind", "params.rate", "params.seed", "metrics.roc_auc"]);
  });
  it("place numbers by size, wide ranges by their powers, words by the alphabet", () => {
    const { axes, lines } = parallelChart(runs, ["params.depth", "params.rate", "params.kind", "metrics.roc_auc"]);
    expect(lines.map(({ places }) => places[0])).toEqual([0, 0.5, 1]);
    expect(lines.map(({ places }) => places[1])).toEqual([0, expect.closeTo(2 / 3, 12), 1]);
    expect(lines.map(({ places }) => places[2])).toEqual([0, 1, null]);
    expect(axes[0]?.ticks.map(({ label }) => label)).toEqual(["4", "6", "8"]);
    expect(axes[2]?.ticks).toEqual([
      { at: 0, label: "tree" },
      { at: 1, label: "linear" },
    ]);
    expect(lines.map(({ shade }) => shade)).toEqual([0, 1, null]);
  });
  it("put a value that all share in the middle", () => {
    const { axes, lines } = parallelChart(runs, ["params.seed"]);
    expect([axes[0]?.ticks, lines.map(({ places }) => places[0])]).toEqual([[{ at: 0.5, label: "7" }], [0.5, 0.5, 0.5]]);
  });
  it("read a param as words as soon as one value is no number", () => {
    const mixed = [listedRun("a", {}, { depth: "4" }), listedRun("b", {}, { depth: "none" })];
    expect(parallelChart(mixed, ["params.depth"]).axes[0]?.ticks.map(({ label }) => label)).toEqual(["none", "4"]);
  });
  it("break a line where a run has nothing", () => {
    const line = { id: "a", label: "a", places: [0.1, 0.2, null, 0.4], shade: 0.4, values: [] };
    expect(stretchesOf(line)).toEqual([
      [
        { axis: 0, at: 0.1 },
        { axis: 1, at: 0.2 },
      ],
      [{ axis: 3, at: 0.4 }],
    ]);
  });
});
