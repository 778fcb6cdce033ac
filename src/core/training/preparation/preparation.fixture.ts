import { datasetOf } from "../../../../test/fixtures/training-data.ts";
import type { PreparationStep } from "../../definitions/index.ts";
import type { FeatureValue } from "../../features/index.ts";
import type { Dataset, FeatureColumn, RowSelection } from "../dataset.ts";
import { labelsOf } from "../labels.ts";
import { type EstimatorFamily, type FittedColumns, fitPreparation, type PreparationOptions } from "./fit-preparation.ts";

export const allRows = (dataset: Dataset): RowSelection => Uint32Array.from({ length: dataset.rows }, (_, row) => row);

/** A dataset of some features, its labels alternating. */
export function small(features: readonly FeatureColumn[], label?: readonly number[]): Dataset {
  const [first] = features;
  const rows = first === undefined ? 0 : first.kind === "numeric" ? first.values.length : first.codes.length;
  return datasetOf({ features, label: Uint8Array.from(label ?? Array.from({ length: rows }, (_, row) => row % 2)) });
}

/** Fits steps on some rows (all, unless said) by the dataset's own labels. */
export function fit(
  dataset: Dataset,
  steps: readonly PreparationStep[],
  family: EstimatorFamily,
  more: Partial<PreparationOptions> & { readonly rows?: RowSelection } = {},
): FittedColumns {
  const { rows = allRows(dataset), ...options } = more;
  const target = { values: labelsOf(dataset, rows) };
  return fitPreparation(dataset, rows, { steps, family, target, task: dataset.task, seed: 1, ...options });
}

/** A row as serving gets it. */
export const valuesOfRow = (dataset: Dataset, row: number): FeatureValue[] =>
  dataset.features.map((feature) => {
    if (feature.kind === "numeric") return Number.isNaN(feature.values[row]) ? null : feature.values[row];
    return feature.codes[row] < 0 ? null : (feature.categories[feature.codes[row]] ?? null);
  });

export const namesOf = ({ preparation }: Pick<FittedColumns, "preparation">): string[] =>
  preparation.columns.map(({ name }) => name);
