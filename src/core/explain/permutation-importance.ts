import type { MetricName } from "../definitions/index.ts";
import {
  binaryLabels,
  type Dataset,
  type FeatureColumn,
  featuresOf,
  higherIsBetter,
  type MetricEstimate,
  type ModelPackage,
  pairedDifference,
  predict,
  type RandomStream,
  type RowSelection,
  seededRandom,
} from "../training/index.ts";
import { explainErrors } from "./errors.ts";
import { checkFeatures, evenSample, everyRow, takeRows } from "./sample-rows.ts";

export interface PermutationOptions {
  readonly metric: MetricName;
  /** Shuffles of each feature; 3 unless said. */
  readonly repeats?: number;
  /** Rows taken, evenly spaced; 4,000 unless said. */
  readonly maxRows?: number;
  /** Resamples of days behind each interval; 100 unless said. */
  readonly resamples?: number;
  readonly seed?: number;
}

export interface PermutationImportance {
  readonly metric: MetricName;
  readonly rows: number;
  readonly repeats: number;
  /** How much worse the metric gets without the feature's information (above 0: worse), largest first. */
  readonly features: readonly { readonly feature: string; readonly drop: MetricEstimate }[];
}

const DEFAULTS = { repeats: 3, maxRows: 4_000, resamples: 100, seed: 1 };

/**
 * Permutation importance (Breiman, "Random forests", 2001, section 10; model-agnostic as Fisher, Rudin and Dominici, 2019):
 * the drop of a metric when one feature is shuffled among the rows. Whole features are shuffled, not their encoded
 * columns. The repeats are pooled, and the 95% interval resamples days of the pool. Of features that say the same
 * thing each can look unimportant, because the other stays.
 *
 * @throws EXPLAIN_NO_ROWS, EXPLAIN_FEATURES_MISMATCH, EXPLAIN_METRIC_UNDEFINED
 */
export function permutationImportance(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  options: PermutationOptions,
): PermutationImportance {
  const { metric, repeats, maxRows, resamples, seed } = { ...DEFAULTS, ...options };
  checkFeatures(model, dataset);
  const sample = takeRows(dataset, evenSample(rows, maxRows));
  const all = everyRow(sample);
  const base = predict(model, sample, all).prediction;
  const pool = Uint32Array.from({ length: repeats * sample.rows }, (_, i) => i % sample.rows);
  const labels = binaryLabels(sample, pool);
  const days = Int32Array.from(pool, (row) => sample.day[row]);
  const unshuffled = Float64Array.from(pool, (row) => base[row]);
  const used = new Set(model.preparation.columns.flatMap(featuresOf));
  const random = seededRandom(seed);
  const sign = higherIsBetter(metric) ? 1 : -1;

  const features = sample.features.map((column, index) => {
    if (!used.has(index)) return { feature: column.id, drop: { value: 0, low: 0, high: 0 } };
    const permuted = new Float64Array(repeats * sample.rows);
    for (let repeat = 0; repeat < repeats; repeat++) {
      const shuffled = sample.features.with(index, takeFeature(column, shuffledRows(sample.rows, random)));
      permuted.set(predict(model, { ...sample, features: shuffled }, all).prediction, repeat * sample.rows);
    }
    const drop = pairedDifference(labels, days, unshuffled, permuted, metric, model.decision, { resamples, seed });
    if (drop === null) throw explainErrors.EXPLAIN_METRIC_UNDEFINED(`${metric} is undefined on the ${sample.rows} rows taken`);
    return { feature: column.id, drop: sign === 1 ? drop : { value: -drop.value, low: -drop.high, high: -drop.low } };
  });
  return { metric, rows: sample.rows, repeats, features: features.sort((a, b) => b.drop.value - a.drop.value) };
}

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
