import {
  type CategoricalColumn,
  type Dataset,
  type FeatureColumn,
  labelsOf,
  type ModelPackage,
  type RowSelection,
} from "../training/index.ts";
import { explainErrors } from "./errors.ts";

/** @throws EXPLAIN_NO_ROWS */
export function requireRows({ length }: RowSelection): void {
  if (length === 0) throw explainErrors.EXPLAIN_NO_ROWS("There are no rows to explain");
}

/** At most `count` of the rows, evenly spaced, so that every period is in. @throws EXPLAIN_NO_ROWS */
export function evenSample(rows: RowSelection, count: number): RowSelection {
  requireRows(rows);
  if (rows.length <= count) return rows;
  return Uint32Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]);
}

/** A dataset of its own with copies of these rows, in this order; a row may be taken more than once. */
export function takeRows(dataset: Dataset, rows: RowSelection): Dataset {
  const codes = (column: CategoricalColumn): CategoricalColumn => ({
    ...column,
    codes: Int32Array.from(rows, (row) => column.codes[row]),
  });
  const feature = (column: FeatureColumn): FeatureColumn =>
    column.kind === "categorical" ? codes(column) : { ...column, values: Float64Array.from(rows, (row) => column.values[row]) };
  return {
    ...dataset,
    rows: rows.length,
    features: dataset.features.map(feature),
    label: labelsOf(dataset, rows),
    at: Float64Array.from(rows, (row) => dataset.at[row]),
    labelAt: Float64Array.from(rows, (row) => dataset.labelAt[row]),
    day: Int32Array.from(rows, (row) => dataset.day[row]),
    rule: Uint8Array.from(rows, (row) => dataset.rule[row]),
    segments: dataset.segments.map(codes),
  };
}

/** A dataset of rows that never were: without labels, times or segments. */
export function unlabelledRows(
  features: readonly FeatureColumn[],
  rows: number,
  { task, classes }: Pick<Dataset, "task" | "classes">,
): Dataset {
  const none = new Float64Array(rows);
  return {
    rows,
    task,
    classes,
    features,
    label: none,
    at: none,
    labelAt: none,
    day: new Int32Array(rows),
    rule: new Uint8Array(rows),
    segments: [],
  };
}

export const everyRow = ({ rows }: Dataset): RowSelection => Uint32Array.from({ length: rows }, (_, row) => row);

/** @throws EXPLAIN_FEATURES_MISMATCH unless the dataset has the plan's features in the plan's order */
export function checkFeatures(model: ModelPackage, dataset: Dataset): void {
  const planned = model.plan.features.map(({ id }) => id);
  const present = dataset.features.map(({ id }) => id);
  const differs = planned.findIndex((id, index) => id !== present[index]);
  if (differs < 0 && planned.length === present.length) return;
  const where = differs < 0 ? planned.length : differs;
  throw explainErrors.EXPLAIN_FEATURES_MISMATCH(
    `Feature ${where} of ${model.model} is ${planned[where] ?? "none"}, the dataset has ${present[where] ?? "none"}`,
  );
}
