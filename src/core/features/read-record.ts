import type { Micros } from "../time.ts";
import type { AggregateFeature } from "./compile-view.ts";
import { type Block, type BlockLayout, type EntityRecord, type RecordShape, recordLayout } from "./entity-record.ts";
import { exactInteger, integerOf } from "./integers.ts";
import { Moments } from "./moments.ts";
import type { ExactValue } from "./plan.ts";
import { tileSums } from "./tile-directory.ts";
import { tilesInside } from "./tiles-to-read.ts";
import { aggregateOf, type FiguresWanted, figuresWanted, WindowAccumulator, type WindowFigures } from "./window-accumulators.ts";

/** One feature's place in the vector and in the record. */
interface LatestSlot {
  readonly slot: number;
  readonly column: number;
  readonly type: "bool" | "string" | "int64" | "number";
}

type WindowSlot = AggregateFeature & { readonly slot: number };

export interface WindowSlots {
  /** Column of its expression's values; -1 counts rows. */
  readonly column: number;
  /** Which expression; -1 counts rows. */
  readonly value: number;
  readonly window: Micros;
  readonly wanted: FiguresWanted;
  /** Whether values are positions among the record's texts. */
  readonly texts: boolean;
  readonly features: readonly WindowSlot[];
}

export interface ClassReading {
  readonly index: number;
  readonly layouts: { readonly latest: BlockLayout; readonly events: BlockLayout };
  readonly latest: readonly LatestSlot[];
  readonly windows: readonly WindowSlots[];
}

/** Which features of a view go where in a row of values. */
export interface RecordReading {
  readonly ttl: Micros | null;
  /** A row that is superseded later than this still stands: its next version is not in the record yet. */
  readonly until: Micros;
  readonly classes: readonly ClassReading[];
  /** Value of each slot for an unknown entity: 0 for counts, null otherwise. */
  readonly absent: readonly (readonly [slot: number, value: ExactValue])[];
}

/** @param slots slot of each wanted feature by its name */
export function recordReading(
  shape: RecordShape,
  slots: ReadonlyMap<string, number>,
  ttl: Micros | null,
  until: Micros,
): RecordReading {
  const layouts = recordLayout(shape);
  const readings = shape.classes.map(({ latest, aggregates, expressions }, index): ClassReading => {
    const latestSlots = latest.flatMap(({ name, type }, feature): LatestSlot[] => {
      const slot = slots.get(name);
      if (slot === undefined) return [];
      const kind = type === "bool" || type === "string" || type === "int64" ? type : "number";
      return [{ slot, column: layouts[index].latest.values[feature], type: kind }];
    });
    const windows = new Map<string, WindowSlot[]>();
    for (const aggregate of aggregates) {
      const slot = slots.get(aggregate.name);
      if (slot === undefined) continue;
      const id = `${aggregate.value} ${aggregate.window}`;
      const known = windows.get(id) ?? [];
      windows.set(id, known);
      known.push({ ...aggregate, slot });
    }
    return {
      index,
      layouts: layouts[index],
      latest: latestSlots,
      windows: [...windows.values()].map((features): WindowSlots => {
        const [{ value, window }] = features;
        const column = value < 0 ? -1 : layouts[index].events.values[value];
        return { column, value, window, wanted: figuresWanted(features), texts: expressions[value]?.text === true, features };
      }),
    };
  });
  const used = readings.filter(({ latest, windows }) => latest.length + windows.length > 0);
  const isCount = (fn: AggregateFeature["fn"]) => fn === "count" || fn === "count-distinct";
  const absent = used.flatMap(({ latest, windows }) => [
    ...latest.map(({ slot }) => [slot, null] as const),
    ...windows.flatMap(({ features }) => features.map(({ slot, fn }) => [slot, isCount(fn) ? 0 : null] as const)),
  ]);
  return { ttl, until, classes: used, absent };
}

/**
 * Why a value is what it is: "null" where its row or window says that there is none, "missing" where there is no row at all, "expired"
 * where the row is older than the view's ttl.
 */
export type ValueStatus = "present" | "null" | "missing" | "expired";

/** By slot, what stands beside the values. */
export interface ValueDetails {
  readonly statuses: ValueStatus[];
  /** The event of the row that a latest value is of, expired ones too; null for windows. */
  readonly eventAt: (Micros | null)[];
}

/** Fills the slots with what the record says at `at`. */
export function readRecord(
  reading: RecordReading,
  record: EntityRecord,
  at: Micros,
  values: ExactValue[],
  details?: ValueDetails,
): void {
  for (const each of reading.classes) {
    if (each.latest.length > 0) readLatest(each, reading, record, at, values, details);
    for (const window of each.windows) readWindow(window, each, reading, record, at, values, details);
  }
}

