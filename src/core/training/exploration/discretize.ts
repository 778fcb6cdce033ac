import { columnSample, quantilesOf } from "../preparation/column-sample.ts";

/** A column of whole numbers 0 … count - 1. */
export interface DiscreteColumn {
  readonly codes: Int32Array;
  readonly count: number;
}

/**
 * Numbers as codes: each different value one where there are at most `bins`, else bins of nearly equally many rows. Missing values have
 * a code of their own, the last.
 */
export function discretize(values: Float64Array, bins: number, weights?: Float64Array): DiscreteColumn {
  const distinct = distinctUpTo(values, bins);
  if (distinct !== null) {
    const codeOf = new Map(distinct.map((value, code) => [value, code]));
    return { codes: Int32Array.from(values, (value) => codeOf.get(value) ?? distinct.length), count: distinct.length + 1 };
  }
  const shares = Array.from({ length: bins - 1 }, (_, index) => (index + 1) / bins);
  const edges = Float64Array.from(new Set(quantilesOf(columnSample(values, weights), shares)));
  const codes = Int32Array.from(values, (value) => (Number.isFinite(value) ? binOf(edges, value) : edges.length + 1));
  return { codes, count: edges.length + 2 };
}

/** Bins that so many rows can fill when two columns are crossed. */
export const binsFor = (rows: number): number => Math.max(4, Math.min(32, Math.floor(Math.cbrt(rows))));

/** The different finite values, ascending; `null` if there are more than `most`. */
function distinctUpTo(values: Float64Array, most: number): number[] | null {
  const distinct = new Set<number>();
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    distinct.add(value);
    if (distinct.size > most) return null;
  }
  return [...distinct].sort((a, b) => a - b);
}

/** How many edges lie below a value: bin k holds what is above edge k - 1 and at most edge k. */
export function binOf(edges: Float64Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
