import { describe, expect, it } from "vitest";
import { childrenFilter, datasetRows, metricsNamed, modelsFilter, noteOf, ownTags, splitTags } from "./prepare-run.ts";

describe("a run's page", () => {
  it("tells people's tags from programs', and the note from both", () => {
    const tags = { team: "core", "mlflow.user": "x", "orrery.trial": "t", area: "eu", "mlflow.note.content": "*why*" };
    expect(splitTags(tags)).toEqual({
      own: [
        { key: "area", value: "eu" },
        { key: "team", value: "core" },
      ],
      programs: [
        { key: "mlflow.user", value: "x" },
        { key: "orrery.trial", value: "t" },
      ],
    });
    expect(ownTags(tags)).toEqual({ area: "eu", team: "core" });
    expect([noteOf({ tags }), noteOf({ tags: {} })]).toEqual(["*why*", ""]);
  });
  it("says what a data set was for and how many rows it had, where its profile says so", () => {
    const dataset = { name: "d", digest: "x", sourceType: "local", source: "a.csv", schema: null, profile: '{"num_rows": 1200}' };
    expect(datasetRows([{ dataset, tags: { "mlflow.data.context": "training" } }])).toEqual([
      { key: "d x", name: "d", digest: "x", context: "training", source: "local: a.csv", shape: "1,200 rows" },
    ]);
    for (const profile of [null, "no JSON", "[1]", '{"num_rows": "many"}'])
      expect(datasetRows([{ dataset: { ...dataset, profile, source: "" }, tags: {} }])[0]).toMatchObject({
        shape: "",
        context: "",
        source: "local",
      });
  });
  it("asks for what lies around it, whatever its id holds", () => {
    expect(childrenFilter("a'b")).toBe("parent_run_id = 'a''b'");
    expect(modelsFilter("a")).toBe("source_run_id = 'a'");
  });
  it("finds metrics by a part of their names", () => {
    expect(metricsNamed(["val/Loss", "loss", "auc"], " LOSS")).toEqual(["val/Loss", "loss"]);
    expect(metricsNamed(["a"], "")).toEqual(["a"]);
  });
});
