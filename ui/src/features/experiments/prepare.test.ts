import { describe, expect, it } from "vitest";
import type { Experiment } from "../../../../src/contract/index.ts";
import { experimentChoices, nameFilter, noteOf, readExperimentsSearch } from "./prepare.ts";

const experiment = (id: string, name: string, lifecycle: Experiment["lifecycle"] = "active"): Experiment => ({
  id,
  name,
  lifecycle,
  artifactLocation: "",
  createdAt: "2026-01-01T00:00:00Z",
  updatedAt: "2026-01-01T00:00:00Z",
  tags: id === "2" ? { "mlflow.note.content": "churn by region" } : {},
});

describe("the choice of an experiment", () => {
  it("asks for names that hold a text, whatever stands in it", () => {
    expect(nameFilter(" churn ")).toBe("name ILIKE '%churn%'");
    expect(nameFilter("50%_it's\\")).toBe("name ILIKE '%50\\%\\_it''s\\\\%'");
    expect(nameFilter("  ")).toBeUndefined();
  });
  it("holds the chosen one though the search has not found it, and tells deleted ones apart", () => {
    expect(experimentChoices([experiment("1", "a")], experiment("2", "a", "deleted"))).toEqual([
      { value: "2", label: "a (deleted, 2)" },
      { value: "1", label: "a" },
    ]);
    expect(experimentChoices([experiment("1", "a")], experiment("1", "a"))).toHaveLength(1);
  });
  it("knows what was written about one", () => {
    expect([noteOf(experiment("1", "a")), noteOf(experiment("2", "b"))]).toEqual(["", "churn by region"]);
  });
});

describe("readExperimentsSearch", () => {
  it("keeps what can be meant", () => {
    expect(readExperimentsSearch({ name: 7, view: "deleted", cursor: "x", page: 2 })).toEqual({
      name: "7",
      view: "deleted",
      cursor: "x",
      page: 2,
    });
    expect(readExperimentsSearch({ name: "", view: "all", page: 3 })).toEqual({});
  });
});
