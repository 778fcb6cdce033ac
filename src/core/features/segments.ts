import type { Micros } from "../time.ts";
import { type Block, type BlockLayout, type ClassBlocks, type EntityRecord, emptyBlock } from "./entity-record.ts";
import { tileColumn } from "./tile-directory.ts";
import type { ViewRows } from "./view-rows.ts";

/** A tile of an entity, or what its record holds of a block itself, with the rows that have become visible since and fall into it. */
export interface Segment {
  /** Place in the directory; -1 for what is in the record. */
  readonly tile: number;
  readonly fresh: readonly number[];
  /** Whether rows of it are from another attempt at the same increment. */
  readonly isAhead: boolean;
}

/** Rows of a block before, with the texts that they name. */
export interface OldRows {
  readonly block: Block;
  text(code: number): string | null;
}

export const noRows: OldRows = { block: emptyBlock, text: () => null };

export const oldRows = (record: EntityRecord, block: Block): OldRows => ({
  block,
  text: (code) => (Number.isNaN(code) ? null : record.string(code)),
});

const isUntouched = ({ fresh, isAhead }: Segment) => fresh.length === 0 && !isAhead;

/** Whether a tile can stay as it is. What is in the record is always made anew. */
export const staysAsItIs = (segment: Segment): boolean => segment.tile >= 0 && isUntouched(segment);

/** The order of the rows among which the latest is looked for: by event, then by availability, then by place. */
export function sortByEvent(rows: number[], { eventAt, position, classes }: ViewRows, index: number): void {
  const { availableAt } = classes[index];
  if (rows.length > 1)
    rows.sort(
      (one, other) =>
        compare(eventAt[one], eventAt[other]) || compare(availableAt[one], availableAt[other]) || position[one] - position[other],
    );
}

/** By visibility; rows that became visible at once are told apart by their places where functions ask for the first or the last. */
export function sortByVisibility(
  rows: number[],
  { eventAt, position, classes }: ViewRows,
  index: number,
  ordered: boolean,
): void {
  const { visibleAt, availableAt } = classes[index];
  rows.sort(
    (one, other) =>
      visibleAt[one] - visibleAt[other] ||
      (ordered ? eventAt[one] - eventAt[other] || availableAt[one] - availableAt[other] || position[one] - position[other] : 0),
  );
}

/** Subtraction would give NaN for two infinities of one sign. */
const compare = (one: number, other: number) => (one < other ? -1 : one > other ? 1 : 0);

/** The segments of the events, oldest first. @param fresh by visibility */
export function eventSegments(
  { eventTiles }: ClassBlocks,
  fresh: number[],
  visibleAt: Float64Array,
  oldUntil: Micros,
): Segment[] {
  const from = eventTiles.columns[tileColumn.visibleFrom];
  const to = eventTiles.columns[tileColumn.visibleTo];
  const last = eventTiles.rows - 1;
  // A row that became visible together with others comes after them.
  return segments(eventTiles, fresh, oldUntil, (row, tile) => visibleAt[row] < (tile < last ? from[tile + 1] : to[tile]));
}

/** The segments of the latest rows, oldest first. @param fresh by event */
export function latestSegments(
  { latest, latestTiles }: ClassBlocks,
  layout: BlockLayout,
  fresh: number[],
  { eventAt, classes }: ViewRows,
  index: number,
  oldUntil: Micros,
): Segment[] {
  const { availableAt } = classes[index];
  const events = latestTiles.columns[tileColumn.eventFrom];
  const available = latestTiles.columns[tileColumn.availableAt];
  const last = latestTiles.rows - 1;
  const isBefore = (row: number, event: number, at: number) =>
    eventAt[row] < event || (eventAt[row] === event && availableAt[row] < at);
  return segments(latestTiles, fresh, oldUntil, (row, tile) => {
    if (tile < last) return isBefore(row, events[tile + 1], available[tile + 1]);
    if (latest.rows === 0) return eventAt[row] <= latestTiles.columns[tileColumn.eventTo][tile];
    return isBefore(row, latest.columns[layout.eventAt][0], latest.columns[layout.availableAt][0]);
  });
}

/** @param isWithin whether a row that is in no tile before is in this one */
function segments(tiles: Block, fresh: number[], oldUntil: Micros, isWithin: (row: number, tile: number) => boolean): Segment[] {
  // Of a million entities, hardly any has tiles.
  if (tiles.rows === 0) return [{ tile: -1, fresh, isAhead: false }];
  let next = 0;
  const found = Array.from({ length: tiles.rows }, (_, tile): Segment => {
    const first = next;
    while (next < fresh.length && isWithin(fresh[next], tile)) next++;
    return { tile, fresh: fresh.slice(first, next), isAhead: tiles.columns[tileColumn.visibleTo][tile] > oldUntil };
  });
  return [...found, { tile: -1, fresh: fresh.slice(next), isAhead: false }];
}
