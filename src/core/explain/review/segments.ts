import { higherIsBetter, type MetricName } from "../../definitions/index.ts";
import {
  type CategoricalColumn,
  type Dataset,
  evaluatePredictions,
  type MetricTable,
  type ModelPackage,
  predict,
  type RowSelection,
} from "../../training/index.ts";

export interface SegmentResult {
  /** Name of the segment, "carrier". */
  readonly segment: string;
  /** Its value, "(missing)" where there is none. */
  readonly value: string;
  readonly rows: number;
  /** 0 where the task is not binary. */
  readonly positives: number;
  /** Empty where there are too few rows or positive labels to say anything. */
  readonly metrics: MetricTable;
}

export interface SegmentOptions {
  /** Binary: positive labels below which a segment's metrics are undefined. */
  readonly minPositives: number;
  /** Several classes and values: rows below which they are; 100 unless said. */
  readonly minRows?: number;
  /** Resamples of days behind each interval; 100 unless said. */
  readonly resamples?: number;
  readonly seed?: number;
}

const DEFAULTS = { minRows: 100, resamples: 100, seed: 1 };

/** Metrics of the task with day-resampled intervals for every value of every segment of the dataset, most rows first within a segment. */
export function segmentResults(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  options: SegmentOptions,
): SegmentResult[] {
  const { prediction } = predict(model, dataset, rows);
  return dataset.segments.flatMap((segment) =>
    Array.from(membersByCode(segment, rows), ([code, places]) => {
      const own = Uint32Array.from(places, (place) => rows[place]);
      return {
        segment: segment.id,
        value: code < 0 ? "(missing)" : segment.categories[code],
        ...measure(model, dataset, own, rowsOf(prediction, rows.length, places), options),
      };
    }).sort((a, b) => b.rows - a.rows || a.value.localeCompare(b.value, "en")),
  );
}

/** Positions in `rows` by the segment's code. */
function membersByCode({ codes }: CategoricalColumn, rows: RowSelection): Map<number, number[]> {
  const members = new Map<number, number[]>();
  rows.forEach((row, place) => {
    const group = members.get(codes[row]);
    if (group === undefined) members.set(codes[row], [place]);
    else group.push(place);
  });
  return members;
}

/** What was predicted for some of the rows, one number or one a class. */
function rowsOf(prediction: Float64Array, rows: number, places: readonly number[]): Float64Array {
  const outputs = prediction.length / rows;
  const own = new Float64Array(places.length * outputs);
  places.forEach((place, i) => {
    own.set(prediction.subarray(place * outputs, (place + 1) * outputs), i * outputs);
  });
  return own;
}

function measure(
  { decision }: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  prediction: Float64Array,
  options: SegmentOptions,
): Pick<SegmentResult, "rows" | "positives" | "metrics"> {
  const { minPositives, minRows, resamples, seed } = { ...DEFAULTS, ...options };
  const positives = dataset.task === "binary" ? rows.reduce((sum, row) => sum + dataset.label[row], 0) : 0;
  const isLarge = dataset.task === "binary" ? positives >= minPositives : rows.length >= minRows;
  const metrics = isLarge ? evaluatePredictions(dataset, rows, prediction, decision, { resamples, seed }).metrics : {};
  return { rows: rows.length, positives, metrics };
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
