import { type FeatureColumn, seededRandom } from "../training/index.ts";
import type { AffineChange } from "./affine-change.ts";
import type { Window } from "./drift.ts";
import type { Profile, ReferenceProfile } from "./reference.ts";

/** Calibrated probabilities of rows given in columns, one per row. */
export type ColumnPredictor = (columns: readonly FeatureColumn[], rows: number) => Float64Array;

/**
 * What the drift of some features does to predictions: the mean |change| of the probability when their columns are repaired. A
 * change of units is undone; other columns are replaced by draws from the reference, and since that alone changes predictions of
 * any column that matters, the figure is an upper bound there.
 *
 * @param predict scores columns in the order of `window.features`
 * @returns the cost function that `rankCauses` takes
 */
export function repairCost(
  reference: ReferenceProfile,
  window: Window,
  changes: readonly AffineChange[],
  predict: ColumnPredictor,
  seed = 1,
): (features: readonly string[]) => number | null {
  const profiles = new Map(reference.features.map((profile) => [profile.id, profile]));
  const rows = window.predictions.length;
  return (features) => {
    if (rows === 0) return null;
    const random = seededRandom(seed);
    const uniform = () => random.uint32() / 2 ** 32;
    const repaired = window.features.map((column) => {
      const profile = profiles.get(column.id);
      if (profile === undefined || !features.includes(column.id)) return column;
      const change = changes.find(({ feature, name }) => feature === column.id && name !== null);
      if (change !== undefined && column.kind === "numeric") {
        return { ...column, values: column.values.map((value) => (value - change.offset) / change.factor) };
      }
      return drawColumn(column, profile, rows, uniform);
    });
    const probability = predict(repaired, rows);
    return probability.reduce((sum, p, row) => sum + Math.abs(p - window.predictions[row]), 0) / rows;
  };
}

function drawColumn(column: FeatureColumn, profile: Profile, rows: number, uniform: () => number): FeatureColumn {
  if (column.kind === "numeric" && profile.kind === "numeric") {
    const draw = () => profile.quantiles[Math.floor(uniform() * profile.quantiles.length)];
    const values = Float64Array.from({ length: rows }, () => (uniform() < profile.missingShare ? Number.NaN : draw()));
    return { ...column, values };
  }
  if (column.kind === "categorical" && profile.kind === "categorical") {
    const draw = () => {
      let left = uniform() * profile.rows;
      const index = profile.counts.findIndex((count) => (left -= count) < 0);
      return index;
    };
    const codes = Int32Array.from({ length: rows }, () => (uniform() < profile.missingShare ? -1 : draw()));
    return { ...column, codes, categories: profile.categories };
  }
  return column;
}
