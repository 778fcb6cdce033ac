import { higherIsBetter, type MetricName } from "../../definitions/index.ts";
import type { PlannedFeature } from "../../features/index.ts";
import { DAY, type Micros } from "../../time.ts";
import {
  type Dataset,
  type DatasetSplit,
  type FeatureColumn,
  type MetricEstimate,
  type ModelPackage,
  pairedBootstrap,
  predict,
  type RowSelection,
  resampledPredictions,
  seededRandom,
  type TrainingOptions,
  trainCandidate,
} from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { checkFeatures, evenSample, everyRow, takeRows } from "../sample-rows.ts";
import { inDays, proposals } from "./review-proposals.ts";
import { type SegmentResult, segmentResults, worstSegments } from "./segments.ts";
import { type StaleSource, staleDonors, withDonatedValues } from "./stale-values.ts";
import { type SliceSearch, weakSlices } from "./weak-slices.ts";

export interface ReviewOptions {
  /** How to train; a cheap candidate (few trees) is enough, because only differences count. */
  readonly training: TrainingOptions;
  readonly metric: MetricName;
  /** Binary: positive labels below which a segment is not judged. */
  readonly minPositives: number;
  /** Several classes and values: rows below which it is not; 100 unless said. */
  readonly minRows?: number;
  /** Training rows taken, evenly spaced over the period; 60,000 unless said. */
  readonly maxTrainingRows?: number;
  /** Selection rows measured on, evenly spaced; 10,000 unless said. */
  readonly maxSelectionRows?: number;
  readonly resamples?: number;
  /** How old a stale view's values are; a day unless said. */
  readonly staleBy?: Micros;
  /** By view, the number of the entity that each row's values belong to; without it, a stale view delivers another row's values. */
  readonly entities?: Readonly<Record<string, Int32Array>>;
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
  /** Loss of the metric when the view is missing at prediction time: what a broken feed costs. */
  readonly whenMissing: MetricEstimate;
  /** Loss when the view stands still and delivers older values; absent in reviews made before it was measured. */
  readonly whenStale?: StaleCost;
}

export interface StaleCost {
  readonly by: Micros;
  readonly values: StaleSource;
  readonly loss: MetricEstimate;
}

export interface NullCost {
  readonly feature: string;
  /** Loss of the metric when this feature alone is missing at prediction time. */
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
  /** Segment values with too few positives (or rows) to judge. */
  readonly undefinedSegments: number;
  /** Costliest to miss first; absent, like `weakSlices`, in reviews made before it was measured. */
  readonly nulls?: readonly NullCost[];
  /** Parts of features, and pairs of them, where the loss is higher than elsewhere. */
  readonly weakSlices?: SliceSearch;
  /** Plain sentences derived from the figures: what the next version of the charter should require. */
  readonly proposals: readonly string[];
  readonly notes: readonly string[];
}

const DEFAULTS = { maxTrainingRows: 60_000, maxSelectionRows: 10_000, resamples: 100, staleBy: DAY };
const SHARES = [0.25, 0.5, 1] as const;

/**
 * Reviews the data behind a model of any task: a learning curve over the most recent training rows, what each feature view is worth
 * (trained without it, missing or stale at prediction time), what each feature costs when it is missing, and where the model is weak.
 * Trains 3 models and one a view.
 *
 * @throws EXPLAIN_FEATURES_MISMATCH, EXPLAIN_NO_ROWS, EXPLAIN_METRIC_UNDEFINED, and what `trainCandidate` throws
 */
export function reviewData(
  dataset: Dataset,
  split: DatasetSplit,
  options: ReviewOptions,
  onProgress: (done: number) => void = () => {},
): DataReview {
  const { training, metric, maxTrainingRows, maxSelectionRows, resamples, staleBy } = { ...DEFAULTS, ...options };
  const { seed, plan } = training;
  const small = smallerSplit(dataset, split, maxTrainingRows, maxSelectionRows);
  const views = viewsOf(plan.features);
  const train = createTrainer(dataset, small, training, (trained) => onProgress(trained / (SHARES.length + views.length)));

  const full = train(small.train);
  checkFeatures(full, dataset);
  const sample = takeRows(dataset, small.select);
  const prediction = predict(full, sample, everyRow(sample)).prediction;
  const { value, lossOf } = compareWith(full, sample, prediction, metric, { resamples, seed });
  const whenRetrained = (rows: RowSelection, without: readonly string[] = []) => lossOf(train(rows, without), sample);
  const whenMissing = (features: readonly string[]) => lossOf(full, withoutValues(sample, features));

  const recent = SHARES.slice(0, -1).map((share) => {
    const rows = small.train.subarray(small.train.length - Math.ceil(share * small.train.length));
    return { share, rows: rows.length, loss: whenRetrained(rows) };
  });
  const reviewed = views
    .map(
      (view): ViewReview => ({
        ...view,
        withoutView: whenRetrained(small.train, view.features),
        whenMissing: whenMissing(view.features),
        whenStale: {
          by: staleBy,
          values: options.entities?.[view.view] === undefined ? "another-row" : "same-entity",
          loss: lossOf(full, withStaleValues(dataset, small, sample, view, { ...options, staleBy, seed })),
        },
      }),
    )
    .sort((a, b) => b.withoutView.value - a.withoutView.value);
  const segments = segmentResults(full, dataset, small.select, { ...segmentLimits(options), resamples, seed });
  const figures = {
    metric,
    candidate: training.candidate.name,
    trainingRows: { used: small.train.length, available: split.train.length },
    selectionRows: { used: small.select.length, available: split.select.length },
    value,
    learningCurve: [
      ...recent.map(({ share, rows, loss }) => ({ share, rows, value: value - (higherIsBetter(metric) ? 1 : -1) * loss.value })),
      { share: 1, rows: small.train.length, value },
    ],
    gainOfLastDoubling: recent[recent.length - 1].loss,
    views: reviewed,
    worstSegments: worstSegments(segments, metric),
    undefinedSegments: segments.filter(({ metrics }) => metrics[metric] === undefined).length,
    nulls: plan.features
      .map(({ id }): NullCost => ({ feature: id, whenMissing: whenMissing([id]) }))
      .sort((a, b) => b.whenMissing.value - a.whenMissing.value),
    weakSlices: weakSlices(dataset, small.select, prediction, { seed }),
  };
  return { ...figures, proposals: proposals(figures), notes: notesOf(figures, staleBy) };
}

