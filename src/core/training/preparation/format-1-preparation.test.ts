import { describe, expect, it } from "vitest";
import { encodeRow } from "./encode.ts";
import { migratePreparation, type PreparationOfFormat1 } from "./format-1-preparation.ts";

const linear: PreparationOfFormat1 = {
  columns: [
    { kind: "number", feature: 0, fill: 2, mean: 1, scale: 4 },
    { kind: "missing", feature: 0 },
    { kind: "category", feature: 1, category: "AA" },
    { kind: "category", feature: 1, category: "UA" },
    { kind: "category", feature: 1, category: null },
    { kind: "missing", feature: 1 },
  ],
};
const tree: PreparationOfFormat1 = {
  columns: [
    { kind: "number", feature: 0, fill: null, mean: 0, scale: 1 },
    { kind: "rank", feature: 1, ranks: { UA: 1, AA: 0 }, unseen: 0.5 },
  ],
};

describe("a preparation of format 1", () => {
  it("gives the figures that it gave, for linear estimators", () => {
    const migrated = migratePreparation(linear);
    expect([...encodeRow(migrated, [9, "AA"])]).toEqual([2, 0, 1, 0, 0, 0]);
    expect([...encodeRow(migrated, [null, "UA"])]).toEqual([0.25, 1, 0, 1, 0, 0]);
    expect([...encodeRow(migrated, [1, "HA"])]).toEqual([0, 0, 0, 0, 1, 0]);
    expect([...encodeRow(migrated, [1, null])]).toEqual([0, 0, 0, 0, 0, 1]);
  });

  it("gives the figures that it gave, for trees", () => {
    const migrated = migratePreparation(tree);
    expect([...encodeRow(migrated, [9, "AA"])]).toEqual([9, 0]);
    expect([...encodeRow(migrated, [null, "HA"])]).toEqual([Number.NaN, 0.5]);
    expect([...encodeRow(migrated, [true, null])]).toEqual([1, Number.NaN]);
  });

  it("knows one-hot columns of which all are rare, or none is", () => {
    const allRare = migratePreparation({ columns: [{ kind: "category", feature: 0, category: null }] });
    expect([encodeRow(allRare, ["x"])[0], encodeRow(allRare, [null])[0]]).toEqual([1, 0]);
    const none = migratePreparation({ columns: [{ kind: "category", feature: 0, category: "x" }] });
    expect([encodeRow(none, ["x"])[0], encodeRow(none, ["y"])[0], encodeRow(none, [null])[0]]).toEqual([1, 0, 0]);
  });
});
