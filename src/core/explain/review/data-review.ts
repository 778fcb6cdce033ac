import type { MetricName } from "../../definitions/index.ts";
import type { PlannedFeature } from "../../features/index.ts";
import {
  binaryLabels,
  type Dataset,
  type DatasetSplit,
  evaluate,
  type FeatureColumn,
  higherIsBetter,
  type MetricEstimate,
  type ModelPackage,
  pairedDifference,
  predict,
  type RowSelection,
  type TrainingOptions,
  trainCandidate,
} from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { checkFeatures, evenSample } from "../sample-rows.ts";
import { proposals } from "./review-proposals.ts";
import { type SegmentResult, segmentResults, worstSegments } from "./segments.ts";

export interface ReviewOptions {
  /** How to train; a cheap candidate (few trees) is enough, because only differences count. */
  readonly training: TrainingOptions;
  readonly metric: MetricName;
  /** Positive labels below which a segment is not judged. */
  readonly minPositives: number;
  /** Training rows taken, evenly spaced over the period; 60,000 unless said. */
  readonly maxTrainingRows?: number;
  /** Selection rows measured on, evenly spaced; 10,000 unless said. */
  readonly maxSelectionRows?: number;
  readonly resamples?: number;
}

export interface LearningPoint {
  /** Most recent share of the training rows. */
  readonly share: number;
  readonly rows: number;
  readonly value: number;
}

export interface ViewReview {
  readonly view: string;
  readonly source: string | null;
  readonly features: readonly string[];
  /** Loss of the metric when a model is trained without the view (above 0: the view helps). */
  readonly withoutView: MetricEstimate;
  /** Loss of the metric when the view is missing at prediction time: what a stale or broken feed costs. */
  readonly whenMissing: MetricEstimate;
}

/** What the data can and cannot do for the model, measured on the selection part of validation; test is never touched. */
export interface DataReview {
  readonly metric: MetricName;
  readonly candidate: string;
  readonly trainingRows: { readonly used: number; readonly available: number };
  readonly selectionRows: { readonly used: number; readonly available: number };
  readonly value: number;
  readonly learningCurve: readonly LearningPoint[];
  /** Gain of all the training rows over the most recent half. */
  readonly gainOfLastDoubling: MetricEstimate;
  /** Costliest to lose first. */
  readonly views: readonly ViewReview[];
  readonly worstSegments: readonly SegmentResult[];
  /** Segment values with too few positives to judge. */
  readonly undefinedSegments: number;
  /** Plain sentences derived from the figures: what the next version of the charter should require. */
  readonly proposals: readonly string[];
  readonly notes: readonly string[];
}

const DEFAULTS = { maxTrainingRows: 60_000, maxSelectionRows: 10_000, resamples: 100 };
const SHARES = [0.25, 0.5, 1] as const;

/**
 * Reviews the data behind a model: a learning curve over the most recent training rows, what each feature view is worth
 * (trained without it, and missing at prediction time), and the worst segments. Trains 3 models and one a view.
 *
 * @throws EXPLAIN_FEATURES_MISMATCH, EXPLAIN_NO_ROWS, EXPLAIN_METRIC_UNDEFINED, and what `trainCandidate` throws
 */
