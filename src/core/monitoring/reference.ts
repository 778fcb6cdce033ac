import type { FeaturePlan } from "../features/index.ts";
import type { Micros } from "../time.ts";
import type { CategoricalColumn, Dataset, FeatureColumn, RowSelection } from "../training/index.ts";
import { jensenShannon, normedWasserstein } from "./distances.ts";
import { monitorErrors } from "./errors.ts";
import { binEdges, binOf, latticeOf, quantileOf } from "./histogram.ts";

/** Quantiles kept of a number: its values at (i + 0.5) / 100. */
export const KEPT_QUANTILES = 100;
/** Categories kept by name, most frequent first; the rest are counted together. */
const MAX_CATEGORIES = 200;
/** A day with fewer known values says little about what days do. */
const MIN_DAY_ROWS = 30;
/** Days needed before their 99th percentile is taken as what is normal. */
const MIN_DAYS = 5;
/** Stands in for it in a shorter reference. */
const SHORT_REFERENCE = { distance: 0.3, shift: 0.5, missing: 0.1, outside: 0.1 };

/** The 99th percentile, over the reference's days, of how far one day lies from all the others. */
export interface NormalDay {
  /** Jensen-Shannon distance. */
  readonly distance: number;
  /** First Wasserstein distance in standard deviations of the reference; 0 for categories. */
  readonly shift: number;
  /** |share of missing values - the other days'|. */
  readonly missing: number;
  /** Share of values that the other days never had: out of their range, off their lattice, or a new category. */
  readonly outside: number;
}

interface ColumnProfile {
  /** Feature id, or "prediction". */
  readonly id: string;
  readonly seasonal: boolean;
  /** Name of the source behind the feature; null for on-demand features and the prediction. */
  readonly source: string | null;
  /** Known values. */
  readonly rows: number;
  readonly missingShare: number;
  readonly normal: NormalDay;
}

export interface NumericProfile extends ColumnProfile {
  readonly kind: "numeric";
  /** At most 20, ascending. */
  readonly edges: readonly number[];
  /** One more than edges: below the first, between, above the last. */
  readonly counts: readonly number[];
  readonly mean: number;
  /** Population standard deviation (divided by n). */
  readonly std: number;
  /** Values at (i + 0.5) / 100. */
  readonly quantiles: readonly number[];
  /** All distinct values where there are few and each repeats; otherwise null. */
  readonly lattice: readonly number[] | null;
}

export interface CategoricalProfile extends ColumnProfile {
  readonly kind: "categorical";
  readonly categories: readonly string[];
  readonly counts: readonly number[];
  /** Rows of categories past the 200 that are kept; when there are any, a new category cannot be told from a rare one. */
  readonly other: number;
}

/** A column without a known value in the reference. */
export interface EmptyProfile extends ColumnProfile {
  readonly kind: "empty";
}

export type Profile = NumericProfile | CategoricalProfile | EmptyProfile;

/** What a model was trained on, small enough to travel with it; JSON. */
export interface ReferenceProfile {
  readonly formatVersion: 1;
  readonly rows: number;
  readonly from: Micros;
  readonly to: Micros;
  readonly days: number;
  /** Rows a day: 1st percentile, median and 99th percentile. */
  readonly rowsPerDay: { readonly low: number; readonly median: number; readonly high: number };
  readonly features: readonly Profile[];
  readonly prediction: Profile;
  readonly label: {
    readonly baseRate: number;
    readonly byDay: readonly { readonly day: number; readonly rows: number; readonly positives: number }[];
  };
}

/**
 * Profiles the rows a model was trained on and its predictions for them. Every day is compared with all the others, because
 * the rows of a day share weather and season: tests that take rows as independent find drift in any day.
 *
 * @param probabilities one per element of `rows`, in that order
 * @throws MONITOR_NO_ROWS, MONITOR_COLUMNS_MISMATCH
 */
