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
  const columns = numeric.map(({ values }) => Float64Array.from(rows, (row) => values[row]));
  const ranked = method === "spearman" ? columns.map(ranksIfComplete) : columns;
  const values = columns.map(() => new Array<number | null>(columns.length).fill(null));
  for (let a = 0; a < columns.length; a++) {
    for (let b = a; b < columns.length; b++) {
      const [x, y] = [ranked[a], ranked[b]];
      const found = x !== null && y !== null ? pearson(x, y) : spearman(columns[a], columns[b]);
      values[a][b] = found;
      values[b][a] = found;
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
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  const both = Array.from({ length: x.length }, (_, row) => row).filter(
    (row) => Number.isFinite(x[row]) && Number.isFinite(y[row]),
  );
  return pearson(averageRanks(both.map((row) => x[row])), averageRanks(both.map((row) => y[row])));
}

/** Ranks from 1; equal values share the mean of theirs. */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, row) => row).sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end += 1;
    for (let i = start; i < end; i++) ranks[order[i]] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}

/** Ranks can be shared between pairs only where no value is missing: otherwise each pair has rows of its own. */
const ranksIfComplete = (column: Float64Array): Float64Array | null =>
  column.every(Number.isFinite) ? averageRanks(column) : null;
