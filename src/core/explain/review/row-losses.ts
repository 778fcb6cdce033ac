import { type Dataset, labelsOf, type RowSelection } from "../../training/index.ts";

export type RowLoss = "log_loss" | "absolute_error";

/** Probabilities are held away from 0 and 1 by this, so that no single row's loss is infinite. */
const LEAST = 1e-12;

/**
 * What each row's prediction cost: log loss of classes, absolute error of values.
 * @param prediction what `predict` gave for these rows, in their order
 */
export function rowLosses(
  dataset: Dataset,
  rows: RowSelection,
  prediction: Float64Array,
): { readonly loss: RowLoss; readonly losses: Float64Array } {
  const labels = labelsOf(dataset, rows);
  if (dataset.task === "regression") {
    return { loss: "absolute_error", losses: prediction.map((value, i) => Math.abs(value - labels[i])) };
  }
  const classes = dataset.classes.length;
  const ofLabel = (i: number): number => {
    if (dataset.task === "multiclass") return prediction[i * classes + labels[i]];
    return labels[i] === 1 ? prediction[i] : 1 - prediction[i];
  };
  return { loss: "log_loss", losses: Float64Array.from(rows, (_, i) => -Math.log(Math.max(LEAST, ofLabel(i)))) };
}
