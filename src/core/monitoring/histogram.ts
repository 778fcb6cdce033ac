/** Distinct bin edges of a profile, at most. */
const MAX_EDGES = 20;
/** Numbers with up to so many distinct values, each seen so often, are a lattice: a value beside it is news. */
const MAX_DISTINCT = 512;
const ROWS_PER_DISTINCT = 20;
/** A value counts as seen when it lies within this share of the distance between seen values. */
const LATTICE_TOLERANCE = 0.1;

/** Value at quantile q of an ascending array, by linear interpolation between order statistics (numpy's default). */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

/**
 * Edges of bins that hold about equally many of the values, ascending, 20 at most; with few distinct values every value gets
 * a bin of its own. A constant has the bin [v, v].
 */
export function binEdges(sorted: Float64Array): number[] {
  const distinct = distinctUpTo(sorted, MAX_EDGES - 1);
  const [first, last] = [sorted[0], sorted[sorted.length - 1]];
  if (distinct !== null) {
    const between = distinct.slice(1).map((value, i) => (value + distinct[i]) / 2);
    return [first, ...between, last];
  }
  const edges = Array.from({ length: MAX_EDGES }, (_, i) => quantileOf(sorted, i / (MAX_EDGES - 1)));
  return edges.filter((edge, i) => i === 0 || edge > edges[i - 1]);
}

/**
 * Bin of a value: 0 below the first edge, `edges.length` above the last; bins are [edge, next edge), the last one closed.
 * There are `edges.length + 1` bins.
 */
export function binOf(edges: readonly number[], value: number): number {
  if (value > edges[edges.length - 1]) return edges.length;
  if (value < edges[0]) return 0;
  let low = 0;
  let high = edges.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (value >= edges[middle]) low = middle;
    else high = middle;
  }
  return low + 1;
}

export function countBins(edges: readonly number[], values: Float64Array): Float64Array {
  const counts = new Float64Array(edges.length + 1);
  for (const value of values) counts[binOf(edges, value)] += 1;
  return counts;
}

/** The distinct values of a sorted array when they form a lattice of few, often repeated values; otherwise null. */
export function latticeOf(sorted: Float64Array): number[] | null {
  return distinctUpTo(sorted, Math.min(MAX_DISTINCT, Math.floor(sorted.length / ROWS_PER_DISTINCT)));
}

/** Index of the lattice's value next to a value; the lower one of two that are equally near. */
export function nearestOnLattice(lattice: readonly number[], value: number): number {
  let low = 0;
  let high = lattice.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lattice[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low > 0 && value - lattice[low - 1] <= lattice[low] - value ? low - 1 : low;
}

/** Whether a value stands on the lattice, give or take 10% of the distance from there to the next value. */
export function onLattice(lattice: readonly number[], value: number): boolean {
  const index = nearestOnLattice(lattice, value);
  const seen = lattice[index];
  const next = value < seen ? (lattice[index - 1] ?? lattice[index + 1]) : (lattice[index + 1] ?? lattice[index - 1]);
  const tolerance = next === undefined ? 1e-9 * Math.max(1, Math.abs(seen)) : LATTICE_TOLERANCE * Math.abs(next - seen);
  return Math.abs(value - seen) <= tolerance;
}

function distinctUpTo(sorted: Float64Array, limit: number): number[] | null {
  const distinct: number[] = [];
  for (const value of sorted) {
    if (value === distinct[distinct.length - 1]) continue;
    if (distinct.length === limit) return null;
    distinct.push(value);
  }
  return distinct;
}
