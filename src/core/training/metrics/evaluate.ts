import type { MetricName } from "../../definitions/index.ts";
import type { CategoricalColumn, RowSelection } from "../dataset.ts";
import type { Evaluation, MetricEstimate, MetricTable } from "../model.ts";
import { calibrationError } from "./calibration-error.ts";
import { pairedBootstrap } from "./compare-candidates.ts";
import { type Decision, METRIC_NAMES, metricValues, type ScoredRows, scoreRows } from "./metrics.ts";
import { estimateMetrics, type Resampled, type ResamplingOptions } from "./resampling.ts";

export type { ResamplingOptions } from "./resampling.ts";

export interface EvaluateOptions extends ResamplingOptions {
  /** By row, at least 0; absent: every row counts once. */
  readonly weights?: Float64Array;
}

/** Scored rows for `estimateMetrics` and `compareCandidates`. */
export const resampledRows = (scored: ScoredRows): Resampled => ({
  names: METRIC_NAMES,
  units: scored.units,
  measure: (weights, only) => metricValues(scored, weights, only),
});

/**
 * All defined metrics with 95% intervals from resampling whole days with replacement: rows of a day share weather,
 * crowds and delays, and resampling rows would make the intervals too narrow. With a single day the bounds are the estimate.
 *
 * @param labels 0 or 1
 * @param days day of each row's labelled event (days since 1970), or any other unit to resample: a group's number, a row's
 * @throws TRAIN_EVALUATION_INVALID
 */
export function evaluate(
  labels: Uint8Array,
  probabilities: Float64Array,
  days: Int32Array,
  decision: Decision,
  options: EvaluateOptions = {},
): Evaluation {
  const scored = scoreRows(labels, probabilities, days, decision, options.weights);
  return {
    rows: labels.length,
    positives: labels.reduce((sum, label) => sum + label, 0),
    days: scored.units,
    threshold: decision.threshold,
    metrics: estimateMetrics(resampledRows(scored), options),
  };
}

/**
 * metric(A) - metric(B) on the same rows, with the interval of the difference: each resample of days is taken for both.
 * `null` where the metric is undefined for either. `compareCandidates` says what it means.
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
  options: EvaluateOptions = {},
): MetricEstimate | null {
  const [a, b] = [probabilitiesA, probabilitiesB].map((probabilities) =>
    resampledRows(scoreRows(labels, probabilities, days, decision, options.weights)),
  );
  return pairedBootstrap(a, b, metric, options)?.difference ?? null;
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
  const bins = calibrationError(labels, probabilities)?.bins ?? [];
  return bins.map(({ weight, ...bin }) => ({ ...bin, rows: weight }));
}
