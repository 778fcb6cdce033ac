import type { Micros } from "../time.ts";
import type { Block, EntityRecord } from "./entity-record.ts";
import type { ClassReading, RecordReading, WindowSlots } from "./read-record.ts";
import { tileColumn, tileSums } from "./tile-directory.ts";
import type { TileReference } from "./tiles.ts";

/** Where a tile lies: every row of it in the window (start, at], none, or it has to be looked at. */
function placeOf({ columns }: Block, tile: number, start: Micros, at: Micros, known: Micros): "inside" | "outside" | "across" {
  if (columns[tileColumn.visibleFrom][tile] > at || columns[tileColumn.eventTo][tile] <= start) return "outside";
  const isWhole = columns[tileColumn.visibleTo][tile] <= at && columns[tileColumn.eventFrom][tile] > start;
  return isWhole && columns[tileColumn.supersededFrom][tile] > known ? "inside" : "across";
}

/** Tiles of events that lie wholly inside a window. */
export function tilesInside(directory: Block, start: Micros, at: Micros, known: Micros): number[] {
  const tiles: number[] = [];
  for (let tile = 0; tile < directory.rows; tile++) if (placeOf(directory, tile, start, at, known) === "inside") tiles.push(tile);
  return tiles;
}

/**
 * The tiles whose rows a read at `at` has to look at: those at the windows' edges, and those in which the first, the last or the different
 * values may be. Of the others, which lie outside or inside, the directory says enough.
 */
export function tilesToRead({ until, classes }: RecordReading, record: EntityRecord, at: Micros): TileReference[] {
  const known = Math.min(at, until);
  return classes.flatMap((reading): TileReference[] => {
    const { index, latest, windows } = reading;
    const { latestTiles, eventTiles } = record.classes[index];
    const opened = new Set<number>();
    if (eventTiles.rows > 0) for (const slots of windows) addWindow(opened, slots, reading, record, at, known);
    const seen = latest.length === 0 || latestTiles.rows === 0 ? [] : latestToRead(reading, record, at, known);
    return [
      ...seen.map((tile): TileReference => ({ id: latestTiles.columns[tileColumn.id][tile], index, block: "latest" })),
      ...[...opened].map((tile): TileReference => ({ id: eventTiles.columns[tileColumn.id][tile], index, block: "events" })),
    ];
  });
}

/** From the newest tile on, until one has a row that is surely the latest, unless the record has one itself. */
function latestToRead({ index, layouts }: ClassReading, record: EntityRecord, at: Micros, known: Micros): number[] {
  const { latest, latestTiles } = record.classes[index];
  const { visibleAt, supersededAt } = layouts.latest;
  for (let row = latest.rows - 1; row >= 0; row--)
    if (latest.columns[visibleAt][row] <= at && !(supersededAt >= 0 && latest.columns[supersededAt][row] <= known)) return [];
  const tiles: number[] = [];
  for (let tile = latestTiles.rows - 1; tile >= 0; tile--) {
    if (latestTiles.columns[tileColumn.visibleFrom][tile] > at) continue;
    tiles.push(tile);
    if (latestTiles.columns[tileColumn.supersededFrom][tile] > known) break;
  }
  return tiles;
}

function addWindow(
  opened: Set<number>,
  slots: WindowSlots,
  { index, layouts }: ClassReading,
  record: EntityRecord,
  at: Micros,
  known: Micros,
): void {
  const { eventTiles: directory, events } = record.classes[index];
  const { window, wanted, value, column, features } = slots;
  const start = at - window;
  const inside: number[] = [];
  for (let tile = 0; tile < directory.rows; tile++) {
    const place = placeOf(directory, tile, start, at, known);
    if (place === "across" || (place === "inside" && wanted.distinct)) opened.add(tile);
    else if (place === "inside") inside.push(tile);
  }
  if (!wanted.ordered || wanted.distinct) return;
  const deepest = (fn: "first" | "last") => Math.max(0, ...features.map((each) => (each.fn === fn ? (each.nth ?? 1) : 0)));
  const { eventFrom, eventTo } = tileColumn;
  const first = deepest("first");
  const last = deepest("last");
  if (first > 0) {
    const bound = -boundOf(-1, eventTo, first);
    for (const tile of inside) if (directory.columns[eventFrom][tile] <= bound) opened.add(tile);
  }
  if (last > 0) {
    const bound = Math.max(boundOf(1, eventFrom, last), lastInRecord(last));
    for (const tile of inside) if (directory.columns[eventTo][tile] >= bound) opened.add(tile);
  }

  /** An event on whose side (1: this or later, -1: this or earlier, then negated) so many values lie for sure. */
  function boundOf(sign: 1 | -1, edge: number, count: number): number {
    const times = directory.columns[edge];
    let left = count;
    for (const tile of inside.toSorted((one, other) => sign * (times[other] - times[one]))) {
      left -= tileSums(directory, tile, value).rows;
      if (left <= 0) return sign * times[tile];
    }
    return Number.NEGATIVE_INFINITY;
  }

  /** Event of the nth value from the newest on among the rows in the record. */
  function lastInRecord(count: number): number {
    const { visibleAt, eventAt, supersededAt } = layouts.events;
    const { columns } = events;
    // The newest so far, newest first. Most rows lie in the order of their events, so that few are newer than one behind them.
    const newest: number[] = [];
    for (let row = events.rows - 1; row >= 0; row--) {
      const event = columns[eventAt][row];
      if (columns[visibleAt][row] > at || event <= start || (newest.length === count && event <= newest[count - 1])) continue;
      if (supersededAt >= 0 && columns[supersededAt][row] <= known) continue;
      if (column >= 0 && Number.isNaN(columns[column][row])) continue;
      const place = newest.findIndex((other) => other < event);
      newest.splice(place < 0 ? newest.length : place, 0, event);
      if (newest.length > count) newest.pop();
    }
    return newest.length < count ? Number.NEGATIVE_INFINITY : newest[count - 1];
  }
}
