import type { MetricName } from "../../definitions/index.ts";
import {
  binaryLabels,
  type Dataset,
  higherIsBetter,
  type MetricTable,
  type ModelPackage,
  predict,
  type RowSelection,
  segmentEvaluations,
} from "../../training/index.ts";

export interface SegmentResult {
  /** Name of the segment, "carrier". */
  readonly segment: string;
  /** Its value, "(missing)" where there is none. */
  readonly value: string;
  readonly rows: number;
  readonly positives: number;
  /** Empty below `minPositives`: too few positive labels to say anything. */
  readonly metrics: MetricTable;
}

export interface SegmentOptions {
  /** Positive labels below which a segment's metrics are undefined. */
  readonly minPositives: number;
  /** Resamples of days behind each interval; 100 unless said. */
  readonly resamples?: number;
  readonly seed?: number;
}

/** Metrics with day-resampled intervals for every value of every segment of the dataset, most rows first within a segment. */
export function segmentResults(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  options: SegmentOptions,
): SegmentResult[] {
  const { prediction: probability } = predict(model, dataset, rows);
  const labels = binaryLabels(dataset, rows);
  const days = Int32Array.from(rows, (row) => dataset.day[row]);
  return dataset.segments.flatMap((segment) =>
    segmentEvaluations(segment, rows, labels, probability, days, model.decision, { resamples: 100, seed: 1, ...options }).map(
      ({ value, metrics, ...counts }) => ({
        segment: segment.id,
        value: value ?? "(missing)",
        ...counts,
        metrics: metrics ?? {},
      }),
    ),
  );
}

/** The `count` segments with the worst value of a metric; those where it is undefined are left out. */
export function worstSegments(results: readonly SegmentResult[], metric: MetricName, count = 5): SegmentResult[] {
  const sign = higherIsBetter(metric) ? 1 : -1;
  return results
    .flatMap((result) => {
      const estimate = result.metrics[metric];
      return estimate === undefined ? [] : [{ result, badness: -sign * estimate.value }];
    })
    .sort((a, b) => b.badness - a.badness)
    .slice(0, count)
    .map(({ result }) => result);
}
