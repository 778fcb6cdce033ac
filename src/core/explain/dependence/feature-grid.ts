import type { FeatureColumn } from "../../training/index.ts";

/** Where a feature is looked at, and how much data lies there. */
export interface GridPoint {
  readonly value: number | string;
  /** Rows to which this is the nearest point (of equally near ones the lower), or that have this category. */
  readonly rows: number;
}

/**
 * Numbers: all distinct values where there are at most `points`, else `points` quantiles from the least to the greatest. Categories:
 * the `points` most frequent ones, most frequent first. Missing values have no point.
 */
export function featureGrid(column: FeatureColumn, points: number): GridPoint[] {
  return column.kind === "numeric"
    ? withSupport(quantilePoints(column.values, points), column.values)
    : categoryPoints(column.codes, column.categories).slice(0, points);
}

/** The grid that a caller chose, with the rows at each of its points. Numbers are sorted. */
export function givenGrid(column: FeatureColumn, values: readonly (number | string)[]): GridPoint[] {
  if (column.kind === "numeric") return withSupport([...new Set(values.map(Number))].sort(ascending), column.values);
  const counts = new Map(categoryPoints(column.codes, column.categories).map(({ value, rows }) => [value, rows]));
  return values.map((value) => ({ value: String(value), rows: counts.get(String(value)) ?? 0 }));
}

/** Distinct quantiles of the finite values, ascending. */
export function quantilePoints(values: Float64Array, points: number): number[] {
  const sorted = values.filter(Number.isFinite).sort();
  const distinct = [...new Set(sorted)];
  if (distinct.length <= points) return distinct;
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  return [...new Set(Array.from({ length: points }, (_, i) => at(points === 1 ? 0.5 : i / (points - 1))))];
}

function withSupport(grid: readonly number[], values: Float64Array): GridPoint[] {
  const rows = new Float64Array(grid.length);
  if (grid.length > 0) for (const value of values) if (Number.isFinite(value)) rows[nearest(grid, value)] += 1;
  return grid.map((value, index) => ({ value, rows: rows[index] }));
}

function nearest(grid: readonly number[], value: number): number {
  let low = 0;
  let high = grid.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (grid[middle] <= value) low = middle;
    else high = middle;
  }
  return value - grid[low] <= grid[high] - value ? low : high;
}

function categoryPoints(codes: Int32Array, categories: readonly string[]): GridPoint[] {
  const counts = new Float64Array(categories.length);
  for (const code of codes) if (code >= 0) counts[code] += 1;
  return categories
    .map((value, code) => ({ value, rows: counts[code] }))
    .filter(({ rows }) => rows > 0)
    .sort((a, b) => b.rows - a.rows || (a.value < b.value ? -1 : 1));
}

const ascending = (a: number, b: number): number => a - b;
