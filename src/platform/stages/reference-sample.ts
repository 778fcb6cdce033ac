import { unlabelledRows } from "../../core/explain/index.ts";
import type { Dataset, FeatureColumn, ModelPackage, RowSelection } from "../../core/training/index.ts";

/** Artifact `background.json` of a model's run: some of its training rows, as they are delivered now. */
export interface ReferenceSample {
  readonly formatVersion: 1;
  readonly rows: number;
  readonly features: readonly SampledFeature[];
}

/** null is missing. */
type SampledFeature =
  | { readonly id: string; readonly kind: "numeric"; readonly values: readonly (number | null)[] }
  | {
      readonly id: string;
      readonly kind: "categorical";
      readonly categories: readonly string[];
      readonly codes: readonly number[];
    };

/** Enough for medians and ranges of each feature. */
const ROWS = 1_000;

/** At most a thousand of the rows, evenly spaced. */
export function referenceSample({ features }: Dataset, rows: RowSelection): ReferenceSample {
  const count = Math.min(ROWS, rows.length);
  const taken = Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]);
  return { formatVersion: 1, rows: count, features: features.map((column) => sampled(column, taken)) };
}

function sampled(column: FeatureColumn, rows: readonly number[]): SampledFeature {
  const { id } = column;
  if (column.kind === "numeric") {
    const values = rows.map((row) => (Number.isFinite(column.values[row]) ? column.values[row] : null));
    return { id, kind: "numeric", values };
  }
  return { id, kind: "categorical", categories: column.categories, codes: rows.map((row) => column.codes[row]) };
}

/** The sample as rows to compare with: features alone, no labels or times. */
export const sampleDataset = ({ rows, features }: ReferenceSample, model: Pick<ModelPackage, "task" | "classes">): Dataset =>
  unlabelledRows(features.map(columnOf), rows, model);

function columnOf(feature: SampledFeature): FeatureColumn {
  if (feature.kind === "numeric")
    return { ...feature, values: Float64Array.from(feature.values, (value) => value ?? Number.NaN) };
  return { ...feature, codes: Int32Array.from(feature.codes) };
}

/** A training row's features by id, as the training set has them: texts, numbers (booleans as 0 and 1, timestamps as Micros) or null. */
export type SampledRow = Readonly<Record<string, string | number | null>>;

/** The sample without rows that have all the values of one of these; null where it has none. Its categories stay: they are those of all rows. */
export function eraseFromSample(sample: ReferenceSample, rows: readonly SampledRow[]): ReferenceSample | null {
  const ids = sample.features.map(({ id }) => id);
  const gone = new Set(rows.map((row) => JSON.stringify(ids.map((id) => row[id] ?? null))));
  const places = Array.from({ length: sample.rows }, (_, place) => place);
  const kept = places.filter(
    (place) => !gone.has(JSON.stringify(sample.features.map((feature) => sampledValue(feature, place)))),
  );
  if (kept.length === sample.rows) return null;
  const features = sample.features.map(
    (feature): SampledFeature =>
      feature.kind === "numeric"
        ? { ...feature, values: kept.map((place) => feature.values[place]) }
        : { ...feature, codes: kept.map((place) => feature.codes[place]) },
  );
  return { ...sample, rows: kept.length, features };
}

function sampledValue(feature: SampledFeature, place: number): string | number | null {
  if (feature.kind === "numeric") return feature.values[place];
  const code = feature.codes[place];
  return code < 0 ? null : feature.categories[code];
}
