import { describe, expect, it } from "vitest";
import { pageOfMlflowLink } from "./mlflow-links.ts";

/** The page with its parameters as the router reads them. */
const parts = (href: string | null) => {
  const { pathname, searchParams } = new URL(href ?? "", "http://a");
  return [pathname, Object.fromEntries([...searchParams].map(([name, value]) => [name, JSON.parse(value)]))];
};

describe("links of MLflow's clients", () => {
  it.each([
    ["#/experiments/612345678901234567/runs/abc", "/runs/abc", {}],
    ["#/experiments/1/runs/abc/model-metrics", "/runs/abc", {}],
    ["#/experiments/1/runs/abc/artifacts/plots/a%20b.png", "/runs/abc", { artifact: "plots/a b.png" }],
    ["#/experiments/612345678901234567", "/runs", { experiment: "612345678901234567" }],
    ["#/experiments/1?searchFilter=&orderByKey=x", "/runs", { experiment: "1" }],
    ["#/experiments", "/experiments", {}],
    ['#/compare-runs?runs=["a","b"]&experiments=["1"]', "/runs/compare", { ids: ["a", "b"] }],
    ["#/compare-runs?runs=[a", "/runs/compare", { ids: [] }],
    ["#/models/late%2Farrival/versions/3", "/models/late%2Farrival", {}],
    ["#/models", "/models", {}],
  ])("%s leads to its page here", (hash, path, search) => {
    expect(parts(pageOfMlflowLink(hash))).toEqual([path, search]);
  });
  it("leads nowhere but to this server", () => {
    expect(parts(pageOfMlflowLink("#/experiments/1/runs/..%2F..%2Fapi"))[0]).toBe("/runs/..%2F..%2Fapi");
    expect(parts(pageOfMlflowLink("#/models/%2F%2Fevil.example"))[0]).toBe("/models/%2F%2Fevil.example");
  });
  it.each(["", "#main", "#/", "#/traces/x", "#experiments/1", "#//evil.example"])("%j is none of them", (hash) => {
    expect(pageOfMlflowLink(hash)).toBeNull();
  });
});
