import { describe, expect, it } from "vitest";
import type { Profile, Snapshot } from "../../../../src/contract/index.ts";
import { allExpectations, allViolations, barHeights, erasedText, nullShare, otherColumns, topShares } from "./prepare.ts";

const column: Profile["columns"][number] = {
  name: "carrier",
  type: "string",
  nulls: 5,
  distinct: 2,
  min: null,
  max: null,
  mean: null,
  std: null,
  quantiles: null,
  histogram: null,
  top: [{ value: "UA", count: 15 }],
};

describe("a column's profile", () => {
  it("is drawn as shares of its highest bar", () => {
    expect(barHeights({ edges: [0, 1, 2, 3], counts: [2, 0, 8] })).toEqual([0.25, 0, 1]);
  });
  it("is not drawn when there is nothing in it", () => {
    expect(barHeights(null)).toEqual([]);
    expect(barHeights({ edges: [], counts: [] })).toEqual([]);
    expect(barHeights({ edges: [0, 1], counts: [0] })).toEqual([]);
  });
  it("has shares of all rows, and none in an empty table", () => {
    expect(nullShare(column, 20)).toBe(0.25);
    expect(topShares(column, 20)).toEqual([{ value: "UA", share: 0.75 }]);
    expect([nullShare(column, 0), topShares(column, 0)[0]?.share]).toEqual([0, 0]);
  });
});

describe("allViolations", () => {
  it("lists those of every source, most rows first", () => {
    const of = (source: string, rows: number): Snapshot => ({
      id: source,
      source,
      contentHash: "",
      asOf: "2013-01-01T00:00:00Z",
      createdAt: "2013-01-01T00:00:00Z",
      rows: 1,
      bytes: 1,
      parts: 1,
      quarantined: 0,
      violations: [{ column: "c", rule: "r", severity: "warn", rows, samples: [] }],
      expectations: [],
      erased: [],
    });
    expect(allViolations([of("a", 1), of("b", 9)]).map(({ source, rows }) => [source, rows])).toEqual([
      ["b", 9],
      ["a", 1],
    ]);
  });
});

describe("erasedText", () => {
  it("adds up what erasures took, and says nothing where there were none", () => {
    const erasure = (at: string, rows: number) => ({ erasure: "erasure-1", at, rows });
    expect(erasedText({ erased: [] })).toBe("");
    expect(erasedText({ erased: [erasure("2026-11-25T10:00:00Z", 1)] })).toBe("1 row, last on 2026-11-25");
    expect(erasedText({ erased: [erasure("2026-11-25T10:00:00Z", 40), erasure("2026-11-26T10:00:00Z", 1)] })).toBe(
      "41 rows, last on 2026-11-26",
    );
  });
});

describe("allExpectations", () => {
  it("lists those of every source, what is broken first and what was kept last", () => {
    const verdict = (kept: boolean | null) =>
      ({ rule: "rows", column: null, severity: "warn", kept, observed: 1, says: String(kept) }) as const;
    const of = (source: string, kept: readonly (boolean | null)[]): Snapshot => ({
      id: source,
      source,
      contentHash: "",
      asOf: "2013-01-01T00:00:00Z",
      createdAt: "2013-01-01T00:00:00Z",
      rows: 1,
      bytes: 1,
      parts: 1,
      quarantined: 0,
      violations: [],
      expectations: kept.map(verdict),
      erased: [],
    });
    expect(allExpectations([of("a", [true, null]), of("b", [false])]).map(({ source, says }) => `${source} ${says}`)).toEqual([
      "b false",
      "a null",
      "a true",
    ]);
  });
});

describe("otherColumns", () => {
  it("says what is not declared, and what is of another type", () => {
    const of = (schema?: Snapshot["schema"]): Snapshot => ({
      id: "s",
      source: "s",
      contentHash: "",
      asOf: "2013-01-01T00:00:00Z",
      createdAt: "2013-01-01T00:00:00Z",
      rows: 1,
      bytes: 1,
      parts: 1,
      quarantined: 0,
      violations: [],
      expectations: [],
      erased: [],
      ...(schema === undefined ? {} : { schema }),
    });
    const undeclared = [
      { column: "new", type: null },
      { column: "at", type: "timestamp" },
    ];
    expect(otherColumns([of(), of({ undeclared, retyped: [{ column: "x", declared: "int32", delivered: "string" }] })])).toEqual([
      { name: "s.new", says: "not declared" },
      { name: "s.at", says: "not declared (timestamp)" },
      { name: "s.x", says: "declared as int32, delivered as string" },
    ]);
  });
});
