import type { Dataset, FeatureColumn, RowSelection } from "../../training/index.ts";
import { featureAt } from "../dependence/row-function.ts";
import { explainErrors } from "../errors.ts";

/** Numbers differ by at most so many standard deviations: beyond, far is far. */
const FARTHEST = 3;

/** A column whose values can be compared: numbers in standard deviations, or codes. NaN and -1: missing. */
interface ComparedColumn {
  readonly kind: FeatureColumn["kind"];
  readonly values: ArrayLike<number>;
  readonly scale: number;
  readonly weight: number;
}

/** How far rows of a dataset are from each other. */
export interface RowDistance {
  /** From one row to every other of `rows`, in their order. */
  from(row: number): Float64Array;
  /** What each feature adds to the distance between two rows, in the dataset's order. */
  parts(a: number, b: number): Float64Array;
}

/**
 * A mean over features, after Gower ("A general coefficient of similarity", 1971): numbers count their difference in standard
 * deviations (at most 3), categories 1 where they differ, and 1 where one is known and the other missing. 0: alike in every feature.
 *
 * @param rows whose standard deviations are taken, and to which `from` measures
 * @param weights by feature id, at least 0; absent: all features alike; a feature that is not named does not count
 * @throws EXPLAIN_FEATURE_UNKNOWN, EXPLAIN_WEIGHTS_INVALID
 */
export function rowDistance(dataset: Dataset, rows: RowSelection, weights?: Readonly<Record<string, number>>): RowDistance {
  const shares = weightShares(dataset, weights);
  const columns = dataset.features.map((column, index): ComparedColumn => {
    const weight = shares[index];
    return column.kind === "categorical"
      ? { kind: "categorical", values: column.codes, scale: 1, weight }
      : { kind: "numeric", values: column.values, scale: deviationOf(column.values, rows), weight };
  });
  return {
    from(row) {
      const distances = new Float64Array(rows.length);
      for (const column of columns) {
        if (column.weight === 0) continue;
        for (let i = 0; i < rows.length; i++) distances[i] += column.weight * difference(column, row, rows[i]);
      }
      return distances;
    },
    parts: (a, b) => Float64Array.from(columns, (column) => column.weight * difference(column, a, b)),
  };
}

function difference({ kind, values, scale }: ComparedColumn, a: number, b: number): number {
  const [x, y] = [values[a], values[b]];
  if (kind === "categorical") return x === y ? 0 : 1;
  const [isXKnown, isYKnown] = [Number.isFinite(x), Number.isFinite(y)];
  if (!(isXKnown && isYKnown)) return isXKnown === isYKnown ? 0 : 1;
  return scale === 0 ? (x === y ? 0 : 1) : Math.min(FARTHEST, Math.abs(x - y) / scale);
}

function deviationOf(values: Float64Array, rows: RowSelection): number {
  const known = Float64Array.from(rows, (row) => values[row]).filter(Number.isFinite);
  if (known.length === 0) return 0;
  // Scaled first: squares of huge numbers are infinite.
  const largest = known.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return 0;
  const mean = known.reduce((sum, value) => sum + value / largest / known.length, 0);
  const squares = known.reduce((sum, value) => sum + (value / largest - mean) ** 2, 0);
  return largest * Math.sqrt(squares / known.length);
}

function weightShares({ features, ...dataset }: Dataset, weights?: Readonly<Record<string, number>>): Float64Array {
  if (weights === undefined) return new Float64Array(features.length).fill(1 / features.length);
  const shares = new Float64Array(features.length);
  for (const [id, weight] of Object.entries(weights)) shares[featureAt({ ...dataset, features }, id)] = weight;
  const total = shares.reduce((sum, weight) => sum + weight, 0);
  if (!(shares.every((weight) => weight >= 0) && total > 0 && Number.isFinite(total))) {
    throw explainErrors.EXPLAIN_WEIGHTS_INVALID(`the features' weights sum to ${total}`);
  }
  return shares.map((weight) => weight / total);
}
