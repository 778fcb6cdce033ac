import type { Micros } from "../time.ts";
import type { AggregateFeature, AvailabilityClass } from "./compile-view.ts";
import { type Block, type EntityRecord, EVENT_COLUMNS, LATEST_COLUMNS } from "./entity-record.ts";
import { aggregateOf, Moments, type WindowMoments, wholeMoments } from "./moments.ts";
import type { FeatureValue } from "./plan.ts";

/** One feature's place in the vector and in the record. */
interface LatestSlot {
  readonly slot: number;
  readonly column: number;
  readonly bool: boolean;
  readonly string: boolean;
}

interface WindowSlots {
  readonly value: number;
  readonly window: Micros;
  readonly squares: boolean;
  readonly features: readonly (AggregateFeature & { readonly slot: number })[];
}

/** Which features of a view go where in a row of values. */
export interface RecordReading {
  readonly ttl: Micros | null;
  readonly classes: readonly {
    readonly index: number;
    readonly latest: readonly LatestSlot[];
    readonly windows: readonly WindowSlots[];
  }[];
  /** Value of each slot for an unknown entity: 0 for counts, null otherwise. */
  readonly absent: readonly (readonly [slot: number, value: FeatureValue])[];
}

/** @param slots slot of each wanted feature by its name */
export function recordReading(
  classes: readonly AvailabilityClass[],
  slots: ReadonlyMap<string, number>,
  ttl: Micros | null,
): RecordReading {
  const readings = classes.map(({ latest, aggregates }, index) => {
    const latestSlots = latest.flatMap(({ name, type }, feature): LatestSlot[] => {
      const slot = slots.get(name);
      if (slot === undefined) return [];
      return [{ slot, column: LATEST_COLUMNS.first + feature, bool: type === "bool", string: type === "string" }];
    });
    const windows = new Map<string, WindowSlots & { features: (AggregateFeature & { slot: number })[] }>();
    for (const aggregate of aggregates) {
      const slot = slots.get(aggregate.name);
      if (slot === undefined) continue;
      const { value, window } = aggregate;
      const known = windows.get(`${value} ${window}`) ?? { value, window, squares: false, features: [] };
      windows.set(`${value} ${window}`, known);
      known.features.push({ ...aggregate, slot });
    }
    return {
      index,
      latest: latestSlots,
      windows: [...windows.values()].map((each) => ({
        ...each,
        squares: each.features.some(({ fn }) => fn === "std"),
      })),
    };
  });
  const used = readings.filter(({ latest, windows }) => latest.length + windows.length > 0);
  const absent = used.flatMap(({ latest, windows }) => [
    ...latest.map(({ slot }) => [slot, null] as const),
    ...windows.flatMap(({ features }) => features.map(({ slot, fn }) => [slot, fn === "count" ? 0 : null] as const)),
  ]);
  return { ttl, classes: used, absent };
}

/** Fills the slots with what the record says at `at`. */
export function readRecord({ ttl, classes }: RecordReading, record: EntityRecord, at: Micros, values: FeatureValue[]): void {
  for (const { index, latest, windows } of classes) {
    const blocks = record.classes[index];
    if (latest.length > 0) readLatest(latest, blocks.latest, record, at, ttl, values);
    for (const window of windows) readWindow(window, blocks.events, at, values);
  }
}

function readLatest(
  slots: readonly LatestSlot[],
  { rows, columns }: Block,
  record: EntityRecord,
  at: Micros,
  ttl: Micros | null,
  values: FeatureValue[],
): void {
  let row = rows - 1;
  while (row >= 0 && columns[LATEST_COLUMNS.visibleAt][row] > at) row--;
  const found = row >= 0 && (ttl === null || columns[LATEST_COLUMNS.eventAt][row] >= at - ttl);
  for (const { slot, column, bool, string } of slots) {
    const value = found ? columns[column][row] : Number.NaN;
    values[slot] = Number.isNaN(value) ? null : string ? record.string(value) : bool ? value === 1 : value;
  }
}

function readWindow(slots: WindowSlots, { rows, columns }: Block, at: Micros, values: FeatureValue[]): void {
  const { value, window, squares, features } = slots;
  if (rows === 0) {
    writeWindow(features, value < 0, wholeMoments(0, 0), null, values);
    return;
  }
  const visibleAt = columns[EVENT_COLUMNS.visibleAt];
  const eventAt = columns[EVENT_COLUMNS.eventAt];
  const cells = value < 0 ? null : columns[EVENT_COLUMNS.first + value];
  const start = at - window;
  // No row is visible before its event, so those visible by the window's start lie before it.
  const first = firstAfter(visibleAt, start);
  const end = firstAfter(visibleAt, at);
  let count = 0;
  let sum = 0;
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  let whole = !squares;
  for (let row = first; row < end; row++) {
    const cell = cells === null ? 1 : cells[row];
    if (eventAt[row] <= start || Number.isNaN(cell)) continue;
    if ((cell | 0) !== cell) whole = false;
    count++;
    sum += cell;
    if (cell < least) least = cell;
    if (cell > greatest) greatest = cell;
  }
  if (whole) {
    writeWindow(features, value < 0, wholeMoments(count, sum), { least, greatest }, values);
    return;
  }
  const moments = new Moments(squares);
  for (let row = first; row < end; row++) {
    const cell = cells === null ? 1 : cells[row];
    if (eventAt[row] > start && !Number.isNaN(cell)) moments.add(cell);
  }
  writeWindow(features, value < 0, moments, { least, greatest }, values);
}

function writeWindow(
  features: WindowSlots["features"],
  ofRows: boolean,
  moments: WindowMoments,
  extremes: { readonly least: number; readonly greatest: number } | null,
  values: FeatureValue[],
): void {
  for (const { slot, fn } of features) {
    const result = aggregateOf(fn, ofRows, moments, (fn === "min" ? extremes?.least : extremes?.greatest) ?? Number.NaN);
    values[slot] = Number.isNaN(result) ? null : result;
  }
}

/** First position of an ascending array whose value is greater. */
function firstAfter(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