function readLatest(
  { index, latest, layouts }: ClassReading,
  { ttl, until }: RecordReading,
  record: EntityRecord,
  at: Micros,
  values: ExactValue[],
  details: ValueDetails | undefined,
): void {
  const { rows, cells } = record.classes[index].latest;
  const { visibleAt, eventAt, supersededAt } = layouts.latest;
  // Each row is ahead of those before it.
  let row = rows - 1;
  const cellOf = (column: number) => cells[column * rows + row];
  while (row >= 0 && (cellOf(visibleAt) > at || (supersededAt >= 0 && cellOf(supersededAt) <= Math.min(at, until)))) row--;
  const found = row >= 0 && (ttl === null || cellOf(eventAt) >= at - ttl);
  // A source without time has rows without events.
  const event = row < 0 || !Number.isFinite(cellOf(eventAt)) ? null : cellOf(eventAt);
  for (const { slot, column, type } of latest) {
    const value = found ? cellOf(column) : Number.NaN;
    if (Number.isNaN(value)) values[slot] = null;
    else if (type === "number") values[slot] = value;
    else if (type === "bool") values[slot] = value === 1;
    else values[slot] = type === "string" ? record.string(value) : exactInteger(value, cellOf(column + 1));
    if (details === undefined) continue;
    details.statuses[slot] = row < 0 ? "missing" : !found ? "expired" : values[slot] === null ? "null" : "present";
    details.eventAt[slot] = event;
  }
}

function readWindow(
  slots: WindowSlots,
  { index, layouts }: ClassReading,
  { until }: RecordReading,
  record: EntityRecord,
  at: Micros,
  values: ExactValue[],
  details: ValueDetails | undefined,
): void {
  const { events: block, eventTiles } = record.classes[index];
  const { column, texts, features } = slots;
  const known = Math.min(at, until);
  const tiles = eventTiles.rows === 0 ? NO_TILES : tilesInside(eventTiles, at - slots.window, at, known);
  const figures =
    block.rows === 0 && tiles.length === 0
      ? undefined
      : windowFigures(slots, block, layouts.events, at, known, tiles, eventTiles);
  for (const feature of features) {
    const result = aggregateOf(feature, column < 0, figures);
    const isOneOfRows = feature.fn === "first" || feature.fn === "last";
    if (Number.isNaN(result)) values[feature.slot] = null;
    else if (!isOneOfRows) values[feature.slot] = result;
    else values[feature.slot] = oneOfRows(feature, texts ? record.string(result) : result);
    if (details !== undefined)
      details.statuses[feature.slot] =
        values[feature.slot] !== null ? "present" : (figures?.rows ?? 0) === 0 ? "missing" : "null";
  }
}

/** A row's value as what the feature is. */
function oneOfRows({ type }: WindowSlot, value: string | number): ExactValue {
  if (type === "bool") return value === 1;
  return type === "int64" ? (integerOf(value) ?? null) : value;
}

const NO_TILES: readonly number[] = [];

/**
 * @param known rows superseded by then are not true any more
 * @param tiles places of those that lie wholly inside the window and whose rows are not in the block
 */
function windowFigures(
  { column, value, window, wanted }: WindowSlots,
  { columns }: Block,
  { visibleAt, eventAt, availableAt, supersededAt }: BlockLayout,
  at: Micros,
  known: Micros,
  tiles: readonly number[],
  directory: Block,
): WindowFigures {
  const visible = columns[visibleAt] ?? NO_CELLS;
  const events = columns[eventAt] ?? NO_CELLS;
  const superseded = supersededAt < 0 ? null : columns[supersededAt];
  const cells = column < 0 ? null : columns[column];
  const start = at - window;
  // No row is visible before its event, so those visible by the window's start lie before it.
  const first = firstAfter(visible, start);
  const end = firstAfter(visible, at);
  const isIn = (row: number) => events[row] > start && (superseded === null || !(superseded[row] <= known));
  const forEachCell = (take: (cell: number, row: number) => void) => {
    for (let row = first; row < end; row++) {
      const cell = cells === null ? 1 : cells[row];
      if (isIn(row) && !Number.isNaN(cell)) take(cell, row);
    }
  };
  if (wanted.distinct || wanted.ordered) {
    const order = (one: number, other: number) =>
      events[one] - events[other] || compareAvailable(columns[availableAt], one, other) || one - other;
    const accumulator = new WindowAccumulator(wanted, order);
    forEachCell((cell, row) => accumulator.add(cell, row));
    for (const tile of tiles) accumulator.merge(tileSums(directory, tile, value));
    return accumulator;
  }
  let rows = 0;
  let sum = 0;
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  let whole = true;
  forEachCell((cell) => {
    if ((cell | 0) !== cell) whole = false;
    rows++;
    sum += cell;
    if (cell < least) least = cell;
    if (cell > greatest) greatest = cell;
  });
  const moments = new Moments(wanted.squares);
  for (const tile of tiles) {
    const sums = tileSums(directory, tile, value);
    moments.merge(sums);
    if (sums.least < least) least = sums.least;
    if (sums.greatest > greatest) greatest = sums.greatest;
  }
  // -0 beside 0 would depend on their order, as in an accumulator.
  const extremes = { least: least + 0, greatest: greatest + 0, distinct: 0, nth: () => Number.NaN };
  // The plain sum of whole numbers of 32 bits is exact: the same figures as an accumulator's.
  if (whole && !wanted.squares && tiles.length === 0) return { rows, sum, mean: sum / rows, std: Number.NaN, ...extremes };
  forEachCell((cell) => moments.add(cell));
  return { rows: moments.rows, sum: moments.sum, mean: moments.mean, std: moments.std, ...extremes };
}

const NO_CELLS = new Float64Array(0);

const compareAvailable = (available: Float64Array | undefined, one: number, other: number) =>
  available === undefined ? 0 : available[one] - available[other];

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
