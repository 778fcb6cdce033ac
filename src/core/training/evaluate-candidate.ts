import type { Dataset, RowSelection } from "./dataset.ts";
import { binaryLabels, labelsOf } from "./labels.ts";
import { evaluate } from "./metrics/evaluate.ts";
import type { Decision } from "./metrics/metrics.ts";
import { resampledClasses, scoreClasses } from "./metrics/multiclass-metrics.ts";
import { resampledValues, scoreValues } from "./metrics/regression-metrics.ts";
import { denseUnits, estimateMetrics, type ResamplingOptions } from "./metrics/resampling.ts";
import type { Evaluation } from "./model.ts";

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
  const days = Int32Array.from(rows, (row) => dataset.day[row]);
  if (dataset.task === "binary") return evaluate(binaryLabels(dataset, rows), prediction, days, decision, options);
  const truth = labelsOf(dataset, rows);
  const measured =
    dataset.task === "multiclass"
      ? estimateMetrics(resampledClasses(scoreClasses(truth, prediction, dataset.classes.length), days), options)
      : estimateMetrics(resampledValues(scoreValues(Float64Array.from(truth), prediction), days), options);
  return { rows: rows.length, positives: 0, days: denseUnits(days).count, threshold: decision.threshold, metrics: measured };
}