export function buildReference(
  dataset: Dataset,
  rows: RowSelection,
  probabilities: Float64Array,
  plan: FeaturePlan,
): ReferenceProfile {
  if (rows.length === 0) throw monitorErrors.MONITOR_NO_ROWS("No rows to make a reference of");
  if (probabilities.length !== rows.length) {
    throw monitorErrors.MONITOR_COLUMNS_MISMATCH(`${probabilities.length} predictions for ${rows.length} rows`);
  }
  const dayNumbers = Int32Array.from(new Set(Int32Array.from(rows, (row) => dataset.day[row]))).sort();
  const index = new Map(Array.from(dayNumbers, (day, i) => [day, i]));
  const day = Int32Array.from(rows, (row) => index.get(dataset.day[row]) ?? 0);
  const days = { index: day, count: dayNumbers.length };
  const byDay = Array.from(dayNumbers, (number) => ({ day: number, rows: 0, positives: 0 }));
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  rows.forEach((row, i) => {
    byDay[day[i]].rows += 1;
    byDay[day[i]].positives += dataset.label[row];
    from = Math.min(from, dataset.at[row]);
    to = Math.max(to, dataset.at[row]);
  });
  const perDay = Float64Array.from(byDay, (counts) => counts.rows).sort();
  const columns = new Map(dataset.features.map((column) => [column.id, column]));
  return {
    formatVersion: 1,
    rows: rows.length,
    from,
    to,
    days: days.count,
    rowsPerDay: { low: quantileOf(perDay, 0.01), median: quantileOf(perDay, 0.5), high: quantileOf(perDay, 0.99) },
    features: plan.features.map(({ id, seasonal, source }) => {
      const column = columns.get(id);
      if (column === undefined) throw monitorErrors.MONITOR_COLUMNS_MISMATCH(`The dataset has no column ${id}`);
      return profileColumn(selected(column, rows), { id, seasonal, source }, days);
    }),
    prediction: profileColumn(
      { kind: "numeric", id: "prediction", values: probabilities },
      { id: "prediction", seasonal: false, source: null },
      days,
    ),
    label: { baseRate: byDay.reduce((sum, { positives }) => sum + positives, 0) / rows.length, byDay },
  };
}

interface Days {
  /** Index of each row's day. */
  readonly index: Int32Array;
  readonly count: number;
}
type Identity = Pick<ColumnProfile, "id" | "seasonal" | "source">;

function selected(column: FeatureColumn, rows: RowSelection): FeatureColumn {
  return column.kind === "numeric"
    ? { ...column, values: Float64Array.from(rows, (row) => column.values[row]) }
    : { ...column, codes: Int32Array.from(rows, (row) => column.codes[row]) };
}

function profileColumn(column: FeatureColumn, identity: Identity, days: Days): Profile {
  return column.kind === "numeric" ? profileNumbers(column.values, identity, days) : profileCategories(column, identity, days);
}

function profileNumbers(values: Float64Array, identity: Identity, days: Days): NumericProfile | EmptyProfile {
  const sorted = values.filter(Number.isFinite).sort();
  if (sorted.length === 0) return emptyProfile(identity);
  const edges = binEdges(sorted);
  const lattice = latticeOf(sorted);
  const bins = edges.length + 1;
  const table = new DayTable(days.count, bins);
  const range = dayRanges(values, days);
  const onlyOn = lattice === null ? null : daysOfValues(values, days);
  values.forEach((value, i) => {
    const day = days.index[i];
    if (!Number.isFinite(value)) {
      table.addMissing(day);
      return;
    }
    const outside = onlyOn === null ? value < range.lowWithout(day) || value > range.highWithout(day) : onlyOn.get(value) === day;
    table.add(day, binOf(edges, value), outside);
  });
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const std = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length);
  const quantiles = Array.from({ length: KEPT_QUANTILES }, (_, i) => quantileOf(sorted, (i + 0.5) / KEPT_QUANTILES));
  return {
    kind: "numeric",
    ...identity,
    rows: sorted.length,
    missingShare: 1 - sorted.length / values.length,
    normal: { ...table.normalDay(), shift: normalShift(values, days, quantiles, std) },
    edges,
    counts: Array.from(table.totals()),
    mean,
    std,
    quantiles,
    lattice,
  };
}

function profileCategories(column: CategoricalColumn, identity: Identity, days: Days): CategoricalProfile | EmptyProfile {
  const totals = new Float64Array(column.categories.length);
  for (const code of column.codes) if (code >= 0) totals[code] += 1;
  const order = Array.from(totals.keys())
    .filter((code) => totals[code] > 0)
    .sort((a, b) => totals[b] - totals[a] || a - b);
  const known = totals.reduce((sum, count) => sum + count, 0);
  if (known === 0) return emptyProfile(identity);
  const kept = order.slice(0, MAX_CATEGORIES);
  const bin = new Int32Array(column.categories.length).fill(kept.length);
  kept.forEach((code, i) => {
    bin[code] = i;
  });
  const onlyOn = daysOfValues(column.codes, days);
  const table = new DayTable(days.count, kept.length + 1);
  column.codes.forEach((code, i) => {
    const day = days.index[i];
    if (code < 0) table.addMissing(day);
    else table.add(day, bin[code], onlyOn.get(code) === day);
  });
  const counts = Array.from(kept, (code) => totals[code]);
  return {
    kind: "categorical",
    ...identity,
    rows: known,
    missingShare: 1 - known / column.codes.length,
    normal: { ...table.normalDay(), shift: 0 },
    categories: kept.map((code) => column.categories[code]),
    counts,
    other: known - counts.reduce((sum, count) => sum + count, 0),
  };
}

const emptyProfile = (identity: Identity): EmptyProfile => ({
  kind: "empty",
  ...identity,
  rows: 0,
  missingShare: 1,
  normal: { distance: 0, shift: 0, missing: 0, outside: 0 },
});

