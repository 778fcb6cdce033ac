import type { MetricName } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import type { MetricEstimate } from "../model.ts";
import { normalQuantile } from "../preparation/normal-quantile.ts";
import { seededRandom } from "../random.ts";
import { normalCdf } from "./distributions.ts";

export interface ResamplingOptions {
  /** Bootstrap resamples of units; 200 unless said. 0 gives the point estimates as their own bounds. */
  readonly resamples?: number;
  readonly seed?: number;
  /** 0.95 unless said. */
  readonly confidence?: number;
  /**
   * percentile unless said. bca corrects for bias and skew (Efron 1987), its acceleration from a jackknife over at most 100 blocks of
   * units; it costs 100 more evaluations.
   */
  readonly interval?: "percentile" | "bca";
}

const DEFAULTS = { resamples: 200, seed: 1, confidence: 0.95, interval: "percentile" } as const;
const JACKKNIFE_BLOCKS = 100;

/** Rows whose metrics can be measured again and again with other weights of their units, without sorting them again. */
export interface Resampled<N extends MetricName = MetricName> {
  readonly names: readonly N[];
  readonly units: number;
  /** `unitWeights`: by unit how often its rows count; `null`: once. `only`: the others need not be measured. */
  readonly measure: (unitWeights: Float64Array | null, only?: N) => Partial<Record<N, number>>;
}

/** Distinct units, numbered in ascending order; `index[row]` is the number of the row's. */
export function denseUnits(units: Int32Array): { readonly count: number; readonly index: Int32Array } {
  const distinct = Int32Array.from(new Set(units)).sort();
  const first = distinct[0];
  // Days and row numbers are often without a gap, and a million of them are dear in a Map.
  if (distinct.length > 0 && distinct[distinct.length - 1] - first === distinct.length - 1) {
    return { count: distinct.length, index: units.map((unit) => unit - first) };
  }
  const indexOf = new Map(Array.from(distinct, (unit, index) => [unit, index]));
  return { count: distinct.length, index: units.map((unit) => indexOf.get(unit) ?? 0) };
}

/** Weights of rows: their unit's times their own; `null` where every row counts once. */
export function weightsOfRows(
  unit: Int32Array,
  unitWeights: Float64Array | null,
  rowWeights: Float64Array | null,
): Float64Array | null {
  if (unitWeights === null) return rowWeights;
  const weights = new Float64Array(unit.length);
  for (let row = 0; row < unit.length; row++) {
    weights[row] = rowWeights === null ? unitWeights[unit[row]] : unitWeights[unit[row]] * rowWeights[row];
  }
  return weights;
}

/**
 * How often each unit is drawn, for each resample. The array is used again for the next: read it before going on. None for fewer
 * than two units, of which no spread can be learnt.
 * @throws TRAIN_PARAMETER_INVALID
 */
export function* unitResamples(units: number, options: ResamplingOptions = {}): Generator<Float64Array> {
  const { resamples, seed } = { ...DEFAULTS, ...options };
  if (!(Number.isInteger(resamples) && resamples >= 0)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`${resamples} resamples`, {
      hint: "Give a whole number of resamples, 0 for none.",
    });
  }
  if (units < 2) return;
  const random = seededRandom(seed);
  const weights = new Float64Array(units);
  for (let resample = 0; resample < resamples; resample++) {
    weights.fill(0);
    for (let draw = 0; draw < units; draw++) weights[random.below(units)] += 1;
    yield weights;
  }
}

/**
 * Every metric that is defined for the rows, with its bootstrap interval over units. A resample for which a metric is undefined
 * does not count for it.
 * @throws TRAIN_PARAMETER_INVALID
 */
export function estimateMetrics<N extends MetricName>(
  { names, units, measure }: Resampled<N>,
  options: ResamplingOptions = {},
): Partial<Record<N, MetricEstimate>> {
  const point = measure(null);
  const samples = new Map<N, number[]>(names.map((name) => [name, []]));
  for (const weights of unitResamples(units, options)) {
    const values = measure(weights);
    for (const name of names) {
      const value = values[name];
      if (value !== undefined) samples.get(name)?.push(value);
    }
  }
  const jackknife = options.interval === "bca" ? leaveBlocksOut(units, measure) : [];
  const estimates: Partial<Record<N, MetricEstimate>> = {};
  for (const name of names) {
    const value = point[name];
    if (value === undefined) continue;
    const withoutBlocks = jackknife.flatMap((values) => values[name] ?? []);
    estimates[name] = intervalOf(value, samples.get(name) ?? [], withoutBlocks, options);
  }
  return estimates;
}

/**
 * The bounds of an estimate from its values over resamples; the estimate itself where there are none.
 * @param withoutBlocks values of the jackknife, for bca
 */
export function intervalOf(
  value: number,
  resampled: readonly number[],
  withoutBlocks: readonly number[] = [],
  options: ResamplingOptions = {},
): MetricEstimate {
  const { confidence, interval } = { ...DEFAULTS, ...options };
  if (!(confidence > 0 && confidence < 1)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`a confidence of ${confidence}`, { hint: "Give a confidence between 0 and 1." });
  }
  if (resampled.length === 0) return { value, low: value, high: value };
  const sorted = Float64Array.from(resampled).sort();
  const tails = [(1 - confidence) / 2, (1 + confidence) / 2];
  const [low, high] = interval === "bca" ? tails.map((q) => bcaQuantile(q, value, sorted, withoutBlocks)) : tails;
  return { value, low: quantile(sorted, low), high: quantile(sorted, high) };
}

/** The share of resamples below which the bias-corrected, accelerated bound lies (Efron 1987). */
function bcaQuantile(q: number, value: number, sorted: Float64Array, withoutBlocks: readonly number[]): number {
  const below = sorted.reduce((count, each) => count + (each < value ? 1 : each === value ? 0.5 : 0), 0);
  // A value outside all resamples would be infinitely biased.
  const share = Math.min(sorted.length - 0.5, Math.max(0.5, below)) / sorted.length;
  const bias = normalQuantile(share);
  const shifted = bias + normalQuantile(q);
  return normalCdf(bias + shifted / (1 - acceleration(withoutBlocks) * shifted));
}

/** Skewness of the estimate, from the jackknife. */
function acceleration(withoutBlocks: readonly number[]): number {
  const mean = withoutBlocks.reduce((sum, each) => sum + each, 0) / withoutBlocks.length;
  let squares = 0;
  let cubes = 0;
  for (const each of withoutBlocks) {
    squares += (mean - each) ** 2;
    cubes += (mean - each) ** 3;
  }
  return squares > 0 ? cubes / (6 * squares ** 1.5) : 0;
}

/** Measures the rows without each block of units in turn; unit u is in block u % blocks. */
function leaveBlocksOut<V>(units: number, measure: (weights: Float64Array) => V): V[] {
  const blocks = Math.min(JACKKNIFE_BLOCKS, units);
  if (blocks < 2) return [];
  return Array.from({ length: blocks }, (_, block) =>
    measure(Float64Array.from({ length: units }, (_, unit) => (unit % blocks === block ? 0 : 1))),
  );
}

/** Linear interpolation between order statistics, as numpy's default. */
export function quantile(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
