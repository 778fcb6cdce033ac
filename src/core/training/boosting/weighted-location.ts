import { sortValues } from "../trees/sort-values.ts";

/**
 * The mean, whatever the order of the values: what is summed first is rounded to a grid on which sums are exact, so that only the
 * small rests depend on the order.
 */
export function weightedMean(values: Float64Array, weights: Float64Array | null): number {
  let most = 0;
  let total = 0;
  for (let row = 0; row < values.length; row++) {
    const weight = weights === null ? 1 : weights[row];
    total += weight;
    most = Math.max(most, Math.abs(values[row] * weight));
  }
  const grid = 2 ** Math.floor(Math.log2(most * values.length) - 51);
  if (!(grid > 0)) return 0;
  let sum = 0;
  let rests = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row] * (weights === null ? 1 : weights[row]);
    const rounded = Math.round(value / grid) * grid;
    sum += rounded;
    rests += value - rounded;
  }
  return (sum + rests) / total;
}

/**
 * The least value that a share of the weight does not exceed; the mean of it and the next where the share is met exactly (Hyndman,
 * Fan 1996, definition 2). A value of weight 2 counts as two values.
 */
export function weightedQuantile(values: Float64Array, weights: Float64Array | null, quantile: number): number {
  const sorted = sortValues(values, 1, (row) => weights !== null && weights[row] === 0);
  const weightOf = (row: number): number => (weights === null ? 1 : weights[row]);
  const wanted = quantile * sorted.rows.reduce((sum, row) => sum + weightOf(row), 0);
  const last = sorted.values.length - 1;
  let below = 0;
  for (let i = 0; i < last; i++) {
    below += weightOf(sorted.rows[i]);
    if (below > wanted) return sorted.values[i];
    if (below === wanted) return sorted.values[i] / 2 + sorted.values[i + 1] / 2;
  }
  return sorted.values[last];
}
