import type { MetricName } from "../definitions/index.ts";
import type { Dataset, RowSelection } from "./dataset.ts";
import { binaryLabels, labelsOf } from "./labels.ts";
import { pairedBootstrap } from "./metrics/compare-candidates.ts";
import { resampledRows } from "./metrics/evaluate.ts";
import { type Decision, scoreRows } from "./metrics/metrics.ts";
import { resampledClasses, scoreClasses } from "./metrics/multiclass-metrics.ts";
import { resampledValues, scoreValues } from "./metrics/regression-metrics.ts";
import type { Resampled, ResamplingOptions } from "./metrics/resampling.ts";
import type { MetricEstimate } from "./model.ts";

/**
 * Predictions of any task beside their labels, ready for `estimateMetrics` and `pairedBootstrap`; whole days are resampled.
 *
 * @param prediction what `predict` gave for these rows, in their order
 * @throws TRAIN_EVALUATION_INVALID
 */
export function resampledPredictions(
  dataset: Dataset,
  rows: RowSelection,
  prediction: Float64Array,
  decision: Decision,
): Resampled {
  const days = Int32Array.from(rows, (row) => dataset.day[row]);
  switch (dataset.task) {
    case "binary":
      return resampledRows(scoreRows(binaryLabels(dataset, rows), prediction, days, decision));
    case "multiclass": {
      const scored = scoreClasses(labelsOf(dataset, rows), prediction, dataset.classes.length);
      return ofAnyMetric(resampledClasses(scored, days));
    }
    case "regression": {
      const scored = scoreValues(Float64Array.from(labelsOf(dataset, rows)), prediction);
      return ofAnyMetric(resampledValues(scored, days));
    }
  }
}

/** Asked for a metric of another task, it measures none of that name. */
const ofAnyMetric = <N extends MetricName>({ names, units, measure }: Resampled<N>): Resampled => ({
  names,
  units,
  measure: (weights) => measure(weights),
});

/**
 * metric(A) - metric(B) of two models' predictions for the same rows, with the interval of the difference: each resample of days is
 * taken for both. By metric; absent where it is undefined for either.
 *
 * @throws TRAIN_EVALUATION_INVALID
 */
export function pairedPredictions(
  dataset: Dataset,
  rows: RowSelection,
  a: Float64Array,
  b: Float64Array,
  metrics: readonly MetricName[],
  decision: Decision,
  options: ResamplingOptions = {},
): Readonly<Partial<Record<MetricName, MetricEstimate>>> {
  const resampledA = resampledPredictions(dataset, rows, a, decision);
  const resampledB = resampledPredictions(dataset, rows, b, decision);
  return Object.fromEntries(
    metrics.flatMap((metric) => {
      const paired = pairedBootstrap(resampledA, resampledB, metric, options);
      return paired === null ? [] : [[metric, paired.difference]];
    }),
  );
}
