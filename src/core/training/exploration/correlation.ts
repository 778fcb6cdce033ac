import type { Dataset, RowSelection } from "../dataset.ts";

export type CorrelationMethod = "pearson" | "spearman";

export interface CorrelationMatrix {
  readonly method: CorrelationMethod;
  /** Ids of the numeric features. */
  readonly features: readonly string[];
  /** Row by row; `null` where fewer than two rows have both, or one does not vary. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** Correlations of each two numeric features, over the rows that have both. Plain JSON. */
export function correlationMatrix(dataset: Dataset, rows: RowSelection, method: CorrelationMethod): CorrelationMatrix {
  const numeric = dataset.features.filter((column) => column.kind === "numeric");
  const columns = numeric.map(({ values }) => ordered(Float64Array.from(rows, (row) => values[row])));
  const correlation = method === "pearson" ? pearsonOfOrdered : spearmanOfOrdered;
  const values = columns.map(() => new Array<number | null>(columns.length).fill(null));
  for (let a = 0; a < columns.length; a++) {
    for (let b = a; b < columns.length; b++) {
      values[a][b] = correlation(columns[a], columns[b]);
      values[b][a] = values[a][b];
    }
  }
  return { method, features: numeric.map(({ id }) => id), values };
}

/** Pearson's r over the rows where both are finite; `null` where it is undefined. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  let rows = 0;
  let [meanX, meanY] = [0, 0];
  // In units of the largest magnitudes, so that no square leaves the range of numbers.
  let [unitX, unitY] = [Number.MIN_VALUE, Number.MIN_VALUE];
  for (let row = 0; row < x.length; row++) {
    if (!Number.isFinite(x[row]) || !Number.isFinite(y[row])) continue;
    rows += 1;
    meanX += x[row] / rows - meanX / rows;
    meanY += y[row] / rows - meanY / rows;
    unitX = Math.max(unitX, Math.abs(x[row]));
    unitY = Math.max(unitY, Math.abs(y[row]));
  }
  let [xx, yy, xy] = [0, 0, 0];
  for (let row = 0; row < x.length; row++) {
    if (!Number.isFinite(x[row]) || !Number.isFinite(y[row])) continue;
    const dx = x[row] / unitX - meanX / unitX;
    const dy = y[row] / unitY - meanY / unitY;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  const r = xy / Math.sqrt(xx * yy);
  return rows < 2 || !Number.isFinite(r) ? null : Math.max(-1, Math.min(1, r));
}

/** Spearman's rho: Pearson's r of the ranks among the rows where both are finite, equal values sharing their mean rank. */
export const spearman = (x: Float64Array, y: Float64Array): number | null => spearmanOfOrdered(ordered(x), ordered(y));

/** A column with the order of its finite values, which serves for its ranks beside any other column. */
interface OrderedColumn {
  readonly values: Float64Array;
  /** Rows with a finite value, the least first. */
  readonly order: Uint32Array;
}

function ordered(values: Float64Array): OrderedColumn {
  const finite = Uint32Array.from(values.keys()).filter((row) => Number.isFinite(values[row]));
  return { values, order: finite.sort((a, b) => values[a] - values[b]) };
}

const pearsonOfOrdered = (x: OrderedColumn, y: OrderedColumn): number | null => pearson(x.values, y.values);

const spearmanOfOrdered = (x: OrderedColumn, y: OrderedColumn): number | null =>
  pearson(ranksBeside(x, y.values), ranksBeside(y, x.values));

/** Ranks from 1 among the rows where the other column is finite too, equal values sharing the mean of theirs; NaN in the other rows. */
function ranksBeside({ values, order }: OrderedColumn, other: Float64Array): Float64Array {
  const ranks = new Float64Array(values.length).fill(Number.NaN);
  const shared = order.filter((row) => Number.isFinite(other[row]));
  for (let start = 0; start < shared.length; ) {
    let end = start + 1;
    while (end < shared.length && values[shared[end]] === values[shared[start]]) end += 1;
    for (let i = start; i < end; i++) ranks[shared[i]] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}

/** Ranks of finite values from 1; equal values share the mean of theirs. */
export const averageRanks = (values: Float64Array): Float64Array => ranksBeside(ordered(values), values);
