import { describe, expect, it } from "vitest";
import { readModelSearch, readModelsSearch } from "./address.ts";

describe("the address of the list of models", () => {
  it("keeps filter and place", () => {
    const search = { filter: "name LIKE 'churn%'", cursor: "abc", page: 3 };
    expect(readModelsSearch(search)).toEqual(search);
  });

  it("leaves out what cannot be meant: a page without its cursor, a page before the second, an empty filter", () => {
    expect(readModelsSearch({ filter: "", page: 2 })).toEqual({});
    expect(readModelsSearch({ cursor: "abc", page: 1 })).toEqual({ cursor: "abc" });
    expect(readModelsSearch({ filter: 7, cursor: 7 })).toEqual({});
  });
});

describe("the address of a model", () => {
  it("keeps version, tab and what is compared", () => {
    const search = { version: 3, tab: "compare", from: 1 };
    expect(readModelSearch(search)).toEqual(search);
  });

  it("leaves out versions and tabs that cannot be", () => {
    expect(readModelSearch({ version: 0, tab: "nowhere", from: 1.5 })).toEqual({});
    expect(readModelSearch({ version: "3" })).toEqual({});
  });
});
