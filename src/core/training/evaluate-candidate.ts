import type { Dataset, RowSelection } from "./dataset.ts";
import { binaryLabels } from "./labels.ts";
import type { Decision } from "./metrics/metrics.ts";
import { estimateMetrics, type ResamplingOptions } from "./metrics/resampling.ts";
import type { Evaluation, MetricTable } from "./model.ts";
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

export interface SegmentMetrics {
  /** Name of the segment. */
  readonly segment: string;
  /** Its value; "(missing)" where there is none. */
  readonly value: string;
  readonly rows: number;
  /** 0 unless the task is binary. */
  readonly positives: number;
  readonly metrics: MetricTable;
}

/** `evaluatePredictions` for every value of every segment of the dataset. @throws TRAIN_EVALUATION_INVALID */
export function evaluateSegments(
  dataset: Dataset,
  rows: RowSelection,
  prediction: Float64Array,
  decision: Decision,
  options: ResamplingOptions = {},
): SegmentMetrics[] {
  const outputs = rows.length === 0 ? 1 : prediction.length / rows.length;
  return dataset.segments.flatMap(({ id, codes, categories }) => {
    const places = Map.groupBy(rows.keys(), (place) => codes[rows[place]]);
    return Array.from(places, ([code, own]): SegmentMetrics => {
      const taken = Float64Array.from({ length: own.length * outputs }, (_, i) => {
        const place = own[Math.floor(i / outputs)];
        return prediction[place * outputs + (i % outputs)];
      });
      const selection = Uint32Array.from(own, (place) => rows[place]);
      const { rows: count, positives, metrics } = evaluatePredictions(dataset, selection, taken, decision, options);
      return { segment: id, value: code < 0 ? "(missing)" : categories[code], rows: count, positives, metrics };
    });
  });
}
