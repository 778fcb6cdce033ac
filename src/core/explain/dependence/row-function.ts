import { type Dataset, type FeatureColumn, type ModelPackage, predict } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { everyRow } from "../sample-rows.ts";

/** One number for every row of a dataset: what is to be explained. */
export type RowFunction = (dataset: Dataset) => Float64Array;

/** A model's calibrated prediction; of several classes that of class `output`. */
export function predictionOf(model: ModelPackage, output = 0): RowFunction {
  return (dataset) => {
    const { prediction } = predict(model, dataset, everyRow(dataset));
    const outputs = prediction.length / dataset.rows;
    return outputs === 1
      ? prediction
      : Float64Array.from({ length: dataset.rows }, (_, row) => prediction[row * outputs + output]);
  };
}

/** Position of a feature by its id. @throws EXPLAIN_FEATURE_UNKNOWN */
export function featureAt(dataset: Dataset, id: string): number {
  const index = dataset.features.findIndex((feature) => feature.id === id);
  if (index >= 0) return index;
  const known = dataset.features.map((feature) => feature.id).join(", ");
  throw explainErrors.EXPLAIN_FEATURE_UNKNOWN(`${id} is no feature of this dataset, which has ${known}`);
}

/** What a feature can be set to. `null` is missing. */
export type FeatureSetting = number | string | null;

/** The dataset with one feature set to the same value in all rows; a category that it does not have is one that was never seen. */
export function withFeatureSet(dataset: Dataset, index: number, value: FeatureSetting): Dataset {
  return { ...dataset, features: dataset.features.with(index, constantColumn(dataset.features[index], value, dataset.rows)) };
}

function constantColumn(column: FeatureColumn, value: FeatureSetting, rows: number): FeatureColumn {
  if (column.kind === "numeric") {
    return { ...column, values: new Float64Array(rows).fill(value === null ? Number.NaN : Number(value)) };
  }
  if (value === null) return { ...column, codes: new Int32Array(rows).fill(-1) };
  const code = column.categories.indexOf(String(value));
  if (code >= 0) return { ...column, codes: new Int32Array(rows).fill(code) };
  return {
    ...column,
    codes: new Int32Array(rows).fill(column.categories.length),
    categories: [...column.categories, String(value)],
  };
}
