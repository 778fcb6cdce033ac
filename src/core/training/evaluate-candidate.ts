import type { Dataset, RowSelection } from "./dataset.ts";
import { binaryLabels } from "./labels.ts";
import type { Decision } from "./metrics/metrics.ts";
import { estimateMetrics, type ResamplingOptions } from "./metrics/resampling.ts";
import type { Evaluation } from "./model.ts";
import { resampledPredictions } from "./resampled-predictions.ts";

/**
 * Every metric of the dataset's task, with intervals by resampling days.
 *
 * @param prediction what `predict` gave for these rows, in their order
 * @throws TRAIN_EVALUATION_INVALID
 */
export function evaluatePredictions(
  dataset: Dataset,
  rows: RowSelection,
  prediction: Float64Array,
  decision: Decision,
  options: ResamplingOptions = {},
): Evaluation {
  const resampled = resampledPredictions(dataset, rows, prediction, decision);
  return {
    rows: rows.length,
    positives: positivesIn(dataset, rows),
    days: resampled.units,
    threshold: decision.threshold,
    metrics: estimateMetrics(resampled, options),
  };
}

/** 0 unless the task is binary. */
function positivesIn(dataset: Dataset, rows: RowSelection): number {
  return dataset.task === "binary" ? binaryLabels(dataset, rows).reduce((sum, label) => sum + label, 0) : 0;
}
