import type { FeatureValue } from "../../features/index.ts";
import {
  type Dataset,
  encode,
  encodeRow,
  type FeatureColumn,
  featuresOf,
  type Matrix,
  type ModelPackage,
  type RowSelection,
} from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { checkFeatures, everyRow, unlabelledRows } from "../sample-rows.ts";
import type { ColumnShap } from "./column-shap.ts";
import { type Background, featureGame } from "./feature-game.ts";
import { createInterventionalShap } from "./interventional-shap.ts";
import { type KernelShapOptions, kernelShap } from "./kernel-shap.ts";
import { columnMeans, createLinearShap } from "./linear-shap.ts";
import { createTreeShap } from "./tree-shap.ts";

/** How SHAP values were found; all add up exactly, and all but `kernel` are exact themselves. */
export type ShapMethod = "tree-path-dependent" | "tree-interventional" | "linear-interventional" | "kernel" | "none";

/** What is shared out, before calibration: the estimator's raw output, or its prediction where `method` is kernel. */
export type ShapScale = "log-odds" | "probability" | "logarithm" | "value";

/** SHAP values of a model by feature of its plan. */
export interface FeatureShap {
  readonly method: ShapMethod;
  readonly scale: ShapScale;
  /** 1, or one a class. */
  readonly outputs: number;
  /** Expected when no feature is known, by output. */
  readonly base: Float64Array;
  /** Outputs x features of one row of feature values, in the plan's order. */
  explainValues(values: readonly FeatureValue[]): Float64Array;
  /** Rows x outputs x features, row by row. */
  explainRows(dataset: Dataset, rows: RowSelection): Float64Array;
}

export interface FeatureShapOptions extends KernelShapOptions {
  /** Rows to compare with; graphs, ensembles and interventional values of trees take those of the package unless others are given. */
  readonly background?: Background;
  /** How columns that are not known are treated in trees: path-dependent unless said. */
  readonly trees?: "path-dependent" | "interventional";
}

/**
 * SHAP values by feature: those of a feature's columns are summed, which keeps them additive; a column of several features counts for
 * each in equal parts.
 *
 * - Trees: exact, path-dependent (see `createTreeShap`) or interventional (`createInterventionalShap`).
 * - Linear: coefficient x (value - mean), the mean that of the background. Without one it is taken to be 0, as it is of a standardised
 *   column; 0 also stands for "not missing" and "not this category", so that a category's own coefficient is what it adds.
 * - Graphs and ensembles: kernel SHAP of the prediction (see `kernelShap`). Of an ensemble that is the weighted sum of its members'.
 * - Baseline and rule look at no feature: all SHAP values are 0.
 * @throws EXPLAIN_TREE_INVALID, EXPLAIN_BACKGROUND_NEEDED, EXPLAIN_FEATURES_MISMATCH
 */
export function createFeatureShap(model: ModelPackage, options: FeatureShapOptions = {}): FeatureShap {
  const { estimator } = model;
  const { background } = options;
  if (background !== undefined) {
    checkFeatures(model, background.dataset);
    if (background.rows.length === 0) throw explainErrors.EXPLAIN_NO_ROWS("the background has no rows");
  }
  switch (estimator.kind) {
    case "trees":
      return options.trees === "interventional"
        ? byColumns(
            model,
            "tree-interventional",
            createInterventionalShap(estimator, matrixOf(model, backgroundOf(model, background))),
          )
        : byColumns(model, "tree-path-dependent", createTreeShap(estimator, model.preparation.columns.length));
    case "linear": {
      const columns = model.preparation.columns.length;
      const means = background === undefined ? new Float64Array(columns) : columnMeans(matrixOf(model, background));
      return byColumns(model, "linear-interventional", createLinearShap(estimator, means));
    }
    case "baseline":
      return withoutFeatures(model, estimator.output);
    case "rule":
      return withoutFeatures(model, new Float64Array(1));
    case "onnx":
    case "ensemble":
      return byKernel(model, options);
  }
}

const predictionScale = ({ task }: ModelPackage): ShapScale => (task === "regression" ? "value" : "probability");

function scaleOf(model: ModelPackage): ShapScale {
  const { estimator } = model;
  if (estimator.kind === "rule" || estimator.link === "identity") return predictionScale(model);
  return estimator.link === "log" ? "logarithm" : "log-odds";
}

const matrixOf = ({ preparation }: ModelPackage, { dataset, rows }: Background): Matrix => encode(preparation, dataset, rows);