function withStaleValues(
  dataset: Dataset,
  split: DatasetSplit,
  sample: Dataset,
  { view, features }: View,
  { staleBy, seed, entities }: Pick<ReviewOptions, "entities"> & { readonly staleBy: Micros; readonly seed: number },
): Dataset {
  const entity = entities?.[view];
  const donors = staleDonors(dataset, split.select, {
    lag: staleBy,
    donors: trainedOrSelected(split),
    random: seededRandom(seed),
    ...(entity !== undefined && { entity }),
  });
  return withDonatedValues(dataset, sample, features, donors);
}

const segmentLimits = ({ minPositives, minRows }: ReviewOptions): { minPositives: number; minRows?: number } => ({
  minPositives,
  ...(minRows !== undefined && { minRows }),
});

type Trainer = (rows: RowSelection, without?: readonly string[]) => ModelPackage;

function createTrainer(
  dataset: Dataset,
  split: DatasetSplit,
  training: TrainingOptions,
  onTrained: (models: number) => void,
): Trainer {
  let models = 0;
  return (rows, without = []) => {
    const exclude = [...(training.exclude ?? []), ...without];
    const trained = trainCandidate(dataset, { ...split, train: rows }, { ...training, exclude });
    onTrained(++models);
    return trained.package;
  };
}

/** The full model's value of a metric, and how much worse others are than it on the same rows (above 0: worse). */
function compareWith(
  full: ModelPackage,
  sample: Dataset,
  prediction: Float64Array,
  metric: MetricName,
  options: { readonly resamples: number; readonly seed: number },
): { value: number; lossOf: (model: ModelPackage, rows: Dataset) => MetricEstimate } {
  const all = everyRow(sample);
  const undefinedMetric = () =>
    explainErrors.EXPLAIN_METRIC_UNDEFINED(`${metric} is undefined on the ${sample.rows} selection rows`);
  const resampled = (of: Float64Array) => resampledPredictions(sample, all, of, full.decision);
  const best = resampled(prediction);
  const value = best.measure(null, metric)[metric];
  if (value === undefined) throw undefinedMetric();
  return {
    value,
    lossOf(model, rows) {
      const other = resampled(predict(model, rows, all).prediction);
      const loss = higherIsBetter(metric)
        ? pairedBootstrap(best, other, metric, options)
        : pairedBootstrap(other, best, metric, options);
      if (loss === null) throw undefinedMetric();
      return loss.difference;
    },
  };
}

function notesOf(
  { trainingRows, selectionRows, views }: Pick<DataReview, "trainingRows" | "selectionRows" | "views">,
  staleBy: Micros,
) {
  const age = inDays(staleBy);
  const isOwn = views.some(({ whenStale }) => whenStale?.values === "same-entity");
  const isOther = views.some(({ whenStale }) => whenStale?.values === "another-row");
  return [
    `Measured on ${selectionRows.used} of ${selectionRows.available} selection rows, models trained on ${trainingRows.used} of ${trainingRows.available} rows; test rows were not used.`,
    "Boosting stops by the same selection rows, so levels are a little too good; differences are what to read.",
    "A feature past its ttl reads as missing, so the loss when a view is missing is what its stale feed costs then.",
    ...(isOwn ? [`Stale: the values that the same entity had at least ${age} before, as far as these rows hold them.`] : []),
    ...(isOther
      ? [
          `Stale: values of another row at least ${age} before, because the rows do not say whose they are. Of features that differ between entities the loss is too high.`,
        ]
      : []),
  ];
}

/** Training rows in time order, so that the most recent ones are the last. */
function smallerSplit(dataset: Dataset, split: DatasetSplit, trainRows: number, selectRows: number): DatasetSplit {
  const byTime = Uint32Array.from(split.train).sort((a, b) => dataset.at[a] - dataset.at[b] || a - b);
  return { ...split, train: evenSample(byTime, trainRows), select: evenSample(split.select, selectRows) };
}

/** Test rows give no values either. */
function trainedOrSelected({ train, select }: DatasetSplit): RowSelection {
  const rows = new Uint32Array(train.length + select.length);
  rows.set(train);
  rows.set(select, train.length);
  return rows;
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
