import type { CategoricalColumn, Dataset, NumericColumn, RowSelection } from "../dataset.ts";
import { type ColumnSample, columnSample, deviationOf, momentsOf, quantilesOf, rangeOf } from "../preparation/column-sample.ts";

interface ProfileBase {
  /** Feature id. */
  readonly feature: string;
  readonly rows: number;
  /** Not there, or not a finite number. */
  readonly missing: number;
  /** Different values among those that are there. */
  readonly distinct: number;
}

export interface NumberProfile extends ProfileBase {
  readonly kind: "number";
  /** Of the values that are there; `null` where there is none. */
  readonly moments: NumberMoments | null;
  readonly quantiles: readonly { readonly share: number; readonly value: number }[];
  /** Bins of equal width between the least and the greatest value; empty without a value. */
  readonly histogram: readonly { readonly from: number; readonly to: number; readonly rows: number }[];
}

export interface NumberMoments {
  readonly mean: number;
  /** Of the rows themselves (divided by their number). */
  readonly deviation: number;
  /** Third and fourth standardised moments, the latter less the normal distribution's 3; `null` for a column that does not vary. */
  readonly skewness: number | null;
  readonly kurtosis: number | null;
  readonly min: number;
  readonly max: number;
  readonly zeros: number;
}

export interface CategoryProfile extends ProfileBase {
  readonly kind: "category";
  /** The most frequent, first. */
  readonly top: readonly { readonly category: string; readonly rows: number }[];
  /** Categories that one row has alone. */
  readonly singletons: number;
  /** In nats: 0 for one category, the logarithm of how many there are for equally frequent ones. */
  readonly entropy: number;
}

export type FeatureProfile = NumberProfile | CategoryProfile;

const SHARES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const BINS = 12;
const TOP_CATEGORIES = 20;

/** What each feature holds in these rows. Plain JSON. */
export function profileFeatures(dataset: Dataset, rows: RowSelection): FeatureProfile[] {
  return dataset.features.map((column) =>
    column.kind === "numeric" ? profileNumbers(column, rows) : profileCategories(column, rows),
  );
}

function profileNumbers({ id, values }: NumericColumn, rows: RowSelection): NumberProfile {
  const known = columnSample(Float64Array.from(rows, (row) => values[row]))
    .values.slice()
    .sort();
  const base = {
    kind: "number",
    feature: id,
    rows: rows.length,
    missing: rows.length - known.length,
    distinct: known.reduce((count, value, i) => count + (i === 0 || value !== known[i - 1] ? 1 : 0), 0),
  } as const;
  if (known.length === 0) return { ...base, moments: null, quantiles: [], histogram: [] };
  const sample = columnSample(known);
  return {
    ...base,
    moments: numberMoments(sample),
    quantiles: quantilesOf(sample, SHARES).map((value, index) => ({ share: SHARES[index], value })),
    histogram: histogramOf(known, known[0], known[known.length - 1]),
  };
}

function numberMoments(sample: ColumnSample): NumberMoments {
  const { mean } = momentsOf(sample);
  const deviation = deviationOf(sample);
  let [cubes, fourths, zeros] = [0, 0, 0];
  for (const value of sample.values) {
    const z = deviation === 0 ? 0 : (value - mean) / deviation;
    cubes += z * z * z;
    fourths += z * z * z * z;
    if (value === 0) zeros += 1;
  }
  const { low, high } = rangeOf(sample);
  const varies = deviation > 0;
  const skewness = varies ? cubes / sample.total : null;
  const kurtosis = varies ? fourths / sample.total - 3 : null;
  return { mean, deviation, skewness, kurtosis, min: low, max: high, zeros };
}

/** The last bin holds its upper edge too. */
function histogramOf(values: Float64Array, low: number, high: number): NumberProfile["histogram"] {
  const width = high / BINS - low / BINS;
  if (!(width > 0)) return [{ from: low, to: high, rows: values.length }];
  const edges = Array.from({ length: BINS + 1 }, (_, edge) => (edge === BINS ? high : low + edge * width));
  const counts = new Array<number>(BINS).fill(0);
  for (const value of values) {
    let bin = Math.min(BINS - 1, Math.floor((value - low) / width));
    // Dividing may round to the wrong side of an edge.
    if (value < edges[bin]) bin -= 1;
    else if (bin < BINS - 1 && value >= edges[bin + 1]) bin += 1;
    counts[bin] += 1;
  }
  return counts.map((count, bin) => ({ from: edges[bin], to: edges[bin + 1], rows: count }));
}

function profileCategories({ id, codes, categories }: CategoricalColumn, rows: RowSelection): CategoryProfile {
  const counts = new Uint32Array(categories.length);
  let missing = 0;
  for (const row of rows) {
    if (codes[row] < 0) missing += 1;
    else counts[codes[row]] += 1;
  }
  const present = Array.from(counts, (count, code) => ({ category: categories[code], rows: count })).filter(
    (each) => each.rows > 0,
  );
  present.sort((a, b) => b.rows - a.rows || (a.category < b.category ? -1 : 1));
  const known = rows.length - missing;
  return {
    kind: "category",
    feature: id,
    rows: rows.length,
    missing,
    distinct: present.length,
    top: present.slice(0, TOP_CATEGORIES),
    singletons: present.filter((each) => each.rows === 1).length,
    entropy: present.reduce((sum, each) => sum - (each.rows / known) * Math.log(each.rows / known), 0),
  };
}