function byColumns(model: ModelPackage, method: ShapMethod, shap: ColumnShap): FeatureShap {
  const { preparation, plan } = model;
  const columns = preparation.columns.length;
  const features = plan.features.length;
  const featuresOfColumn = preparation.columns.map(featuresOf);
  /** From any number of rows x columns to as many x features. */
  const fold = (ofColumns: Float64Array): Float64Array => {
    const parts = columns === 0 ? 0 : ofColumns.length / columns;
    const phi = new Float64Array(parts * features);
    featuresOfColumn.forEach((of, column) => {
      for (const feature of of) {
        for (let part = 0; part < parts; part++) {
          phi[part * features + feature] += ofColumns[part * columns + column] / of.length;
        }
      }
    });
    return phi;
  };
  const ofRow = new Float64Array(shap.outputs * columns);
  return {
    method,
    scale: scaleOf(model),
    outputs: shap.outputs,
    base: shap.base,
    explainValues(values) {
      checkValues(model, values);
      shap.explainRow(encodeRow(preparation, values), ofRow);
      return fold(ofRow);
    },
    explainRows(dataset, rows) {
      checkFeatures(model, dataset);
      return fold(shap.explainMatrix(matrixOf(model, { dataset, rows })));
    },
  };
}

function withoutFeatures(model: ModelPackage, base: Float64Array): FeatureShap {
  const width = base.length * model.plan.features.length;
  return {
    method: "none",
    scale: scaleOf(model),
    outputs: base.length,
    base,
    explainValues(values) {
      checkValues(model, values);
      return new Float64Array(width);
    },
    explainRows: (_, rows) => new Float64Array(rows.length * width),
  };
}

function byKernel(model: ModelPackage, options: FeatureShapOptions): FeatureShap {
  const background = backgroundOf(model, options.background);
  const outputs = Math.max(1, model.classes.length);
  const gameOf = featureGame(model, outputs, background);
  const nobody = new Uint8Array(model.plan.features.length);
  const base = gameOf([]).value(nobody);
  const explainValues = (values: readonly FeatureValue[]): Float64Array => {
    checkValues(model, values);
    return kernelShap(gameOf(values), options).values;
  };
  return {
    method: "kernel",
    scale: predictionScale(model),
    outputs,
    base,
    explainValues,
    explainRows(dataset, rows) {
      checkFeatures(model, dataset);
      const width = outputs * model.plan.features.length;
      const phi = new Float64Array(rows.length * width);
      rows.forEach((row, i) => {
        phi.set(explainValues(valuesOf(dataset, row)), i * width);
      });
      return phi;
    },
  };
}

/** @throws EXPLAIN_BACKGROUND_NEEDED */
function backgroundOf(model: ModelPackage, given: Background | undefined): Background {
  const background = given ?? packagedBackground(model);
  if (background === null) throw explainErrors.EXPLAIN_BACKGROUND_NEEDED(`${model.model} has nothing to be compared with`);
  return background;
}

/** The rows that the package carries for this, as a dataset. */
function packagedBackground(model: ModelPackage): Background | null {
  const { plan, background } = model;
  const rows = background.length;
  if (rows === 0) return null;
  const features = plan.features.map(({ id, type }, index): FeatureColumn => {
    const values = background.map((row) => row[index] ?? null);
    if (type !== "string") {
      return { kind: "numeric", id, values: Float64Array.from(values, (value) => (value === null ? Number.NaN : Number(value))) };
    }
    const categories = [...new Set(values.flatMap((value) => (value === null ? [] : [String(value)])))];
    return { kind: "categorical", id, categories, codes: Int32Array.from(values, (value) => categories.indexOf(String(value))) };
  });
  const dataset = unlabelledRows(features, rows, model);
  return { dataset, rows: everyRow(dataset) };
}

const valuesOf = ({ features }: Dataset, row: number): FeatureValue[] =>
  features.map((column) => {
    if (column.kind === "categorical") return column.categories[column.codes[row]] ?? null;
    return Number.isNaN(column.values[row]) ? null : column.values[row];
  });

/** @throws EXPLAIN_FEATURES_MISMATCH */
function checkValues({ model, plan }: ModelPackage, { length }: readonly FeatureValue[]): void {
  if (length === plan.features.length) return;
  throw explainErrors.EXPLAIN_FEATURES_MISMATCH(`${length} values for the ${plan.features.length} features of ${model}`);
}
