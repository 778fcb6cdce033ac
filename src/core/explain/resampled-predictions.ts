import type { MetricName } from "../definitions/index.ts";
import {
  binaryLabels,
  type Dataset,
  type Decision,
  labelsOf,
  type Resampled,
  type RowSelection,
  resampledClasses,
  resampledRows,
  resampledValues,
  scoreClasses,
  scoreRows,
  scoreValues,
} from "../training/index.ts";

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
