import { type SortedValues, sortValues } from "./sort-values.ts";
import { thresholdBetween } from "./threshold-between.ts";

/** Edges are made from at most so many rows: more do not move quantiles noticeably. */
const SAMPLE = 200_000;

/** Distinct values, ascending, and how much each weighs. */
interface WeightedValues {
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

/**
 * At most `maxBins` - 1 ascending thresholds. Between all neighbouring values where that suffices; otherwise bins of about equal weight,
 * where a value heavier than a bin leaves the others' share to the rest (as LightGBM and xgboost do). From more than 200,000 rows
 * evenly chosen ones are read.
 */
export function numberEdges(column: Float64Array, maxBins: number, weights?: Float64Array): Float64Array {
  const stride = Math.max(1, Math.ceil(column.length / SAMPLE));
  const leaveOut = weights === undefined ? undefined : (row: number) => weights[row] === 0;
  const distinct = distinctValues(sortValues(column, stride, leaveOut), weights);
  const { values } = distinct;
  if (values.length > maxBins) return quantileEdges(distinct, maxBins);
  return Float64Array.from({ length: Math.max(0, values.length - 1) }, (_, i) => thresholdBetween(values[i], values[i + 1]));
}

/** Overwrites the sorted values. */
function distinctValues({ values, rows }: SortedValues, weights: Float64Array | undefined): WeightedValues {
  const sums = new Float64Array(values.length);
  let last = -1;
  for (let i = 0; i < values.length; i++) {
    if (last < 0 || values[i] !== values[last]) values[++last] = values[i];
    sums[last] += weights === undefined ? 1 : weights[rows[i]];
  }
  return { values: values.subarray(0, last + 1), weights: sums.subarray(0, last + 1) };
}

/**
 * A value that weighs as much as a bin on average has a bin of its own, and the rest share what bins remain (as LightGBM does it).
 */
function quantileEdges({ values, weights }: WeightedValues, maxBins: number): Float64Array {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i];
  const heavy = total / maxBins;
  let binsLeft = maxBins;
  let weightLeft = total;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] < heavy) continue;
    binsLeft--;
    weightLeft -= weights[i];
  }
  const edges: number[] = [];
  let inBin = 0;
  let share = weightLeft / binsLeft;
  for (let i = 0; i < values.length - 1 && edges.length < maxBins - 1; i++) {
    const isLight = weights[i] < heavy;
    if (isLight) {
      inBin += weights[i];
      if (inBin < (weights[i + 1] < heavy ? share : share / 2)) continue;
      binsLeft--;
    }
    edges.push(thresholdBetween(values[i], values[i + 1]));
    weightLeft -= inBin;
    share = weightLeft / Math.max(1, binsLeft);
    inBin = 0;
  }
  return Float64Array.from(edges);
}
