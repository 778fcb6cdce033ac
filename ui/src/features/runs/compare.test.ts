import { describe, expect, it } from "vitest";
import { bestRun, comparedFilter, compareMetrics, compareTexts, inAskedOrder, labelOf, metricDots } from "./compare.ts";
import { listedRun } from "./listed-run.fixture.ts";

describe("runs side by side", () => {
  it("are asked for at once and shown in the order of the address, with those that are gone", () => {
    expect(comparedFilter(["a", "b"])).toBe("run_id IN ('a', 'b')");
    const { runs, missing } = inAskedOrder(["b", "x", "a"], [listedRun("a"), listedRun("b")]);
    expect([runs.map(({ id }) => id), missing]).toEqual([["b", "a"], ["x"]]);
  });
  it("are told apart by their ids where they share a name", () => {
    const runs = [listedRun("0123456789", {}, {}, { name: "x" }), listedRun("abcdefghij", {}, {}, { name: "x" }), listedRun("y")];
    expect(runs.map((run) => labelOf(run, runs))).toEqual(["x (01234567)", "x (abcdefgh)", "y"]);
  });
  it("have params that differ first, and a missing one counts as different", () => {
    expect(
      compareTexts([
        { seed: "1", rate: "0.1" },
        { seed: "1", rate: "0.2", leaves: "63" },
      ]),
    ).toEqual([
      { name: "leaves", values: [null, "63"], differs: true },
      { name: "rate", values: ["0.1", "0.2"], differs: true },
      { name: "seed", values: ["1", "1"], differs: false },
    ]);
  });
});

describe("bestRun", () => {
  it("takes the greatest of a score and the least of a loss", () => {
    const runs = [listedRun("a", { roc_auc: 0.7, log_loss: 0.5 }), listedRun("b", { roc_auc: 0.8, log_loss: 0.6 })];
    expect([bestRun(runs, "roc_auc"), bestRun(runs, "log_loss")]).toEqual([1, 0]);
  });
  it("names none where two share it, or where there is nothing to compare", () => {
    expect(bestRun([listedRun("a", { f1: 0.5 }), listedRun("b", { f1: 0.5 })], "f1")).toBeNull();
    expect(bestRun([listedRun("a", { f1: 0.5 }), listedRun("b", {})], "f1")).toBeNull();
    expect(bestRun([], "f1")).toBeNull();
  });
  it("claims nothing of a metric of which nobody said whether more of it is better", () => {
    expect(bestRun([listedRun("a", { epochs: 5 }), listedRun("b", { epochs: 9 })], "epochs")).toBeNull();
    expect(bestRun([listedRun("a", { val_loss: 0.5 }), listedRun("b", { val_loss: 0.2 })], "val_loss")).toBe(1);
    expect(bestRun([listedRun("a", { "val/accuracy": 0.5 }), listedRun("b", { "val/accuracy": 0.7 })], "val/accuracy")).toBe(1);
  });
});

describe("compareMetrics", () => {
  it("marks the best and what differs, and names what is no finite number", () => {
    const [auc, loss] = compareMetrics([
      listedRun("a", { roc_auc: 0.7 }, {}, { notFinite: { loss: "NaN" } }),
      listedRun("b", { roc_auc: 0.8, loss: 1 }),
    ]);
    expect(auc).toMatchObject({ name: "roc_auc", label: "ROC AUC", differs: true, cells: [{ best: false }, { best: true }] });
    expect(loss).toMatchObject({
      name: "loss",
      differs: true,
      cells: [{ text: "NaN", estimate: undefined }, { text: undefined }],
    });
  });
  it("draws a dot for each estimate, of metrics that were measured with an interval", () => {
    const bare = { epochs: { value: 3, low: 3, high: 3 } };
    expect(
      metricDots([
        { label: "x", metrics: { ...listedRun("a", { f1: 0.5 }).metrics, ...bare } },
        { label: "y", metrics: bare },
      ]),
    ).toEqual([{ row: "x", metric: "F1", value: 0.5, low: 0.4, high: 0.6 }]);
  });
});
