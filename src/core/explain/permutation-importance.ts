import { higherIsBetter, type MetricName } from "../definitions/index.ts";
import {
  type Dataset,
  type Decision,
  type FeatureColumn,
  featuresOf,
  type MetricEstimate,
  type ModelPackage,
  pairedBootstrap,
  predict,
  type RandomStream,
  type RowSelection,
  resampledPredictions,
  seededRandom,
} from "../training/index.ts";
import { featureAt, type RowFunction } from "./dependence/row-function.ts";
import { explainErrors } from "./errors.ts";
import { checkFeatures, evenSample, everyRow, takeRows } from "./sample-rows.ts";

/** Features that are shuffled together, by the same permutation, so that what they say to each other stays. */
export interface FeatureGroup {
  readonly name: string;
  /** Ids. */
  readonly features: readonly string[];
}

export interface PermutationOptions {
  /** Any metric of the model's task. */
  readonly metric: MetricName;
  /** Shuffles of each feature; 3 unless said. */
  readonly repeats?: number;
  /** Rows taken, evenly spaced; 4,000 unless said. */
  readonly maxRows?: number;
  /** Resamples of days behind each interval; 100 unless said. */
  readonly resamples?: number;
  /** Groups to measure besides the single features; `viewGroups` gives those of the plan's views. None unless said. */
  readonly groups?: readonly FeatureGroup[];
  readonly seed?: number;
}

export interface PermutationImportance {
  readonly metric: MetricName;
  readonly rows: number;
  readonly repeats: number;
  /** How much worse the metric gets without the feature's information (above 0: worse), largest first. */
  readonly features: readonly { readonly feature: string; readonly drop: MetricEstimate }[];
  /** The same of groups shuffled as one; absent where none were asked for. */
  readonly groups?: readonly (FeatureGroup & { readonly drop: MetricEstimate })[];
}

const DEFAULTS = { repeats: 3, maxRows: 4_000, resamples: 100, seed: 1 };

/**
 * Permutation importance (Breiman, "Random forests", 2001, section 10; model-agnostic as Fisher, Rudin and Dominici, 2019):
 * the drop of a metric when one feature is shuffled among the rows. Whole features are shuffled, not their encoded
 * columns. The repeats are pooled, and the 95% interval resamples days of the pool. Of features that say the same
 * thing each can look unimportant, because the other stays: shuffle them as a group.
 *
 * @throws EXPLAIN_NO_ROWS, EXPLAIN_FEATURES_MISMATCH, EXPLAIN_FEATURE_UNKNOWN, EXPLAIN_METRIC_UNDEFINED
 */
export function permutationImportance(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  options: PermutationOptions,
): PermutationImportance {
  const { metric, repeats, maxRows, resamples, seed, groups } = { groups: undefined, ...DEFAULTS, ...options };
  checkFeatures(model, dataset);
  const sample = takeRows(dataset, evenSample(rows, maxRows));
  const f: RowFunction = (of) => predict(model, of, everyRow(of)).prediction;
  const measure = createDropMeasure(f, sample, metric, model.decision, { resamples, seed });
  const used = usedFeatures(model);
  const random = seededRandom(seed);
  const dropOf = (indexes: readonly number[]): MetricEstimate => {
    if (!indexes.some((index) => used.has(index))) return { value: 0, low: 0, high: 0 };
    return measure(
      indexes,
      Array.from({ length: repeats }, () => shuffledRows(sample.rows, random)),
    );
  };
  const features = sample.features.map(({ id }, index) => ({ feature: id, drop: dropOf([index]) }));
  const grouped = groups?.map((group) => ({ ...group, drop: dropOf(group.features.map((id) => featureAt(sample, id))) }));
  return {
    metric,
    rows: sample.rows,
    repeats,
    features: features.sort(largestDropFirst),
    ...(grouped !== undefined && { groups: grouped.sort(largestDropFirst) }),
  };
}

/** One group for each feature view of the plan, and one for each on-demand function. */
export function viewGroups({ plan }: ModelPackage): FeatureGroup[] {
  const groups = new Map<string, string[]>();
  for (const { id, origin } of plan.features) {
    const name = origin.kind === "view" ? origin.view : id;
    groups.set(name, [...(groups.get(name) ?? []), id]);
  }
  return Array.from(groups, ([name, features]) => ({ name, features }));
}

/** Positions of the features that any part of the model reads; of an ensemble, that any member does. */
function usedFeatures({ preparation, estimator }: Pick<ModelPackage, "preparation" | "estimator">): ReadonlySet<number> {
  const members = estimator.kind === "ensemble" ? estimator.members : [];
  return new Set([...preparation.columns.flatMap(featuresOf), ...members.flatMap((member) => [...usedFeatures(member)])]);
}

/** How much worse a metric gets when these features' values go to other rows; each order is one repeat. */
export type DropMeasure = (features: readonly number[], orders: readonly Uint32Array[]) => MetricEstimate;

/**
 * @param f what `predict` gives for every row of a dataset, in its order
 * @throws EXPLAIN_METRIC_UNDEFINED
 */
export function createDropMeasure(
  f: RowFunction,
  sample: Dataset,
  metric: MetricName,
  decision: Decision,
  options: { readonly resamples: number; readonly seed: number },
): DropMeasure {
  const base = f(sample);
  const sign = higherIsBetter(metric) ? 1 : -1;
  return (features, orders) => {
    const pool = Uint32Array.from({ length: orders.length * sample.rows }, (_, i) => i % sample.rows);
    const whole = new Float64Array(orders.length * base.length);
    const permuted = new Float64Array(orders.length * base.length);
    orders.forEach((order, repeat) => {
      const shuffled = sample.features.map((column, index) => (features.includes(index) ? takeFeature(column, order) : column));
      whole.set(base, repeat * base.length);
      permuted.set(f({ ...sample, features: shuffled }), repeat * base.length);
    });
    const [a, b] = [whole, permuted].map((prediction) => resampledPredictions(sample, pool, prediction, decision));
    const drop = pairedBootstrap(a, b, metric, options)?.difference;
    if (drop === undefined)
      throw explainErrors.EXPLAIN_METRIC_UNDEFINED(`${metric} is undefined on the ${sample.rows} rows taken`);
    return sign === 1 ? drop : { value: -drop.value, low: -drop.high, high: -drop.low };
  };
}

const largestDropFirst = (a: { readonly drop: MetricEstimate }, b: { readonly drop: MetricEstimate }): number =>
  b.drop.value - a.drop.value;

function takeFeature(column: FeatureColumn, rows: Uint32Array): FeatureColumn {
  return column.kind === "categorical"
    ? { ...column, codes: Int32Array.from(rows, (row) => column.codes[row]) }
    : { ...column, values: Float64Array.from(rows, (row) => column.values[row]) };
}

/** Fisher-Yates. */
function shuffledRows(rows: number, random: RandomStream): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  for (let i = rows - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
  return order;
}
