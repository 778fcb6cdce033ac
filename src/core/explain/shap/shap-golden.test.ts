import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readLightgbmModel } from "../../training/formats/lightgbm-model.ts";
import { createTreesScorer, type Matrix, type Tree, type TreesEstimator } from "../../training/index.ts";
import type { ColumnShap } from "./column-shap.ts";
import { createInterventionalShap } from "./interventional-shap.ts";
import { kernelShap, matrixGame } from "./kernel-shap.ts";
import { columnMeans, createLinearShap } from "./linear-shap.ts";
import { conditional, distance, shapleyValues } from "./shapley.fixture.ts";
import { createTreeInteractions } from "./tree-interactions.ts";
import { createTreeShap } from "./tree-shap.ts";

type Rows = readonly (readonly (number | null)[])[];

interface LightgbmCase {
  readonly name: string;
  readonly model: string;
  readonly outputs: number;
  readonly rows: Rows;
  readonly raw: readonly (readonly number[])[];
  /** Rows x outputs x (columns + base). */
  readonly lightgbm: readonly (readonly (readonly number[])[])[];
}

interface SklearnTree {
  readonly feature: readonly number[];
  readonly threshold: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly value: readonly number[];
  readonly cover: readonly number[];
}

interface Golden {
  readonly tolerances: { readonly double: number; readonly float32: number };
  readonly lightgbm: readonly [
    LightgbmCase & {
      readonly pathDependent: readonly (readonly number[])[];
      readonly interactions: readonly (readonly (readonly number[])[])[];
      readonly complete: Rows;
      readonly background: Rows;
      readonly interventional: readonly (readonly number[])[];
      readonly interventionalBase: number;
      readonly exact: readonly (readonly number[])[];
    },
    ...LightgbmCase[],
  ];
  readonly sklearn: readonly {
    readonly name: string;
    readonly base: readonly number[];
    readonly trees: readonly SklearnTree[];
    readonly rows: Rows;
    readonly raw: readonly (readonly number[])[];
    /** Rows x columns x outputs. */
    readonly pathDependent: readonly (readonly (readonly number[])[])[];
  }[];
  readonly linear: {
    readonly intercepts: readonly number[];
    readonly coefficients: readonly (readonly number[])[];
    readonly background: Rows;
    readonly rows: Rows;
    /** Rows x columns x classes. */
    readonly values: readonly (readonly (readonly number[])[])[];
    readonly base: readonly number[];
  };
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../../../test/golden/shap.json", import.meta.url), "utf8"));
/** `float32` is for what TreeExplainer itself rounds: see test/golden/make-shap.py. */
const { double, float32 } = golden.tolerances;

const rowOf = (row: Rows[number]): Float64Array => Float64Array.from(row, (value) => value ?? Number.NaN);
const matrixOf = (rows: Rows): Matrix => ({
  rows: rows.length,
  columns: rows[0].map((_, column) => Float64Array.from(rows, (row) => row[column] ?? Number.NaN)),
});

/** Row by row and, the rows repeated until tables are used, in batch. */
function bothWays(shap: ColumnShap, rows: Rows): [Float64Array, Float64Array] {
  const width = shap.outputs * rows[0].length;
  const single = new Float64Array(rows.length * width);
  rows.forEach((row, i) => {
    shap.explainRow(rowOf(row), single.subarray(i * width, (i + 1) * width));
  });
  const repeated = Array.from({ length: 20 }, () => rows).flat();
  return [single, shap.explainMatrix(matrixOf(repeated)).subarray(0, single.length)];
}

const estimatorOf = (model: string): TreesEstimator => readLightgbmModel(model).estimator;

describe.each(golden.lightgbm)("on LightGBM's trees, $name", ({ model, rows, raw, lightgbm }) => {
  const estimator = estimatorOf(model);
  const columns = rows[0].length;
  const shap = createTreeShap(estimator, columns);

  it("scores are LightGBM's, so that the trees are the same", () => {
    expect(distance(createTreesScorer(estimator).scoreMatrix(matrixOf(rows)), raw.flat())).toBeLessThan(1e-12);
  });

  it("path-dependent values are LightGBM's pred_contrib, to 1e-9", () => {
    const expected = lightgbm.flat().map((values) => values.slice(0, -1));
    for (const phi of bothWays(shap, rows)) expect(distance(phi, expected.flat())).toBeLessThan(double);
    expect(
      distance(
        shap.base,
        lightgbm[0].map((values) => values[columns]),
      ),
    ).toBeLessThan(double);
  });
});

describe("on LightGBM's trees, by shap", () => {
  const [{ model, rows, pathDependent, interactions, complete, background, interventional, interventionalBase, exact }] =
    golden.lightgbm;
  const estimator = estimatorOf(model);
  const columns = rows[0].length;

  it("path-dependent values are TreeExplainer's, and their definition, to 1e-9", () => {
    for (const phi of bothWays(createTreeShap(estimator, columns), rows)) {
      expect(distance(phi, pathDependent.flat())).toBeLessThan(double);
      for (const i of [0, 5]) {
        const expected = shapleyValues(columns, (known) =>
          estimator.trees.reduce((sum, tree) => sum + conditional(tree, rowOf(rows[i]), known), 0),
        );
        expect(distance(phi.subarray(i * columns, (i + 1) * columns), expected)).toBeLessThan(1e-9);
      }
    }
  });

  it("interaction values are TreeExplainer's, to 1e-9", () => {
    const explainer = createTreeInteractions(estimator, columns);
    const phi = new Float64Array(columns * columns);
    rows.forEach((row, i) => {
      explainer.explainRow(rowOf(row), phi);
      expect(distance(phi, interactions[i].flat())).toBeLessThan(double);
    });
  });

  it("interventional values are ExactExplainer's to 1e-9, and TreeExplainer's as near as its float32 comes", () => {
    const shap = createInterventionalShap(estimator, matrixOf(background));
    for (const phi of bothWays(shap, complete)) {
      expect(distance(phi, interventional.flat())).toBeLessThan(float32);
      expect(distance(phi, exact.flat())).toBeLessThan(double);
    }
    expect(Math.abs(shap.base[0] - interventionalBase)).toBeLessThan(double);
  });

  it("kernel values over all coalitions are ExactExplainer's, to 1e-9", () => {
    const scorer = createTreesScorer(estimator);
    complete.forEach((row, i) => {
      const game = matrixGame((matrix) => scorer.scoreMatrix(matrix), 1, rowOf(row), matrixOf(background));
      expect(distance(kernelShap(game).values, exact[i])).toBeLessThan(double);
    });
  });
});

describe.each(golden.sklearn)("on trees of $name", ({ base, trees, rows, raw, pathDependent }) => {
  const estimator: TreesEstimator = {
    kind: "trees",
    link: "identity",
    base: Float64Array.from(base),
    trees: trees.map(
      (tree): Tree => ({
        feature: Int32Array.from(tree.feature),
        threshold: Float64Array.from(tree.threshold),
        left: Int32Array.from(tree.left),
        right: Int32Array.from(tree.right),
        missingLeft: new Uint8Array(tree.feature.length),
        value: Float64Array.from(tree.value),
        cover: Float64Array.from(tree.cover),
      }),
    ),
  };

  it("scores are scikit-learn's, so that the trees are the same", () => {
    const scores = createTreesScorer(estimator).scoreMatrix(matrixOf(rows));
    expect(distance(scores, raw.flat()) / Math.max(1, ...raw.flat())).toBeLessThan(1e-12);
  });

  it("path-dependent values are TreeExplainer's, relative to the outputs' size to 1e-9", () => {
    const outputs = base.length;
    const scale = Math.max(1, ...raw.flat());
    const expected = pathDependent.flatMap((row) => base.flatMap((_, output) => row.map((values) => values[output])));
    for (const phi of bothWays(createTreeShap(estimator, rows[0].length), rows)) {
      expect(phi).toHaveLength(rows.length * outputs * rows[0].length);
      expect(distance(phi, expected) / scale).toBeLessThan(double);
    }
  });
});

describe("on scikit-learn's logistic regression of several classes", () => {
  it("linear values are LinearExplainer's, to 1e-9", () => {
    const { intercepts, coefficients, background, rows, values, base } = golden.linear;
    const shap = createLinearShap(
      {
        kind: "linear",
        link: "softmax",
        intercepts: Float64Array.from(intercepts),
        coefficients: Float64Array.from(coefficients.flat()),
      },
      columnMeans(matrixOf(background)),
    );
    const expected = values.flatMap((row) => base.flatMap((_, output) => row.map((column) => column[output])));
    for (const phi of bothWays(shap, rows)) expect(distance(phi, expected)).toBeLessThan(double);
    expect(distance(shap.base, base)).toBeLessThan(double);
  });
});
