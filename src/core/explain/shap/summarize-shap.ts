import type { Dataset, FeatureColumn, ModelPackage, RowSelection } from "../../training/index.ts";
import { checkFeatures, evenSample } from "../sample-rows.ts";
import { createFeatureShap, type FeatureShapOptions, type ShapMethod, type ShapScale } from "./feature-shap.ts";

export interface ShapPoint {
  /** The feature's value scaled to 0…1 between its 5th and 95th percentile in the sample; null: missing or a category. */
  readonly value: number | null;
  readonly phi: number;
}

export interface ShapSummary {
  readonly method: ShapMethod;
  /** What the figures are measured in; absent in those that were stored when all were log-odds. */
  readonly scale?: ShapScale;
  readonly base: number;
  /** Rows behind the figures. */
  readonly rows: number;
  /** Mean |SHAP value|, largest first. */
  readonly shap: readonly { readonly feature: string; readonly meanAbs: number }[];
  /** Points for a beeswarm, features in the same order as `shap`. */
  readonly sample: readonly { readonly feature: string; readonly points: readonly ShapPoint[] }[];
}

export interface ShapSummaryOptions extends FeatureShapOptions {
  /** Rows explained, spread evenly; 500 at most unless said. */
  readonly maxRows?: number;
  /** Of several classes, the one whose output is explained; the first unless said. */
  readonly output?: number;
}

/**
 * SHAP values over a sample of rows.
 * @throws EXPLAIN_NO_ROWS, EXPLAIN_FEATURES_MISMATCH, EXPLAIN_TREE_INVALID, EXPLAIN_BACKGROUND_NEEDED
 */
export function summarizeShap(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  { maxRows = 500, output = 0, ...options }: ShapSummaryOptions = {},
): ShapSummary {
  checkFeatures(model, dataset);
  const sample = evenSample(rows, maxRows);
  const shap = createFeatureShap(model, options);
  const ids = model.plan.features.map(({ id }) => id);
  const phi = shap.explainRows(dataset, sample);
  const byFeature = ids.map((_, feature) =>
    Float64Array.from(sample, (_, i) => phi[(i * shap.outputs + output) * ids.length + feature]),
  );
  const summary = ids
    .map((feature, index) => ({
      feature,
      meanAbs: byFeature[index].reduce((sum, value) => sum + Math.abs(value), 0) / sample.length,
      points: pointsOf(scaledValues(dataset.features[index], sample), byFeature[index]),
    }))
    .sort((a, b) => b.meanAbs - a.meanAbs);
  return {
    method: shap.method,
    scale: shap.scale,
    base: shap.base[output],
    rows: sample.length,
    shap: summary.map(({ feature, meanAbs }) => ({ feature, meanAbs })),
    sample: summary.map(({ feature, points }) => ({ feature, points })),
  };
}

function scaledValues(column: FeatureColumn, rows: RowSelection): (number | null)[] {
  if (column.kind === "categorical") return Array.from(rows, () => null);
  const values = Float64Array.from(rows, (row) => column.values[row]);
  const known = values.filter(Number.isFinite).sort();
  const low = known[Math.floor(0.05 * (known.length - 1))];
  const span = known[Math.ceil(0.95 * (known.length - 1))] - low;
  return Array.from(values, (value) => {
    if (!Number.isFinite(value)) return null;
    return span > 0 ? Math.min(1, Math.max(0, (value - low) / span)) : 0.5;
  });
}

const pointsOf = (values: readonly (number | null)[], phis: Float64Array): ShapPoint[] =>
  values.map((value, i) => ({ value, phi: phis[i] }));
