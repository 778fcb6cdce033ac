import { createHash } from "node:crypto";
import type { Block, BlockLayout } from "./entity-record.ts";
import { type MomentSums, Moments } from "./moments.ts";

/**
 * Of an entity with many rows, the older ones lie in tiles: records of one block under keys of their own, never changed, named by a hash of
 * what is in them. The entity's record holds a directory of them: one row each, with these columns and then, of events, the sums of each
 * expression's values.
 */
export const tileColumn = {
  id: 0,
  rows: 1,
  visibleFrom: 2,
  visibleTo: 3,
  eventFrom: 4,
  eventTo: 5,
  /** Of the first row, in a tile of latest rows. */
  availableAt: 6,
  /** Earliest moment at which one of its rows is superseded; infinite where none is. */
  supersededFrom: 7,
} as const;

const SUMS = 8;
const SUM_COLUMNS = 7;

/** How many rows an entity has in a tile and in its record. */
export interface TileSizes {
  /** Rows of a tile when it is made; late ones make it at most twice as large. */
  readonly tile: number;
  /** Rows that are left in the record when tiles are cut off it. */
  readonly left: number;
  /** So many stay in the record before any are cut off. */
  readonly most: number;
}

/** @param tile rows */
export const tileSizes = (tile = 1_024): TileSizes => ({ tile, left: 2 * tile, most: 4 * tile });

export const directoryColumns = (layout: BlockLayout, sums: boolean): number =>
  layout.columns === 0 ? 0 : SUMS + (sums ? SUM_COLUMNS * layout.values.length : 0);

/** 48 bits of a hash: exact in a double. */
export const tileId = (bytes: Uint8Array): number => createHash("sha256").update(bytes).digest().readUIntBE(0, 6);

/** Key of a tile, which starts with its entity's. */
export const tileKey = (entity: string, id: number): string => `${entity}/${id.toString(16)}`;

/** A tile's row in the directory. */
export function describeTile(id: number, block: Block, layout: BlockLayout, sums: boolean): number[] {
  const { rows, columns } = block;
  const [visibleFrom, visibleTo] = extent(columns[layout.visibleAt]);
  const [eventFrom, eventTo] = extent(columns[layout.eventAt]);
  const availableAt = layout.availableAt < 0 ? Number.NaN : columns[layout.availableAt][0];
  const supersededFrom = layout.supersededAt < 0 ? Number.POSITIVE_INFINITY : extent(columns[layout.supersededAt])[0];
  const row = [id, rows, visibleFrom, visibleTo, eventFrom, eventTo, availableAt, supersededFrom];
  if (!sums) return row;
  for (const at of layout.values) {
    const moments = new Moments(true);
    for (const cell of columns[at]) if (!Number.isNaN(cell)) moments.add(cell);
    const { rows, sum, sumLow, square, squareLow } = moments.sums();
    row.push(rows, sum, sumLow, square, squareLow, ...extent(columns[at]));
  }
  return row;
}

/** Least and greatest of what is not NaN; infinite without any. */
function extent(values: Float64Array): [least: number, greatest: number] {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return [least, greatest];
}

export interface TileSums extends MomentSums {
  readonly least: number;
  readonly greatest: number;
}

/** Sums of an expression's values in a tile; of the rows themselves where `value` is below 0. */
export function tileSums({ columns }: Block, tile: number, value: number): TileSums {
  if (value < 0) {
    const rows = columns[tileColumn.rows][tile];
    return { rows, sum: rows, sumLow: 0, square: rows, squareLow: 0, least: 1, greatest: 1 };
  }
  const first = SUMS + SUM_COLUMNS * value;
  return {
    rows: columns[first][tile],
    sum: columns[first + 1][tile],
    sumLow: columns[first + 2][tile],
    square: columns[first + 3][tile],
    squareLow: columns[first + 4][tile],
    least: columns[first + 5][tile],
    greatest: columns[first + 6][tile],
  };
}

/** A row of the directory as it stands. */
export const directoryRow = ({ columns }: Block, tile: number): number[] => columns.map((column) => column[tile]);
