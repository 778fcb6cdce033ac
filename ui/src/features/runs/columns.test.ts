import { describe, expect, it } from "vitest";
import { cellOf, columnChoices, columnOf, nextSort, orderBy, runMetrics, shownColumns } from "./columns.ts";
import { listedRun } from "./listed-run.fixture.ts";

describe("columns of the list", () => {
  const runs = [
    listedRun("a", { ece: 0.1, own: 1 }, { seed: "1", rate: "0.1" }, { tags: { "mlflow.user": "x", team: "core" } }),
    listedRun("b", { roc_auc: 0.9 }, { seed: "1", rate: "0.2" }, { notFinite: { loss: "NaN" } }),
  ];
  it("are named as the search language names what they show", () => {
    expect(columnOf("metrics.val.loss")).toEqual({ room: "metrics", name: "val.loss" });
    expect([columnOf("loss"), columnOf("metrics."), columnOf("rooms.a")]).toEqual([null, null, null]);
  });
  it("are the leading metrics and the params that differ, unless somebody chose", () => {
    expect(shownColumns({}, runs)).toEqual(["metrics.roc_auc", "metrics.ece", "metrics.own", "metrics.loss", "params.rate"]);
    expect(shownColumns({ columns: ["tags.team", "nonsense"] }, runs)).toEqual(["tags.team"]);
    expect(shownColumns({ columns: [] }, runs)).toEqual([]);
  });
  it("are chosen from what runs have, with what is chosen already and programs' own tags last", () => {
    expect(columnChoices(runs, ["metrics.gone"]).map(({ group, items }) => [group, items.map(({ value }) => value)])).toEqual([
      ["Metrics", ["metrics.roc_auc", "metrics.ece", "metrics.own", "metrics.loss", "metrics.gone"]],
      ["Params", ["params.rate", "params.seed"]],
      ["Tags", ["tags.team", "tags.mlflow.user"]],
    ]);
    expect(columnChoices([], [])).toEqual([]);
  });
  it("show a metric with its interval, what is not finite as a word, and nothing where there is nothing", () => {
    const [a, b] = runs;
    expect(a && cellOf(a, "metrics.own")).toEqual({ kind: "estimate", estimate: { value: 1, low: 0.9, high: 1.1 } });
    expect(b && [cellOf(b, "metrics.loss"), cellOf(b, "params.rate"), cellOf(b, "tags.team")]).toEqual([
      { kind: "text", text: "NaN" },
      { kind: "text", text: "0.2" },
      { kind: "none" },
    ]);
    expect(runMetrics(runs)).toEqual(["roc_auc", "ece", "own", "loss"]);
  });
});

describe("the order of the list", () => {
  it("starts with the best of a metric, turns round, and ends as the list stands by itself", () => {
    const auc = "metrics.roc_auc";
    expect(nextSort({}, auc)).toEqual({ sort: auc, descending: true });
    expect(nextSort({ sort: auc, descending: true }, auc)).toEqual({ sort: auc });
    expect(nextSort({ sort: auc }, auc)).toEqual({});
    expect(nextSort({}, "metrics.log_loss")).toEqual({ sort: "metrics.log_loss" });
    expect(nextSort({ sort: auc }, "attributes.start_time")).toEqual({ sort: "attributes.start_time", descending: true });
    expect(nextSort({}, "params.seed")).toEqual({ sort: "params.seed" });
  });
  it("is written in the search language, whatever a name holds", () => {
    expect(orderBy({ sort: 'metrics.a "b", c', descending: true })).toBe('metrics."a ""b"", c" DESC');
    expect(orderBy({ sort: "attributes.run_name" })).toBe('attributes."run_name" ASC');
    expect([orderBy({}), orderBy({ sort: "nonsense" })]).toEqual([undefined, undefined]);
  });
});
