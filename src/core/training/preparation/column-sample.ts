/** What is known of a column: finite numbers of rows that weigh something. */
export interface ColumnSample {
  readonly values: Float64Array;
  /** Absent: each counts once. */
  readonly weights: Float64Array | undefined;
  /** Sum of the weights. */
  readonly total: number;
}

/** The known values of a column; rows of weight 0 are as good as absent. */
export function columnSample(values: Float64Array, weights?: Float64Array): ColumnSample {
  const isKnown = (value: number, row: number) => Number.isFinite(value) && (weights === undefined || weights[row] > 0);
  const known = values.filter(isKnown);
  if (weights === undefined) return { values: known, weights: undefined, total: known.length };
  const knownWeights = weights.filter((_, row) => isKnown(values[row], row));
  return { values: known, weights: knownWeights, total: sumOf(knownWeights) };
}

/** Whole weights stay, so that they equal repeated rows; others are scaled to a mean of 1, so that their unit does not matter. */
export function scaledWeights(weights: Float64Array | undefined): Float64Array | undefined {
  if (weights === undefined || weights.every(Number.isInteger)) return weights;
  const counted = weights.reduce((rows, weight) => rows + (weight > 0 ? 1 : 0), 0);
  const factor = counted / sumOf(weights);
  return weights.map((weight) => weight * factor);
}

export interface Moments {
  readonly mean: number;
  /** Of the sample itself (divided by the total weight). */
  readonly variance: number;
}

/** Two passes, in units of the largest magnitude where squares would leave the range of numbers. NaN for an empty sample. */
export function momentsOf(sample: ColumnSample): Moments {
  const direct = plainMoments(sample, 1);
  if (Number.isFinite(direct.variance) && direct.variance > 1e-290) return direct;
  const unit = sample.values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  if (unit === 0) return direct;
  const { mean, variance } = plainMoments(sample, unit);
  return { mean: mean * unit, variance: variance * unit * unit };
}

function plainMoments({ values, weights, total }: ColumnSample, unit: number): Moments {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (weights?.[i] ?? 1) * (values[i] / unit);
  const roughMean = sum / total;
  let rest = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const difference = values[i] / unit - roughMean;
    const weight = weights?.[i] ?? 1;
    rest += weight * difference;
    squares += weight * difference * difference;
  }
  const correction = rest / total;
  return { mean: roughMean + correction, variance: Math.max(0, squares / total - correction * correction) };
}

/** Standard deviation, 0 where the values differ by rounding only. Computed in their own unit, so that no square leaves the range. */
export function deviationOf(sample: ColumnSample): number {
  const unit = sample.values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  if (unit === 0) return 0;
  const { mean, variance } = plainMoments(sample, unit);
  const count = sample.values.length;
  const rounding = count * Number.EPSILON * variance + (count * mean * Number.EPSILON) ** 2;
  return variance <= rounding ? 0 : Math.sqrt(variance) * unit;
}

/**
 * Quantiles by linear interpolation between order statistics (Hyndman and Fan's type 7; NumPy's default), as if each value were there
 * as often as it weighs. `shares` between 0 and 1; NaN for an empty sample.
 */
export function quantilesOf({ values, weights, total }: ColumnSample, shares: readonly number[]): number[] {
  if (values.length === 0) return shares.map(() => Number.NaN);
  const at = weights === undefined ? orderStatistics(values) : weightedOrderStatistics(values, weights);
  return shares.map((share) => {
    const position = Math.max(0, withoutRounding((total - 1) * share));
    const below = Math.floor(position);
    return between(at(below), at(Math.min(below + 1, Math.max(0, Math.ceil(total) - 1))), position - below);
  });
}

export const medianOf = (sample: ColumnSample): number => quantilesOf(sample, [0.5])[0];

/** A third of three rows is a whole row, though 3 x (1 / 3) may not be. */
function withoutRounding(position: number): number {
  const whole = Math.round(position);
  return Math.abs(position - whole) <= 4 * Number.EPSILON * whole ? whole : position;
}

function between(low: number, high: number, share: number): number {
  const step = high - low;
  if (step === Number.POSITIVE_INFINITY) return low * (1 - share) + high * share;
  return share < 0.5 ? low + step * share : high - step * (1 - share);
}

function orderStatistics(values: Float64Array): (position: number) => number {
  const sorted = Float64Array.from(values).sort();
  return (position) => sorted[Math.min(position, sorted.length - 1)];
}

/** Positions run over the weights: a value of weight 2 takes two. */
function weightedOrderStatistics(values: Float64Array, weights: Float64Array): (position: number) => number {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  const ends = new Float64Array(order.length);
  let end = 0;
  for (let i = 0; i < order.length; i++) {
    end += weights[order[i]];
    ends[i] = end;
  }
  return (position) => {
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] > position) high = middle;
      else low = middle + 1;
    }
    return values[order[low]];
  };
}

/** The value with most weight; of equal ones the least. NaN for an empty sample. */
export function modeOf({ values, weights }: ColumnSample): number {
  const totals = new Map<number, number>();
  for (let i = 0; i < values.length; i++) totals.set(values[i], (totals.get(values[i]) ?? 0) + (weights?.[i] ?? 1));
  let mode = Number.NaN;
  let most = 0;
  for (const [value, total] of totals) {
    if (total > most || (total === most && value < mode)) {
      mode = value;
      most = total;
    }
  }
  return mode;
}

/** Least and greatest; infinite the wrong way round for an empty sample. */
export function rangeOf({ values }: ColumnSample): { readonly low: number; readonly high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

export const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
