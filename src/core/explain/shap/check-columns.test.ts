import { describe, expect, it } from "vitest";
import type { LinearEstimator, Matrix, Tree, TreesEstimator } from "../../training/index.ts";
import type { ColumnShap } from "./column-shap.ts";
import { createInterventionalShap } from "./interventional-shap.ts";
import { kernelShap, matrixGame } from "./kernel-shap.ts";
import { createLinearShap } from "./linear-shap.ts";
import { createTreeInteractions } from "./tree-interactions.ts";
import { createTreeShap } from "./tree-shap.ts";

const mismatch = expect.objectContaining({ code: "EXPLAIN_FEATURES_MISMATCH" });
const columnsOf = (rows: number, count: number) => Array.from({ length: count }, (_, j) => new Float64Array(rows).fill(j));
const matrixOf = (rows: number, count: number): Matrix => ({ rows, columns: columnsOf(rows, count) });

const stump: Tree = {
  feature: Int32Array.of(1, -1, -1),
  threshold: Float64Array.of(0.5, 0, 0),
  left: Int32Array.of(1, -1, -1),
  right: Int32Array.of(2, -1, -1),
  missingLeft: new Uint8Array(3),
  value: Float64Array.of(0, 1, 2),
  cover: Float64Array.of(2, 1, 1),
};
const trees: TreesEstimator = { kind: "trees", link: "identity", base: Float64Array.of(0), trees: [stump] };
const linear: LinearEstimator = {
  kind: "linear",
  link: "identity",
  intercepts: Float64Array.of(0),
  coefficients: Float64Array.of(1, 2, 3),
};
const EXPLAINERS: Record<string, ColumnShap> = {
  "path-dependent SHAP": createTreeShap(trees, 3),
  "interventional SHAP": createInterventionalShap(trees, matrixOf(5, 3)),
  "linear SHAP": createLinearShap(linear, new Float64Array(3)),
};

describe.each(Object.entries(EXPLAINERS))("%s of three columns", (_, shap) => {
  // Few rows are walked, many are looked up in tables.
  it.each([2, 300])("refuses %i rows of two or four columns, and of a column that is too short", (rows) => {
    expect(shap.explainMatrix(matrixOf(rows, 3)).every(Number.isFinite)).toBe(true);
    expect(() => shap.explainMatrix(matrixOf(rows, 2))).toThrow(mismatch);
    expect(() => shap.explainMatrix(matrixOf(rows, 4))).toThrow(mismatch);
    const short = [...columnsOf(rows, 2), new Float64Array(rows - 1)];
    expect(() => shap.explainMatrix({ rows, columns: short })).toThrow(mismatch);
  });

  it("refuses a row of two values, and too little room for the answer", () => {
    expect(() => shap.explainRow(new Float64Array(2), new Float64Array(3))).toThrow(mismatch);
    expect(() => shap.explainRow(new Float64Array(3), new Float64Array(2))).toThrow(mismatch);
  });
});

it("interactions refuse a row of two values, and too little room for the answer", () => {
  const { explainRow } = createTreeInteractions(trees, 3);
  expect(() => explainRow(new Float64Array(2), new Float64Array(9))).toThrow(mismatch);
  expect(() => explainRow(new Float64Array(3), new Float64Array(3))).toThrow(mismatch);
});

it("backgrounds have the columns of what is explained, each of one length", () => {
  expect(() => createInterventionalShap(trees, { rows: 5, columns: [...columnsOf(5, 2), new Float64Array(4)] })).toThrow(
    mismatch,
  );
  expect(() => createLinearShap(linear, new Float64Array(2))).toThrow(mismatch);
  expect(() => matrixGame(() => new Float64Array(1), 1, [1, 2], matrixOf(5, 3))).toThrow(mismatch);
});

describe("kernel SHAP", () => {
  it.each([2, 14])("refuses a game of %i players whose values are missing or too few", (players) => {
    const invalid = expect.objectContaining({ code: "EXPLAIN_VALUES_INVALID" });
    const count = (coalitions: Uint8Array) => coalitions.length / players;
    const nothing = (coalitions: Uint8Array) => new Float64Array(count(coalitions)).fill(Number.NaN);
    expect(() => kernelShap({ players, outputs: 1, value: nothing })).toThrow(invalid);
    const half = (coalitions: Uint8Array) => new Float64Array(count(coalitions) / 2);
    expect(() => kernelShap({ players, outputs: 1, value: half })).toThrow(invalid);
  });
});
