import { describe, expect, it } from "vitest";
import { MOST_COMPARED, otherList, readCompareSearch, readRunsSearch, without } from "./address.ts";
import { comparison, DEFAULT_FILTER, filterOf, runsQuery, togglePage, toggleSelection, withCondition } from "./prepare.ts";

describe("the address of a list of runs", () => {
  it("says everything that the list shows, and is read back as it was written", () => {
    const search = {
      experiment: "612345678901234567",
      filter: "metrics.auc > 0.9",
      sort: "metrics.auc",
      descending: true,
      view: "deleted",
      columns: ["metrics.auc", "params.lr"],
      cursor: "abc",
      page: 3,
    } as const;
    expect(readRunsSearch(search)).toEqual(search);
  });
  it("leaves out what cannot be meant, but keeps an empty filter, which means every run", () => {
    expect(readRunsSearch({ experiment: "", filter: "", view: "all", columns: "x", descending: true, page: 2 })).toEqual({
      filter: "",
    });
    expect(readRunsSearch({ experiment: 7, columns: ["a", "a", "", 4, {}], cursor: "c", page: -1 })).toEqual({
      experiment: "7",
      columns: ["a", "4"],
      cursor: "c",
    });
  });
  it("begins another list at its first page", () => {
    expect(otherList({ filter: "a = 1", view: "deleted", cursor: "c", page: 4 }, { filter: "" })).toEqual({
      filter: "",
      view: "deleted",
    });
    expect(without({ view: "deleted", experiment: "1" }, "view")).toEqual({ experiment: "1" });
  });
  it("names each compared run once, and no more than can be read", () => {
    const ids = Array.from({ length: 30 }, (_, index) => `r${index}`);
    expect(readCompareSearch({ ids: ["a", "b", "a", null] }).ids).toEqual(["a", "b"]);
    expect(readCompareSearch({ ids }).ids).toEqual(ids.slice(0, MOST_COMPARED));
    expect(readCompareSearch({ ids: "a" }).ids).toEqual([]);
  });
});

describe("runsQuery", () => {
  it("hides the trials of searches until somebody says what to search for", () => {
    expect(runsQuery({})).toEqual({ limit: 50, view: "active", filter: DEFAULT_FILTER });
    expect(runsQuery({ filter: "" })).toEqual({ limit: 50, view: "active" });
    expect(filterOf({ filter: "params.a = '1'" })).toBe("params.a = '1'");
  });
  it("asks by experiment, order, view and place", () => {
    expect(
      runsQuery({ filter: "", experiment: "1", sort: "metrics.auc", descending: true, view: "deleted", cursor: "c", page: 2 }),
    ).toEqual({ limit: 50, view: "deleted", orderBy: 'metrics."auc" DESC', experimentId: "1", cursor: "c" });
  });
});

describe("withCondition", () => {
  it("adds to what is asked for without changing what that means, and never twice", () => {
    expect(withCondition("", "status = 'failed'")).toBe("status = 'failed'");
    expect(withCondition("a.b = 1", "status = 'failed'")).toBe("a.b = 1 AND status = 'failed'");
    expect(withCondition("metrics.a = 1 or metrics.b = 1", "status = 'failed'")).toBe(
      "(metrics.a = 1 or metrics.b = 1) AND status = 'failed'",
    );
    expect(withCondition("status = 'failed'", "status = 'failed'")).toBe("status = 'failed'");
  });
});

describe("the selection", () => {
  it("takes a run, and lets it go when it is taken twice", () => {
    expect([toggleSelection(["a"], "b"), toggleSelection(["a", "b"], "a")]).toEqual([["a", "b"], ["b"]]);
  });
  it("takes a page beside what was taken on others, and lets it go again", () => {
    const taken = togglePage(["other", "p1"], ["p0", "p1"]);
    expect(taken).toEqual(["other", "p0", "p1"]);
    expect(togglePage(taken, ["p0", "p1"])).toEqual(["other"]);
  });
  it("is compared from two runs to as many as can be read", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `r${index}`);
    expect([0, 1, 2, MOST_COMPARED, MOST_COMPARED + 1].map((count) => comparison(many(count)))).toEqual([
      { label: "Select runs to compare", possible: false },
      { label: "Select runs to compare", possible: false },
      { label: "Compare 2 runs", possible: true },
      { label: "Compare 20 runs", possible: true },
      { label: "At most 20 can be compared", possible: false },
    ]);
  });
});
