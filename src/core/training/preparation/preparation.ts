import type { PreparationStep } from "../../definitions/index.ts";
import type { Dataset, FeatureColumn, NumericColumn, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import type { EncodedColumn, FittedPreparation } from "../model.ts";

/** Linear estimators take finite numbers only; trees take NaN and ranks. */
export type EstimatorFamily = "linear" | "tree";

/** A share of positives is drawn towards the training rows' by as many rows as this. */
const SMOOTHING_ROWS = 10;
const MAX_COLUMNS = 2_000;

/**
 * Learns from `rows` of `dataset` how features become the estimator's columns.
 *
 * For trees: numbers as they are with NaN for missing, categories by the rank of their smoothed share of positives; `steps` do
 * not apply. For linear estimators: `steps`, and where no step says how, missing numbers become the mean, categories one-hot.
 * A feature without a value in `rows` is left out, and so is a number that is the same in all of them when it is linear.
 * Infinite numbers count as missing, here and in `encode`.
 *
 * @param exclude ids of features to leave out
 * @throws TRAIN_NO_FEATURES, TRAIN_TOO_MANY_COLUMNS (over 2,000)
 */
export function fitPreparation(
  dataset: Dataset,
  rows: RowSelection,
  steps: readonly PreparationStep[],
  forEstimator: EstimatorFamily,
  exclude: readonly string[] = [],
): FittedPreparation {
  const columns = dataset.features.flatMap((feature, index): EncodedColumn[] => {
    if (exclude.includes(feature.id)) return [];
    if (forEstimator === "tree") return treeColumns(dataset, feature, index, rows);
    return feature.kind === "numeric" ? linearNumber(feature, index, rows, steps) : oneHot(feature, index, rows, steps);
  });
  if (columns.length === 0) throw trainErrors.TRAIN_NO_FEATURES("no feature has a usable value in the training rows");
  if (columns.length > MAX_COLUMNS) {
    throw trainErrors.TRAIN_TOO_MANY_COLUMNS(`preparation makes ${columns.length} columns, more than ${MAX_COLUMNS}`);
  }
  return { columns };
}

function treeColumns(dataset: Dataset, feature: FeatureColumn, index: number, rows: RowSelection): EncodedColumn[] {
  if (feature.kind === "numeric") {
    const known = rows.some((row) => Number.isFinite(feature.values[row]));
    return known ? [{ kind: "number", feature: index, fill: null, mean: 0, scale: 1 }] : [];
  }
  const counts = new Float64Array(feature.categories.length);
  const positives = new Float64Array(feature.categories.length);
  let known = 0;
  let knownPositives = 0;
  for (const row of rows) {
    const code = feature.codes[row];
    if (code < 0) continue;
    counts[code] += 1;
    positives[code] += dataset.label[row];
    known += 1;
    knownPositives += dataset.label[row];
  }
  if (known === 0) return [];
  const prior = knownPositives / known;
  const shares = feature.categories
    .map((category, code) => ({
      category,
      rows: counts[code],
      share: (positives[code] + SMOOTHING_ROWS * prior) / (counts[code] + SMOOTHING_ROWS),
    }))
    .filter((entry) => entry.rows > 0)
    .sort((a, b) => a.share - b.share || (a.category < b.category ? -1 : 1));
  // An unseen category stands where an average one would: between the ranks below the prior and those above.
  const unseen = shares.filter(({ share }) => share < prior).length - 0.5;
  const ranks = Object.fromEntries(shares.map(({ category }, rank) => [category, rank]));
  return [{ kind: "rank", feature: index, ranks, unseen }];
}

function linearNumber(
  { values }: NumericColumn,
  feature: number,
  rows: RowSelection,
  steps: readonly PreparationStep[],
): EncodedColumn[] {
  const known = Float64Array.from(rows, (row) => values[row]).filter(Number.isFinite);
  if (known.length === 0) return [];
  const impute = steps.find((step) => step.kind === "impute");
  const knownMean = meanOf(known);
  const fill = impute?.strategy === "median" ? medianOf(known) : knownMean;
  const missing = rows.length - known.length;
  const indicator: EncodedColumn[] = impute !== undefined && missing > 0 ? [{ kind: "missing", feature }] : [];

  // Moments of the column as it is after imputation, as a pipeline of both steps would see it.
  const mean = (knownMean * known.length + fill * missing) / rows.length;
  let squares = missing * (fill - mean) ** 2;
  for (const value of known) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / rows.length);
  if (!(deviation > Math.abs(mean) * 1e-12)) return indicator;
  const scaled = steps.some((step) => step.kind === "standard-scale");
  return [{ kind: "number", feature, fill, mean: scaled ? mean : 0, scale: scaled ? deviation : 1 }, ...indicator];
}

function oneHot(
  column: FeatureColumn & { kind: "categorical" },
  feature: number,
  rows: RowSelection,
  steps: readonly PreparationStep[],
): EncodedColumn[] {
  const counts = new Float64Array(column.categories.length);
  let missing = 0;
  for (const row of rows) {
    const code = column.codes[row];
    if (code < 0) missing += 1;
    else counts[code] += 1;
  }
  const rare = steps.find((step) => step.kind === "one-hot")?.rare ?? 0;
  const seen = column.categories.filter((_, code) => counts[code] > 0);
  const frequent = column.categories.filter((_, code) => counts[code] > 0 && counts[code] >= rare * rows.length).sort();
  const columns: EncodedColumn[] = frequent.map((category) => ({ kind: "category", feature, category }));
  if (frequent.length < seen.length) columns.push({ kind: "category", feature, category: null });
  if (missing > 0 && seen.length > 0) columns.push({ kind: "missing", feature });
  return columns;
}

/** Mean by Welford's update, which does not overflow or cancel for columns such as timestamps in microseconds. */
function meanOf(values: Float64Array): number {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += (values[i] - mean) / (i + 1);
  return mean;
}

function medianOf(values: Float64Array): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : sorted[middle - 1] / 2 + sorted[middle] / 2;
}