export function reviewData(
  dataset: Dataset,
  split: DatasetSplit,
  options: ReviewOptions,
  onProgress: (done: number) => void = () => {},
): DataReview {
  const { training, metric, minPositives, maxTrainingRows, maxSelectionRows, resamples } = { ...DEFAULTS, ...options };
  const { seed, plan } = training;
  const small = smallerSplit(dataset, split, maxTrainingRows, maxSelectionRows);
  const views = viewsOf(plan.features);
  const steps = SHARES.length + views.length;
  let done = 0;
  const train = (rows: RowSelection, exclude: readonly string[] = []): ModelPackage => {
    const trained = trainCandidate(
      dataset,
      { ...small, train: rows },
      { ...training, exclude: [...(training.exclude ?? []), ...exclude] },
    );
    onProgress(++done / steps);
    return trained.package;
  };
  const full = train(small.train);
  checkFeatures(full, dataset);
  const labels = binaryLabels(dataset, small.select);
  const days = Int32Array.from(small.select, (row) => dataset.day[row]);
  const probabilities = (model: ModelPackage) => predict(model, dataset, small.select).prediction;
  const best = probabilities(full);
  const sign = higherIsBetter(metric) ? 1 : -1;
  const undefinedMetric = () =>
    explainErrors.EXPLAIN_METRIC_UNDEFINED(`${metric} is undefined on the ${small.select.length} selection rows`);
  /** How much worse than the full model, above 0: worse. */
  const lossOf = (other: Float64Array): MetricEstimate => {
    const [a, b] = sign === 1 ? [best, other] : [other, best];
    const loss = pairedDifference(labels, days, a, b, metric, full.decision, { resamples, seed });
    if (loss === null) throw undefinedMetric();
    return loss;
  };

  const segments = segmentResults(full, dataset, small.select, { minPositives, resamples, seed });
  const value = evaluate(labels, best, days, full.decision, { resamples: 0 }).metrics[metric]?.value;
  if (value === undefined) throw undefinedMetric();
  const recent = SHARES.slice(0, -1).map((share) => {
    const rows = small.train.subarray(small.train.length - Math.ceil(share * small.train.length));
    const loss = lossOf(probabilities(train(rows)));
    return { share, rows: rows.length, value: value - sign * loss.value, loss };
  });
  const reviewed = views
    .map(({ view, source, features }): ViewReview => {
      const missing = predict(full, withoutValues(dataset, features), small.select).prediction;
      return {
        view,
        source,
        features,
        withoutView: lossOf(probabilities(train(small.train, features))),
        whenMissing: lossOf(missing),
      };
    })
    .sort((a, b) => b.withoutView.value - a.withoutView.value);
  const half = recent[recent.length - 1];
  const figures = {
    metric,
    candidate: training.candidate.name,
    trainingRows: { used: small.train.length, available: split.train.length },
    selectionRows: { used: small.select.length, available: split.select.length },
    value,
    learningCurve: [
      ...recent.map(({ share, rows, value: at }) => ({ share, rows, value: at })),
      { share: 1, rows: small.train.length, value },
    ],
    gainOfLastDoubling: half.loss,
    views: reviewed,
    worstSegments: worstSegments(segments, metric),
    undefinedSegments: segments.filter(({ metrics }) => metrics[metric] === undefined).length,
  };
  return {
    ...figures,
    proposals: proposals(figures),
    notes: [
      `Measured on ${small.select.length} of ${split.select.length} selection rows, models trained on ${small.train.length} of ${split.train.length} rows; test rows were not used.`,
      "Boosting stops by the same selection rows, so levels are a little too good; differences are what to read.",
      "A feature past its ttl reads as missing, so the loss when a view is missing is what its stale feed costs.",
    ],
  };
}

/** Training rows in time order, so that the most recent ones are the last. */
function smallerSplit(dataset: Dataset, split: DatasetSplit, trainRows: number, selectRows: number): DatasetSplit {
  const byTime = Uint32Array.from(split.train).sort((a, b) => dataset.at[a] - dataset.at[b] || a - b);
  return { ...split, train: evenSample(byTime, trainRows), select: evenSample(split.select, selectRows) };
}

interface View {
  readonly view: string;
  readonly source: string | null;
  readonly features: readonly string[];
}

/** Features by view; a model of one view only cannot be trained without it. */
function viewsOf(features: readonly PlannedFeature[]): View[] {
  const views = new Map<string, PlannedFeature[]>();
  for (const feature of features) {
    if (feature.origin.kind !== "view") continue;
    const { view } = feature.origin;
    views.set(view, [...(views.get(view) ?? []), feature]);
  }
  return Array.from(views, ([view, members]) => ({
    view,
    source: members[0]?.source ?? null,
    features: members.map(({ id }) => id),
  })).filter((view) => view.features.length < features.length);
}

function withoutValues(dataset: Dataset, ids: readonly string[]): Dataset {
  const empty = (column: FeatureColumn): FeatureColumn =>
    column.kind === "categorical"
      ? { ...column, codes: new Int32Array(column.codes.length).fill(-1) }
      : { ...column, values: new Float64Array(column.values.length).fill(Number.NaN) };
  return { ...dataset, features: dataset.features.map((column) => (ids.includes(column.id) ? empty(column) : column)) };
}
