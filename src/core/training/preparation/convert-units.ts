import type { Dataset } from "../dataset.ts";
import type { FittedPreparation } from "../model.ts";

/** A feature is delivered in another unit than it was trained in: delivered = factor x trained + offset. */
export interface UnitChange {
  readonly factor: number;
  readonly offset: number;
}

/** By feature id. */
export type UnitChanges = Readonly<Record<string, UnitChange>>;

/** The same preparation for features as they are delivered now: the change is folded into each column's mean and scale. */
export function convertUnits(preparation: FittedPreparation, ids: readonly string[], changes: UnitChanges): FittedPreparation {
  return {
    columns: preparation.columns.map((column) => {
      const change = changes[ids[column.feature]];
      if (column.kind !== "number" || change === undefined) return column;
      const { factor, offset } = change;
      return {
        ...column,
        fill: column.fill === null ? null : column.fill * factor + offset,
        mean: column.mean * factor + offset,
        scale: column.scale * factor,
      };
    }),
  };
}

/** Rows in the units they were trained in, as they would be delivered now. */
export function convertDataset(dataset: Dataset, changes: UnitChanges): Dataset {
  const features = dataset.features.map((column) => {
    const change = changes[column.id];
    if (column.kind !== "numeric" || change === undefined) return column;
    return { ...column, values: column.values.map((value) => value * change.factor + change.offset) };
  });
  return { ...dataset, features };
}
