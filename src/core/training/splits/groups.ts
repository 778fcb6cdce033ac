import type { Dataset, FeatureColumn, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";

/**
 * The group of each row as a number, -1 where it has none: by the categories of a feature or segment, or the values of a number.
 * @param by id or name of a feature, or name of a segment
 * @throws TRAIN_PARAMETER_INVALID when there is no such column
 */
export function groupsOf({ features, segments }: Dataset, rows: RowSelection, by: string): Int32Array {
  const column = [...features, ...segments].find(({ id }) => id === by || id.slice(id.indexOf(".") + 1) === by);
  if (column === undefined) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`rows are to be grouped by ${by}, which is no feature and no segment`, {
      hint: "Name a feature of the model, or one of its segments, in the split or the folds.",
    });
  }
  return groupsOfColumn(column, rows);
}

function groupsOfColumn(column: FeatureColumn, rows: RowSelection): Int32Array {
  if (column.kind === "categorical") return Int32Array.from(rows, (row) => column.codes[row]);
  const known = [...new Set(Array.from(rows, (row) => column.values[row]).filter((value) => !Number.isNaN(value)))];
  const groupOf = new Map(known.sort((a, b) => a - b).map((value, group) => [value, group]));
  return Int32Array.from(rows, (row) => groupOf.get(column.values[row]) ?? -1);
}
