import type { Dataset } from "../dataset.ts";
import type { ColumnFormula, FittedPreparation } from "./fitted-preparation.ts";

/** A feature is delivered in another unit than it was trained in: delivered = factor x trained + offset. */
export interface UnitChange {
  readonly factor: number;
  readonly offset: number;
}

/** By feature id. */
export type UnitChanges = Readonly<Record<string, UnitChange>>;

/** The same preparation for features as they are delivered now: each column begins by taking the change back. */
export function convertUnits(preparation: FittedPreparation, ids: readonly string[], changes: UnitChanges): FittedPreparation {
  const convert = <F extends ColumnFormula>(formula: F): F => {
    const { source } = formula;
    if (source.kind === "product") {
      return { ...formula, source: { kind: "product", of: [convert(source.of[0]), convert(source.of[1])] } };
    }
    const change = changes[ids[source.feature]];
    if (source.kind !== "number" || change === undefined) return formula;
    return { ...formula, maps: [{ kind: "scale", center: change.offset, scale: change.factor }, ...formula.maps] };
  };
  return { ...preparation, columns: preparation.columns.map(convert) };
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
