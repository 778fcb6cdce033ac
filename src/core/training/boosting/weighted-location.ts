import { orderRows } from "../trees/order-rows.ts";

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
  const order = orderRows(values, 1, (row) => weights !== null && weights[row] === 0);
  const weightOf = (row: number): number => (weights === null ? 1 : weights[row]);
  const total = order.reduce((sum, row) => sum + weightOf(row), 0);
  const wanted = quantile * total;
  let below = 0;
  for (let i = 0; i < order.length - 1; i++) {
    below += weightOf(order[i]);
    if (below > wanted) return values[order[i]];
    if (below === wanted) return values[order[i]] / 2 + values[order[i + 1]] / 2;
  }
  return values[order[order.length - 1]];
}
