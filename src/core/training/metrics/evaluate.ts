import type { MetricName } from "../../definitions/index.ts";
import type { CategoricalColumn, RowSelection } from "../dataset.ts";
import type { Evaluation, MetricEstimate, MetricTable } from "../model.ts";
import { seededRandom } from "../random.ts";
import { type Decision, METRIC_NAMES, type MetricValues, metricValues, scoreRows } from "./metrics.ts";

export interface ResamplingOptions {
  /** Bootstrap resamples of days; 200 unless said. 0 gives the point estimates as their own bounds. */
  readonly resamples?: number;
  readonly seed?: number;
}

const DEFAULTS = { resamples: 200, seed: 1 };
/** Bounds of a 95% interval. */
const LOW = 0.025;
const HIGH = 0.975;

/**
 * All defined metrics with 95% percentile intervals from resampling whole days with replacement: rows of a day share weather,
 * crowds and delays, and resampling rows would make the intervals too narrow. With a single day the bounds are the estimate.
 *
 * @param labels 0 or 1
 * @param days day of each row's labelled event (days since 1970)
 * @throws TRAIN_EVALUATION_INVALID
 */
export function evaluate(
  labels: Uint8Array,
  probabilities: Float64Array,
  days: Int32Array,
  decision: Decision,
  options: ResamplingOptions = {},
): Evaluation {
  const scored = scoreRows(labels, probabilities, days, decision);
  const value = metricValues(scored);
  const resampled = dayResamples(scored.days, options).map((weights) => metricValues(scored, weights));
  const metrics: MetricTable = Object.fromEntries(
    METRIC_NAMES.flatMap((metric) => {
      const estimate = withInterval(value[metric], valuesOf(resampled, metric));
      return estimate === null ? [] : [[metric, estimate]];
    }),
  );
  return {
    rows: labels.length,
    positives: labels.reduce((sum, label) => sum + label, 0),
    days: scored.days,
    threshold: decision.threshold,
    metrics,
  };
}

/**
 * metric(A) - metric(B) on the same rows, with the interval of the difference: each resample of days is taken for both.
 * `null` where the metric is undefined for either.
 *
 * @throws TRAIN_EVALUATION_INVALID
 */
export function pairedDifference(
  labels: Uint8Array,
  days: Int32Array,
  probabilitiesA: Float64Array,
  probabilitiesB: Float64Array,
  metric: MetricName,
  decision: Decision,
  options: ResamplingOptions = {},
): MetricEstimate | null {
  const a = scoreRows(labels, probabilitiesA, days, decision);
  const b = scoreRows(labels, probabilitiesB, days, decision);
  const difference = (weights: Float64Array | null): number | undefined => {
    const [valueA, valueB] = [metricValues(a, weights)[metric], metricValues(b, weights)[metric]];
    return valueA === undefined || valueB === undefined ? undefined : valueA - valueB;
  };
  const resampled = dayResamples(a.days, options).flatMap((weights) => difference(weights) ?? []);
  return withInterval(difference(null), resampled);
}

export interface SegmentEvaluation {
  /** `null` stands for rows without a value. */
  readonly value: string | null;
  readonly rows: number;
  readonly positives: number;
  /** `null` below `minPositives`: the group is too small to say anything. */
  readonly metrics: MetricTable | null;
}

/**
 * `evaluate` for each value of a segment, most rows first. `labels`, `probabilities` and `days` belong to `rows`, in their order.
 * @throws TRAIN_EVALUATION_INVALID
 */
export function segmentEvaluations(
  segment: CategoricalColumn,
  rows: RowSelection,
  labels: Uint8Array,
  probabilities: Float64Array,
  days: Int32Array,
  decision: Decision,
  options: ResamplingOptions & { minPositives: number },
): SegmentEvaluation[] {
  const members = new Map<number, number[]>();
  rows.forEach((row, i) => {
    const code = segment.codes[row];
    const group = members.get(code);
    if (group === undefined) members.set(code, [i]);
    else group.push(i);
  });
  return Array.from(members, ([code, group]): SegmentEvaluation => {
    const groupLabels = Uint8Array.from(group, (i) => labels[i]);
    const positives = groupLabels.reduce((sum, label) => sum + label, 0);
    const measured = () =>
      evaluate(
        groupLabels,
        Float64Array.from(group, (i) => probabilities[i]),
        Int32Array.from(group, (i) => days[i]),
        decision,
        options,
      ).metrics;
    return {
      value: code < 0 ? null : segment.categories[code],
      rows: group.length,
      positives,
      metrics: positives < options.minPositives ? null : measured(),
    };
  }).sort((a, b) => b.rows - a.rows || String(a.value).localeCompare(String(b.value), "en"));
}

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  /** Bounds of the predicted probability: low <= p < high, the last bin closed. */
  readonly low: number;
  readonly high: number;
  readonly rows: number;
  readonly meanProbability: number;
  readonly shareOfPositives: number;
}

/** Predicted against observed share of positives in ten equal-width bins; bins without rows are left out. */
export function reliabilityCurve(labels: Uint8Array, probabilities: Float64Array): ReliabilityBin[] {
  const bins = Array.from({ length: 10 }, () => ({ rows: 0, probability: 0, positives: 0 }));
  probabilities.forEach((p, row) => {
    const bin = bins[Math.min(9, Math.floor(p * 10))];
    bin.rows += 1;
    bin.probability += p;
    bin.positives += labels[row];
  });
  return bins.flatMap(({ rows, probability, positives }, index) =>
    rows === 0
      ? []
      : [
          {
            low: index / 10,
            high: (index + 1) / 10,
            rows,
            meanProbability: probability / rows,
            shareOfPositives: positives / rows,
          },
        ],
  );
}

/** How often each day is drawn, for each resample. */
export function dayResamples(days: number, options: ResamplingOptions): Float64Array[] {
  const { resamples, seed } = { ...DEFAULTS, ...options };
  const random = seededRandom(seed);
  return Array.from({ length: days < 2 ? 0 : resamples }, () => {
    const weights = new Float64Array(days);
    for (let draw = 0; draw < days; draw++) weights[random.below(days)] += 1;
    return weights;
  });
}

function withInterval(value: number | undefined, resampled: readonly number[]): MetricEstimate | null {
  if (value === undefined) return null;
  if (resampled.length === 0) return { value, low: value, high: value };
  const sorted = Float64Array.from(resampled).sort();
  return { value, low: quantile(sorted, LOW), high: quantile(sorted, HIGH) };
}

/** Linear interpolation between order statistics, as numpy's default. */
function quantile(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

const valuesOf = (samples: readonly MetricValues[], metric: MetricName): number[] =>
  samples.flatMap((values) => values[metric] ?? []);
