import { type ClassWeights, classWeightsProblem, type RowWeights, rowWeightsProblem } from "../../definitions/index.ts";
import type { Dataset, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import { findFeature } from "../find-feature.ts";
import { sumOf } from "./column-sample.ts";

export interface WeightOptions {
  readonly classes?: ClassWeights;
  readonly rows?: RowWeights;
}

/**
 * What each training row weighs: by its feature or age, times the weight of its class.
 *
 * @param labels class indexes of the rows; only read for class weights
 * @returns undefined where every row counts once
 * @throws TRAIN_PARAMETER_INVALID for a negative or missing weight, a class without one, a feature that is no number, and if all are 0
 */
export function trainingWeights(
  dataset: Dataset,
  rows: RowSelection,
  labels: ArrayLike<number>,
  options: WeightOptions,
): Float64Array | undefined {
  const byRow = options.rows === undefined ? undefined : rowWeights(dataset, rows, options.rows);
  if (options.classes === undefined) return byRow;
  refuse(classWeightsProblem(options.classes));
  const ofClass = options.classes === "balanced" ? balancedWeights(labels, byRow) : checkedWeights(labels, options.classes);
  return Float64Array.from(rows, (_, position) => (byRow?.[position] ?? 1) * ofClass[labels[position]]);
}

function refuse(problem: string | null): void {
  if (problem !== null)
    throw trainErrors.TRAIN_PARAMETER_INVALID(problem, { hint: "Correct the weights in the model's definition." });
}

function rowWeights(dataset: Dataset, rows: RowSelection, definition: RowWeights): Float64Array {
  refuse(rowWeightsProblem(definition));
  const weights =
    definition.kind === "age"
      ? ageWeights(dataset, rows, definition.halfLife)
      : featureWeights(dataset, rows, definition.feature);
  if (rows.length > 0 && !(sumOf(weights) > 0)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`all ${rows.length} training rows weigh nothing`, { hint: WEIGHTS_HINT });
  }
  return weights;
}

const WEIGHTS_HINT = "Weigh rows by a feature that is a number of 0 or more in every row, and above 0 in some.";

function featureWeights({ features }: Dataset, rows: RowSelection, name: string): Float64Array {
  const ids = features.map(({ id }) => id);
  const column = features[findFeature(ids, name, "the weighing of rows")];
  if (column.kind !== "numeric") {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`rows are weighed by ${name}, which holds categories`, { hint: WEIGHTS_HINT });
  }
  const weights = Float64Array.from(rows, (row) => column.values[row]);
  const wrong = weights.reduce((count, weight) => count + (weight >= 0 && weight < Number.POSITIVE_INFINITY ? 0 : 1), 0);
  if (wrong === 0) return weights;
  throw trainErrors.TRAIN_PARAMETER_INVALID(
    `${name} is missing, negative or infinite in ${wrong} of ${rows.length} training rows`,
    {
      hint: WEIGHTS_HINT,
    },
  );
}

function ageWeights({ at }: Dataset, rows: RowSelection, halfLife: number): Float64Array {
  const newest = rows.reduce((latest, row) => Math.max(latest, at[row]), Number.NEGATIVE_INFINITY);
  return Float64Array.from(rows, (row) => 2 ** ((at[row] - newest) / halfLife));
}

/** The same total for each class that there is; together the rows' own total. */
function balancedWeights(labels: ArrayLike<number>, weights: Float64Array | undefined): number[] {
  const totals: number[] = [];
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    const weight = weights?.[row] ?? 1;
    totals[labels[row]] = (totals[labels[row]] ?? 0) + weight;
    total += weight;
  }
  const present = totals.filter((each) => each > 0).length;
  return totals.map((each) => (each > 0 ? total / (present * each) : 0));
}

function checkedWeights(labels: ArrayLike<number>, weights: readonly number[]): readonly number[] {
  const classes = Array.from(labels).reduce((highest, label) => Math.max(highest, label), -1) + 1;
  if (weights.length >= classes) return weights;
  throw trainErrors.TRAIN_PARAMETER_INVALID(`${weights.length} class weights for ${classes} classes`);
}
