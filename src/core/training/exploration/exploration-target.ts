import type { Dataset, RowSelection } from "../dataset.ts";
import { labelsOf } from "../labels.ts";
import type { Target } from "../matrix.ts";
import type { Task } from "../model.ts";

/** What rows are explored against. */
export interface ExplorationTarget {
  /** Of the rows given, in their order: 0 or 1, the class's index, or the value. */
  readonly values: Target["values"];
  readonly task: Task;
}

/** Evenly spaced ones of the rows (with their targets), at most so many; all where they are few. */
export function evenSample(
  rows: RowSelection,
  target: ExplorationTarget,
  most: number,
): { readonly rows: RowSelection; readonly target: ExplorationTarget } {
  if (rows.length <= most) return { rows, target };
  const positions = Uint32Array.from({ length: most }, (_, index) => Math.floor((index * rows.length) / most));
  return {
    rows: positions.map((position) => rows[position]),
    target: { ...target, values: Float64Array.from(positions, (position) => target.values[position]) },
  };
}

/** The dataset's own labels. */
export const labelTarget = (dataset: Dataset, rows: RowSelection): ExplorationTarget => ({
  values: labelsOf(dataset, rows),
  task: dataset.task,
});
