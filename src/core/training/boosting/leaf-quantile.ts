import type { BoostedRows } from "./objective.ts";
import type { RowRange } from "./sort-rows.ts";
import { weightedQuantile } from "./weighted-location.ts";

/** The quantile of what a leaf's rows lack so far: the constant that the quantile objective wants (Friedman 2001, algorithm 3). */
export function leafQuantile(
  { scores: [scores], targets, weights }: BoostedRows,
  index: Uint32Array,
  { start, end }: RowRange,
  quantile: number,
): number {
  const rows = index.subarray(start, end);
  const residuals = Float64Array.from(rows, (row) => targets[row] - scores[row]);
  return weightedQuantile(residuals, weights === null ? null : Float64Array.from(rows, (row) => weights[row]), quantile);
}
