import type { FeatureValue } from "../../features/index.ts";
import type { Dataset, FeatureColumn, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import type { EncodedColumn, FittedPreparation } from "../model.ts";

/**
 * The estimator's matrix, column-major: one array of `rows.length` numbers for each of `preparation.columns`.
 * @throws TRAIN_FEATURES_DIFFER when the dataset lacks a feature that a column is made of
 */
export function encode(preparation: FittedPreparation, dataset: Dataset, rows: RowSelection): Float64Array[] {
  const frequent = frequentCategories(preparation);
  return preparation.columns.map((column) => {
    const feature = dataset.features[column.feature];
    const expected = column.kind === "number" ? "numeric" : column.kind === "missing" ? feature?.kind : "categorical";
    if (feature === undefined || feature.kind !== expected) {
      throw trainErrors.TRAIN_FEATURES_DIFFER(`feature ${column.feature} is not ${expected ?? "there"} in these rows`);
    }
    return encodeColumn(column, feature, rows, frequent.get(column.feature));
  });
}

function encodeColumn(
  column: EncodedColumn,
  feature: FeatureColumn,
  rows: RowSelection,
  frequent: ReadonlySet<string> | undefined,
): Float64Array {
  const out = new Float64Array(rows.length);
  if (feature.kind === "numeric") {
    const { values } = feature;
    if (column.kind === "number") {
      const fill = column.fill ?? Number.NaN;
      for (let i = 0; i < rows.length; i++) out[i] = (finiteOr(values[rows[i]], fill) - column.mean) / column.scale;
    } else {
      for (let i = 0; i < rows.length; i++) out[i] = Number.isFinite(values[rows[i]]) ? 0 : 1;
    }
    return out;
  }
  const encodeText = textEncoder(column, frequent);
  const byCode = Float64Array.from(feature.categories, encodeText);
  const missing = encodeText(null);
  for (let i = 0; i < rows.length; i++) {
    const code = feature.codes[rows[i]];
    out[i] = code < 0 ? missing : byCode[code];
  }
  return out;
}

type RowEncoder = (values: readonly FeatureValue[]) => Float64Array;

/** A function from feature values, in the plan's order, to one row of the estimator's matrix: the figures of `encode`. */
export function createRowEncoder(preparation: FittedPreparation): RowEncoder {
  const frequent = frequentCategories(preparation);
  const encoders = preparation.columns.map((column): ((value: FeatureValue) => number) => {
    if (column.kind === "number") {
      const fill = column.fill ?? Number.NaN;
      const { mean, scale } = column;
      return (value) => (finiteOr(toNumber(value), fill) - mean) / scale;
    }
    if (column.kind === "missing") {
      return (value) => (value === null || (typeof value === "number" && !Number.isFinite(value)) ? 1 : 0);
    }
    const encodeText = textEncoder(column, frequent.get(column.feature));
    return (value) => encodeText(value === null ? null : String(value));
  });
  const features = Int32Array.from(preparation.columns, (column) => column.feature);
  return (values) => {
    const out = new Float64Array(features.length);
    for (let i = 0; i < features.length; i++) out[i] = encoders[i](values[features[i]] ?? null);
    return out;
  };
}

const rowEncoders = new WeakMap<FittedPreparation, RowEncoder>();

/** One row of the estimator's matrix. Values are in the plan's order; booleans count as 0 and 1, timestamps are Micros. */
export function encodeRow(preparation: FittedPreparation, values: readonly FeatureValue[]): Float64Array {
  let encoder = rowEncoders.get(preparation);
  if (encoder === undefined) {
    encoder = createRowEncoder(preparation);
    rowEncoders.set(preparation, encoder);
  }
  return encoder(values);
}

/** Categories with a column of their own, by feature: all others belong to the column of rare and unseen ones. */
function frequentCategories(preparation: FittedPreparation): ReadonlyMap<number, ReadonlySet<string>> {
  const frequent = new Map<number, Set<string>>();
  for (const column of preparation.columns) {
    if (column.kind !== "category" || column.category === null) continue;
    const categories = frequent.get(column.feature) ?? new Set();
    frequent.set(column.feature, categories.add(column.category));
  }
  return frequent;
}

function textEncoder(column: EncodedColumn, frequent: ReadonlySet<string> | undefined): (text: string | null) => number {
  if (column.kind === "rank") {
    // A map, because a category may be called like a member of every object ("constructor").
    const ranks = new Map(Object.entries(column.ranks));
    return (text) => (text === null ? Number.NaN : (ranks.get(text) ?? column.unseen));
  }
  if (column.kind === "category") {
    const { category } = column;
    if (category !== null) return (text) => (text === category ? 1 : 0);
    return (text) => (text !== null && frequent?.has(text) !== true ? 1 : 0);
  }
  return (text) => (text === null ? 1 : 0);
}

function toNumber(value: FeatureValue): number {
  if (typeof value === "number") return value;
  return typeof value === "boolean" ? Number(value) : Number.NaN;
}

const finiteOr = (value: number, otherwise: number): number => (Number.isFinite(value) ? value : otherwise);
