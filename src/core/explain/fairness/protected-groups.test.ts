import { describe, expect, it } from "vitest";
import { categoricalColumn } from "../../../../test/fixtures/training-data.ts";
import { protectedGroups } from "./protected-groups.ts";

describe("protectedGroups", () => {
  it("has the combinations that occur, missing values among them", () => {
    const sex = categoricalColumn("sex", ["f", "m", null, "f", "m"]);
    const age = categoricalColumn("age", ["old", "young", "old", "old", "old"]);
    const { columns, values, group } = protectedGroups([sex, age]);
    expect(columns).toEqual(["sex", "age"]);
    expect(Array.from(group, (each) => values[each])).toEqual([
      ["f", "old"],
      ["m", "young"],
      [null, "old"],
      ["f", "old"],
      ["m", "old"],
    ]);
    expect(values).toHaveLength(4);
  });

  it("takes columns of 100,000 categories, two of them together too", () => {
    const rows = 200_000;
    const many = (id: string, step: number) => ({
      kind: "categorical" as const,
      id,
      codes: Int32Array.from({ length: rows }, (_, row) => (row * step) % 100_000),
      categories: Array.from({ length: 100_000 }, (_, code) => `c${code}`),
    });
    const { values, group } = protectedGroups([many("a", 1), many("b", 3)]);
    expect(values).toHaveLength(100_000);
    expect(values[group[70_000]]).toEqual(["c70000", "c10000"]);
  });

  it("refuses no column, and columns of different lengths", () => {
    const invalid = expect.objectContaining({ code: "EXPLAIN_GROUPS_INVALID" });
    expect(() => protectedGroups([])).toThrow(invalid);
    expect(() => protectedGroups([categoricalColumn("a", ["x"]), categoricalColumn("b", ["x", "y"])])).toThrow(invalid);
  });
});
