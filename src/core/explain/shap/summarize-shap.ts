import { type Dataset, encode, type FeatureColumn, type ModelPackage, type RowSelection } from "../../training/index.ts";
import { checkFeatures, evenSample } from "../sample-rows.ts";
import { createFeatureShap, type FeatureShap } from "./explain-row.ts";

export interface ShapPoint {
  /** The feature's value scaled to 0…1 between its 5th and 95th percentile in the sample; null: missing or a category. */
  readonly value: number | null;
  /** Log-odds. */
  readonly phi: number;
}

export interface ShapSummary {
  readonly method: FeatureShap["method"];
  readonly base: number;
  /** Rows behind the figures. */
  readonly rows: number;
  /** Mean |SHAP value| in log-odds, largest first. */
  readonly shap: readonly { readonly feature: string; readonly meanAbs: number }[];
  /** Points for a beeswarm, features in the same order as `shap`. */
  readonly sample: readonly { readonly feature: string; readonly points: readonly ShapPoint[] }[];
}

/**
 * SHAP values over a sample of rows spread evenly over `rows`.
 * @param maxRows rows explained, 500 at most unless said
 * @throws EXPLAIN_NO_ROWS, EXPLAIN_FEATURES_MISMATCH
 */
export function summarizeShap(model: ModelPackage, dataset: Dataset, rows: RowSelection, maxRows = 500): ShapSummary {
  checkFeatures(model, dataset);
  const sample = evenSample(rows, maxRows);
  const shap = createFeatureShap(model);
  const ids = model.plan.features.map(({ id }) => id);
  const { columns } = encode(model.preparation, dataset, sample);
  const row = new Float64Array(columns.length);
  const phi = new Float64Array(ids.length);
  const byFeature = ids.map(() => new Float64Array(sample.length));
  for (let i = 0; i < sample.length; i++) {
    for (let column = 0; column < columns.length; column++) row[column] = columns[column][i];
    shap.write(phi, row);
    for (let feature = 0; feature < ids.length; feature++) byFeature[feature][i] = phi[feature];
  }
  const summary = ids
    .map((feature, index) => ({
      feature,
      meanAbs: byFeature[index].reduce((sum, value) => sum + Math.abs(value), 0) / sample.length,
      points: pointsOf(scaledValues(dataset.features[index], sample), byFeature[index]),
    }))
    .sort((a, b) => b.meanAbs - a.meanAbs);
  return {
    method: shap.method,
    base: shap.base,
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
