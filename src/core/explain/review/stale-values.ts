import type { Micros } from "../../time.ts";
import { DAY } from "../../time.ts";
import type { Dataset, FeatureColumn, RandomStream, RowSelection } from "../../training/index.ts";

/** Whose earlier values stand in for a row's own. */
export type StaleSource =
  /** The same entity's, as they were last known. */
  | "same-entity"
  /** Some other row's of an earlier day: an upper bound, because it is another entity's too. */
  | "another-row";

export interface StaleOptions {
  /** How old the values are at least. */
  readonly lag: Micros;
  /** By row of the dataset, the number of the entity that the features belong to (below 0: unknown). Absent: any row's values. */
  readonly entity?: Int32Array;
  /** Rows whose values may be taken. */
  readonly donors: RowSelection;
  readonly random: RandomStream;
}

/**
 * Some rows with the values that some features had earlier: what a feed that stands still would deliver. Values of the latest row of the
 * same entity that is at least `lag` older; without entities, of a random row of the latest day that is. Where there is none,
 * they are missing.
 *
 * @returns for each of `rows`, the row whose values it gets; -1 for none
 */
export function staleDonors(dataset: Dataset, rows: RowSelection, { lag, entity, donors, random }: StaleOptions): Int32Array {
  const { at, day } = dataset;
  const order = Uint32Array.from(donors).sort((a, b) => at[a] - at[b] || a - b);
  if (entity !== undefined) {
    const byEntity = groupBy(order, (row) => entity[row]);
    return Int32Array.from(rows, (row) => {
      const own = entity[row] < 0 ? [] : (byEntity.get(entity[row]) ?? []);
      return own[countUpTo(own, (donor) => at[donor] <= at[row] - lag) - 1] ?? -1;
    });
  }
  const byDay = groupBy(order, (row) => day[row]);
  const days = Int32Array.from(byDay.keys()).sort();
  const lagDays = Math.max(1, Math.ceil(lag / DAY));
  return Int32Array.from(rows, (row) => {
    const latest = days[countUpTo(days, (each) => each <= day[row] - lagDays) - 1];
    const of = latest === undefined ? [] : (byDay.get(latest) ?? []);
    return of.length === 0 ? -1 : of[random.below(of.length)];
  });
}

/** The rows as a dataset of their own, with the features' values taken from other rows of the dataset. */
export function withDonatedValues(dataset: Dataset, sample: Dataset, ids: readonly string[], donors: Int32Array): Dataset {
  const donated = (column: FeatureColumn): FeatureColumn =>
    column.kind === "categorical"
      ? { ...column, codes: Int32Array.from(donors, (row) => (row < 0 ? -1 : column.codes[row])) }
      : { ...column, values: Float64Array.from(donors, (row) => (row < 0 ? Number.NaN : column.values[row])) };
  const features = sample.features.map((column, index) => (ids.includes(column.id) ? donated(dataset.features[index]) : column));
  return { ...sample, features };
}

function groupBy(rows: RowSelection, keyOf: (row: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}

/** How many of the first elements hold; they come before all that do not. */
function countUpTo(values: ArrayLike<number>, holds: (value: number) => boolean): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(values[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
