import type { Dataset, RowSelection } from "./dataset.ts";
import { trainErrors } from "./errors.ts";
import type { Target } from "./matrix.ts";

/** The labels of some rows, in their order; an array of the dataset's own type. */
export function labelsOf({ label }: Dataset, rows: RowSelection): Target["values"] {
  const taken =
    label instanceof Uint8Array
      ? new Uint8Array(rows.length)
      : label instanceof Int32Array
        ? new Int32Array(rows.length)
        : new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = label[rows[i]];
  return taken;
}

/** The labels of some rows as 0 and 1. @throws TRAIN_TASK_UNSUPPORTED unless the task is binary */
export function binaryLabels(dataset: Dataset, rows: RowSelection): Uint8Array {
  if (dataset.task !== "binary") {
    throw trainErrors.TRAIN_TASK_UNSUPPORTED(`this is about labels that are 0 or 1, and the task is ${dataset.task}`);
  }
  return Uint8Array.from(labelsOf(dataset, rows));
}
