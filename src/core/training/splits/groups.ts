import type { Dataset, FeatureColumn, RowSelection } from "../dataset.ts";
import { findFeature } from "../find-feature.ts";

/**
 * The group of each row as a number, -1 where it has none: by the categories of a segment or feature, or the values of a number.
 * @param by name of a segment, or id or name of a feature
 * @throws TRAIN_PARAMETER_INVALID when there is no such column, or when two features have the name
 */
export function groupsOf({ features, segments }: Dataset, rows: RowSelection, by: string): Int32Array {
  const segment = segments.find(({ id }) => id === by);
  if (segment !== undefined) return groupsOfColumn(segment, rows);
  const ids = features.map(({ id }) => id);
  return groupsOfColumn(features[findFeature(ids, by, "the grouping of rows")], rows);
}

function groupsOfColumn(column: FeatureColumn, rows: RowSelection): Int32Array {
  if (column.kind === "categorical") return Int32Array.from(rows, (row) => column.codes[row]);
  const known = [...new Set(Array.from(rows, (row) => column.values[row]).filter((value) => !Number.isNaN(value)))];
  const groupOf = new Map(known.sort((a, b) => a - b).map((value, group) => [value, group]));
  return Int32Array.from(rows, (row) => groupOf.get(column.values[row]) ?? -1);
}
