import type { FeatureValue } from "../../features/index.ts";
import type { ModelPackage } from "../../training/index.ts";
import { createFeatureShap, type FeatureShapOptions, type ShapMethod, type ShapScale } from "./feature-shap.ts";

export interface Contribution {
  /** Feature id. */
  readonly feature: string;
  readonly value: FeatureValue;
  /** SHAP value: what knowing this feature adds to the output. */
  readonly phi: number;
}

/** Why one row got its score. `base` + the sum of phi is `output`. */
export interface Explanation {
  readonly method: ShapMethod;
  /** What `base`, `output` and every phi are measured in. */
  readonly scale: ShapScale;
  /** The class whose output is explained, of several; otherwise null. */
  readonly class: string | null;
  /** Output expected before any feature is known. */
  readonly base: number;
  /** The estimator's output before calibration. */
  readonly output: number;
  /** One per feature of the plan, largest |phi| first. */
  readonly contributions: readonly Contribution[];
}

/** Explains one row: feature values in the plan's order, timestamps in microseconds; of several classes the likeliest unless said. */
export type Explainer = (values: readonly FeatureValue[], output?: number) => Explanation;

/**
 * Prepares a model for explaining one row at a time; keep it while the model is served.
 * @throws EXPLAIN_TREE_INVALID, EXPLAIN_BACKGROUND_NEEDED; the explainer EXPLAIN_FEATURES_MISMATCH
 */
export function createExplainer(model: ModelPackage, options: FeatureShapOptions = {}): Explainer {
  const shap = createFeatureShap(model, options);
  const { features } = model.plan;
  return (values, output) => {
    const phi = shap.explainValues(values);
    const totals = shap.base.map((base, k) =>
      phi.subarray(k * features.length, (k + 1) * features.length).reduce((sum, value) => sum + value, base),
    );
    const explained = output ?? totals.indexOf(Math.max(...totals));
    const contributions = features.map(({ id }, index) => ({
      feature: id,
      value: values[index] ?? null,
      phi: phi[explained * features.length + index],
    }));
    contributions.sort((a, b) => Math.abs(b.phi) - Math.abs(a.phi));
    return {
      method: shap.method,
      scale: shap.scale,
      class: model.classes[explained] ?? null,
      base: shap.base[explained],
      output: totals[explained],
      contributions,
    };
  };
}

/**
 * Explains one row: see `createExplainer`.
 * @throws EXPLAIN_FEATURES_MISMATCH, EXPLAIN_TREE_INVALID, EXPLAIN_BACKGROUND_NEEDED
 */
export function explainRow(model: ModelPackage, values: readonly FeatureValue[], options: FeatureShapOptions = {}): Explanation {
  return createExplainer(model, options)(values);
}
