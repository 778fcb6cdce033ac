import type { FeatureValue } from "../../features/index.ts";
import { encodeRow, featuresOf, type ModelPackage } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { createTreeShap } from "./tree-shap.ts";

export interface Contribution {
  /** Feature id. */
  readonly feature: string;
  readonly value: FeatureValue;
  /** SHAP value in log-odds: what knowing this feature adds to the output. */
  readonly phi: number;
}

/** Why one row got its score. `base` + the sum of phi is `output`. */
export interface Explanation {
  readonly method: "tree-path-dependent" | "linear-interventional" | "none";
  /** Output expected before any feature is known, in log-odds. */
  readonly base: number;
  /** The estimator's output before calibration, in log-odds. */
  readonly output: number;
  /** One per feature of the plan, largest |phi| first. */
  readonly contributions: readonly Contribution[];
}

export interface FeatureShap {
  readonly method: Explanation["method"];
  readonly base: number;
  /** Writes the SHAP value of every feature of the plan (log-odds, plan order) into `phi` for one encoded matrix row. */
  write(phi: Float64Array, row: Float64Array): void;
}

/**
 * SHAP values by feature: those of a feature's encoded columns are summed, which keeps them additive, and
 * a column of several features counts for each in equal parts.
 *
 * - Gradient boosting: exact, path-dependent (see `createTreeShap`).
 * - Logistic regression: coefficient x (value - mean), the interventional SHAP values of a linear model with independent
 *   columns (Lundberg and Lee, "A unified approach to interpreting model predictions", NeurIPS 2017, Corollary 1). The mean
 *   of a standardised column is 0, and 0 also stands for "not missing" and "not this category", so that a category's own
 *   coefficient is what it adds. Numbers that were not standardised are compared with 0 as well.
 * - Baseline and rule look at no feature: all SHAP values are 0.
 * @throws EXPLAIN_TREE_INVALID
 */
export function createFeatureShap(model: ModelPackage): FeatureShap {
  const { estimator, preparation } = model;
  const { columns } = preparation;
  const features = columns.map(featuresOf);
  const byColumn = new Float64Array(columns.length);
  const addByFeature = (phi: Float64Array, values: Float64Array): void => {
    features.forEach((of, column) => {
      for (const feature of of) phi[feature] += values[column] / of.length;
    });
  };
  if (estimator.kind === "trees" && estimator.base.length === 1) {
    const shap = createTreeShap(estimator, columns.length);
    return {
      method: "tree-path-dependent",
      base: shap.base[0],
      write(phi, row) {
        shap.explainRow(row, byColumn);
        phi.fill(0);
        addByFeature(phi, byColumn);
      },
    };
  }
  if (estimator.kind === "linear" && estimator.intercepts.length === 1) {
    return {
      method: "linear-interventional",
      base: estimator.intercepts[0],
      write(phi, row) {
        for (let column = 0; column < columns.length; column++) byColumn[column] = estimator.coefficients[column] * row[column];
        phi.fill(0);
        addByFeature(phi, byColumn);
      },
    };
  }
  const base = estimator.kind === "baseline" ? estimator.output[0] : 0;
  return { method: "none", base, write: (phi) => void phi.fill(0) };
}

/** Prepares a model for explaining one row at a time; keep it while the model is served. @throws EXPLAIN_TREE_INVALID */
export function createExplainer(model: ModelPackage): (values: readonly FeatureValue[]) => Explanation {
  const shap = createFeatureShap(model);
  const { features } = model.plan;
  const phi = new Float64Array(features.length);
  return (values) => {
    if (values.length !== features.length) {
      throw explainErrors.EXPLAIN_FEATURES_MISMATCH(
        `${values.length} values for the ${features.length} features of ${model.model}`,
      );
    }
    shap.write(phi, encodeRow(model.preparation, values));
    const contributions = features.map(({ id }, index) => ({ feature: id, value: values[index] ?? null, phi: phi[index] }));
    const output = contributions.reduce((sum, contribution) => sum + contribution.phi, shap.base);
    contributions.sort((a, b) => Math.abs(b.phi) - Math.abs(a.phi));
    return { method: shap.method, base: shap.base, output, contributions };
  };
}

/**
 * Explains one row: feature values in the plan's order, timestamps in microseconds.
 * @throws EXPLAIN_FEATURES_MISMATCH, EXPLAIN_TREE_INVALID
 */
export function explainRow(model: ModelPackage, values: readonly FeatureValue[]): Explanation {
  return createExplainer(model)(values);
}
