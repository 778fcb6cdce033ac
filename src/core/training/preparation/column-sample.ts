/** What is known of a column: finite numbers of rows that weigh something. */
export interface ColumnSample {
  readonly values: Float64Array;
  /** Absent: each counts once. */
  readonly weights: Float64Array | undefined;
  /** Sum of the weights. */
  readonly total: number;
}

/** The known values of a column; rows of weight 0 are as good as absent. Where all count once, it is the column itself. */
export function columnSample(values: Float64Array, weights?: Float64Array): ColumnSample {
  const known = new Float64Array(values.length);
  const knownWeights = new Float64Array(weights?.length ?? 0);
  let count = 0;
  let total = 0;
  for (let row = 0; row < values.length; row++) {
    const weight = weights === undefined ? 1 : weights[row];
    if (!Number.isFinite(values[row]) || weight <= 0) continue;
    known[count] = values[row];
    if (weights !== undefined) knownWeights[count] = weight;
    total += weight;
    count += 1;
  }
  if (weights !== undefined) return { values: known.subarray(0, count), weights: knownWeights.subarray(0, count), total };
  return { values: count === values.length ? values : known.subarray(0, count), weights: undefined, total };
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

/** Of the whole sample; NaN for an empty one. */
export function momentsOf(sample: ColumnSample): Moments {
  const { mean, variance, unit } = scaledMoments(sample);
  return { mean: mean * unit, variance: variance * unit * unit };
}

/** Standard deviation, 0 where the values differ by rounding only. */
export function deviationOf(sample: ColumnSample): number {
  const { mean, variance, unit } = scaledMoments(sample);
  const count = sample.values.length;
  const rounding = count * Number.EPSILON * variance + (count * mean * Number.EPSILON) ** 2;
  return variance > rounding ? Math.sqrt(variance) * unit : 0;
}

interface ScaledMoments extends Moments {
  readonly unit: number;
}

/** In a unit near the largest magnitude where squares would leave the range of numbers, else in units of 1. */
function scaledMoments(sample: ColumnSample): ScaledMoments {
  const direct = plainMoments(sample, 1);
  if (direct.variance > 1e-290 && direct.variance < Number.POSITIVE_INFINITY) return direct;
  const largest = sample.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // A power of 2, because dividing by it rounds nothing; not the smallest or largest ones, whose inverse is no number.
  return largest === 0 ? direct : plainMoments(sample, 2 ** Math.max(-1_000, Math.min(1_000, Math.ceil(Math.log2(largest)))));
}

/** Mean and variance of the values in a unit. The second pass takes back what the first one rounded. */
function plainMoments({ values, weights, total }: ColumnSample, unit: number): ScaledMoments {
  const inverse = 1 / unit;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (weights === undefined ? 1 : weights[i]) * (values[i] * inverse);
  const roughMean = sum / total;
  let rest = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const difference = values[i] * inverse - roughMean;
    const weighted = weights === undefined ? difference : weights[i] * difference;
    rest += weighted;
    squares += weighted * difference;
  }
  const correction = rest / total;
  return { mean: roughMean + correction, variance: Math.max(0, squares / total - correction * correction), unit };
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