/** Against the whole reference, its own day included, because only its quantiles are kept. */
function normalShift(values: Float64Array, days: Days, quantiles: readonly number[], std: number): number {
  const counts = new Uint32Array(days.count);
  const known = values.map((value) => (Number.isFinite(value) ? 1 : 0));
  values.forEach((_, i) => {
    counts[days.index[i]] += known[i];
  });
  const byDay = Array.from(counts, (count) => new Float64Array(count));
  counts.fill(0);
  values.forEach((value, i) => {
    if (known[i] === 1) byDay[days.index[i]][counts[days.index[i]]++] = value;
  });
  const whole = Float64Array.from(quantiles);
  const shifts = byDay.filter(({ length }) => length >= MIN_DAY_ROWS).map((day) => normedWasserstein(whole, day.sort(), std));
  return normalOf(shifts, SHORT_REFERENCE.shift);
}

/** For each value the only day it occurs on, or -1 where it occurs on several. */
function daysOfValues(values: Float64Array | Int32Array, days: Days): Map<number, number> {
  const onlyOn = new Map<number, number>();
  values.forEach((value, i) => {
    const day = onlyOn.get(value);
    if (day === undefined) onlyOn.set(value, days.index[i]);
    else if (day !== days.index[i]) onlyOn.set(value, -1);
  });
  return onlyOn;
}

/** Least and greatest value of all days but one, from the two most extreme days on each side. */
function dayRanges(values: Float64Array, days: Days) {
  const low = new Float64Array(days.count).fill(Number.POSITIVE_INFINITY);
  const high = new Float64Array(days.count).fill(Number.NEGATIVE_INFINITY);
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    const day = days.index[i];
    low[day] = Math.min(low[day], value);
    high[day] = Math.max(high[day], value);
  });
  const byLow = Array.from(low.keys()).sort((a, b) => low[a] - low[b]);
  const byHigh = Array.from(high.keys()).sort((a, b) => high[b] - high[a]);
  const without = (extremes: Float64Array, order: number[], day: number) => extremes[order[order[0] === day ? 1 : 0] ?? day];
  return {
    lowWithout: (day: number) => without(low, byLow, day),
    highWithout: (day: number) => without(high, byHigh, day),
  };
}

/** Counts by day and bin, and what they say about a normal day. */
class DayTable {
  readonly #days: number;
  readonly #bins: number;
  readonly #counts: Float64Array;
  readonly #known: Float64Array;
  readonly #missing: Float64Array;
  readonly #outside: Float64Array;

  constructor(days: number, bins: number) {
    this.#days = days;
    this.#bins = bins;
    this.#counts = new Float64Array(days * bins);
    this.#known = new Float64Array(days);
    this.#missing = new Float64Array(days);
    this.#outside = new Float64Array(days);
  }

  add(day: number, bin: number, outside: boolean): void {
    this.#counts[day * this.#bins + bin] += 1;
    this.#known[day] += 1;
    if (outside) this.#outside[day] += 1;
  }

  addMissing(day: number): void {
    this.#missing[day] += 1;
  }

  totals(): Float64Array {
    const totals = new Float64Array(this.#bins);
    this.#counts.forEach((count, i) => {
      totals[i % this.#bins] += count;
    });
    return totals;
  }

  normalDay(): Omit<NormalDay, "shift"> {
    const totals = this.totals();
    const known = this.#known.reduce((sum, count) => sum + count, 0);
    const missing = this.#missing.reduce((sum, count) => sum + count, 0);
    const distances: number[] = [];
    const missingChanges: number[] = [];
    const outsideShares: number[] = [];
    for (let day = 0; day < this.#days; day++) {
      const dayKnown = this.#known[day];
      const dayRows = dayKnown + this.#missing[day];
      const otherRows = known + missing - dayRows;
      if (dayRows >= MIN_DAY_ROWS && otherRows > 0) {
        missingChanges.push(Math.abs(this.#missing[day] / dayRows - (missing - this.#missing[day]) / otherRows));
      }
      if (dayKnown < MIN_DAY_ROWS || dayKnown === known) continue;
      const counts = this.#counts.subarray(day * this.#bins, (day + 1) * this.#bins);
      distances.push(
        jensenShannon(
          totals.map((count, bin) => count - counts[bin]),
          counts,
        ),
      );
      outsideShares.push(this.#outside[day] / dayKnown);
    }
    return {
      distance: normalOf(distances, SHORT_REFERENCE.distance),
      missing: normalOf(missingChanges, SHORT_REFERENCE.missing),
      outside: normalOf(outsideShares, SHORT_REFERENCE.outside),
    };
  }
}

const normalOf = (days: readonly number[], otherwise: number): number =>
  days.length < MIN_DAYS ? otherwise : quantileOf(Float64Array.from(days).sort(), 0.99);
