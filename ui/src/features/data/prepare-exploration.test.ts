import { describe, expect, it } from "vitest";
import type { SourceExploration } from "../../../../src/contract/index.ts";
import { correlationCells, correlationColour, missingBars, targetBars, targetChoices } from "./prepare-exploration.ts";

const column = (name: string, type: string, distinct: number): SourceExploration["profile"]["columns"][number] => ({
  name,
  type,
  nulls: 0,
  distinct,
  min: null,
  max: null,
  mean: null,
  std: null,
  quantiles: null,
  histogram: null,
  top: [],
});

describe("correlations", () => {
  const pearson = {
    method: "pearson" as const,
    features: ["a", "b"],
    values: [
      [1, 0.1],
      [0.1, 1],
    ],
  };
  it("are every pair both ways round, by ranks where there are ranks", () => {
    const spearman = {
      method: "spearman" as const,
      features: ["a", "b"],
      values: [
        [1, -0.5],
        [-0.5, null],
      ],
    };
    expect(correlationCells({ correlations: [pearson, spearman] })).toEqual([
      { row: "a", column: "a", value: 1 },
      { row: "a", column: "b", value: -0.5 },
      { row: "b", column: "a", value: -0.5 },
      { row: "b", column: "b", value: null },
    ]);
    expect(correlationCells({ correlations: [pearson] }).map(({ value }) => value)).toEqual([1, 0.1, 0.1, 1]);
    expect(correlationCells({ correlations: [] })).toEqual([]);
    expect(correlationCells({ correlations: [{ ...pearson, features: ["a"], values: [[1]] }] })).toEqual([]);
  });
  it("are of the twenty columns that go most with others, in their order", () => {
    const features = Array.from({ length: 22 }, (_, at) => `c${at}`);
    const values = features.map((_, row) => features.map((__, at) => (row === at ? 1 : row < 2 || at < 2 ? 0 : 0.3)));
    const shown = [
      ...new Set(correlationCells({ correlations: [{ method: "spearman", features, values }] }).map(({ row }) => row)),
    ];
    expect(shown).toEqual(features.slice(2));
  });
  it("have another colour for each sign, and more of it the stronger they are", () => {
    expect(correlationColour(0.5)).toBe("color-mix(in srgb, var(--o-low) 30%, var(--o-surface))");
    expect(correlationColour(-1)).toBe("color-mix(in srgb, var(--o-high) 60%, var(--o-surface))");
    expect(correlationColour(null)).toBe("var(--o-sunken)");
  });
});

describe("what is missing together", () => {
  const profile = { source: "s", snapshot: "x", rows: 200, columns: [] };
  it("is a share of all rows, the most frequent first", () => {
    const patterns = [
      { columns: ["b"], rows: 5 },
      { columns: ["a", "b"], rows: 50 },
      { columns: [], rows: 145 },
    ];
    expect(missingBars({ profile, missingness: { patterns, pairs: [] } })).toEqual([
      { name: "a + b", share: 0.25, title: "a, b: 50 rows (25%)" },
      { name: "b", share: 0.025, title: "b: 5 rows (2.5%)" },
    ]);
  });
});

describe("a target", () => {
  it("has the columns that explain it, the strongest first", () => {
    const relations = [
      { feature: "weak", explained: 0.01, pearson: null, spearman: null, auc: null },
      { feature: "strong", explained: 0.4, pearson: 0.5, spearman: 0.6, auc: 0.8 },
    ];
    expect(targetBars({ target: { column: "y", task: "binary", rows: 9, relations } })).toEqual([
      { name: "strong", share: 0.4, title: "strong explains 40%\nSpearman 0.60\nAUC alone 0.800" },
      { name: "weak", share: 0.01, title: "weak explains 1.0%" },
    ]);
    expect(targetBars({ target: null })).toEqual([]);
  });
  it("is a column with several values that is no moment and no name", () => {
    const columns = [
      column("x", "float64", 9),
      column("one", "bool", 1),
      column("at", "timestamp", 9),
      column("id", "string", 5_000),
    ];
    expect(targetChoices({ profile: { source: "s", snapshot: "x", rows: 9, columns } })).toEqual(["x"]);
  });
});
