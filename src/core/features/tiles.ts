import type { OnlineStore } from "../ports/index.ts";
import { Block, type ClassBlocks, type ClassLayout, decodeRecord, type EntityRecord, noColumns } from "./entity-record.ts";
import type { EncodedRecord } from "./entity-writer.ts";
import { tileColumn, tileKey } from "./tile-directory.ts";

export type BlockKind = "latest" | "events";

export interface TileReference {
  readonly id: number;
  /** Which class's. */
  readonly index: number;
  readonly block: BlockKind;
}

/** How a tile of a class's block is laid out: as a record of one class that has only this block. */
export const tileLayouts = ({ latest, events, texts }: ClassLayout, block: BlockKind): readonly [ClassLayout] => [
  { latest: block === "latest" ? latest : noColumns, events: block === "events" ? events : noColumns, texts },
];

/**
 * What the store has to change for an entity to be what was made of it.
 * @param made null where nothing is left of it
 * @param before what it was, whose tiles may not be needed any more
 */
export function recordEntries(
  key: string,
  made: EncodedRecord | null,
  before: EntityRecord | null,
): [key: string, value: Uint8Array | null][] {
  const entries: [string, Uint8Array | null][] = [[key, made?.record ?? null]];
  if (before === null && made?.named.size === 0) return entries;
  for (const [id, bytes] of made?.tiles ?? []) entries.push([tileKey(key, id), bytes]);
  for (const id of before === null ? [] : tileIds(before))
    if (made?.named.has(id) !== true) entries.push([tileKey(key, id), null]);
  return entries;
}

function tileIds({ classes }: EntityRecord): number[] {
  return classes.flatMap(({ latestTiles, eventTiles }) =>
    [latestTiles, eventTiles].flatMap(({ rows, columns }) => (rows === 0 ? [] : [...columns[tileColumn.id]])),
  );
}

export interface TilesOf {
  /** Of the entity. */
  readonly key: string;
  readonly layouts: readonly ClassLayout[];
  readonly tiles: readonly TileReference[];
}

/**
 * Reads tiles of entities, in one round trip. Null for an entity of which one is not there: its record has been written anew meanwhile.
 * @throws FEATURE_RECORD_CORRUPT
 */
export async function readTiles(
  online: OnlineStore,
  wanted: readonly TilesOf[],
): Promise<(ReadonlyMap<number, EntityRecord> | null)[]> {
  const keys = wanted.flatMap(({ key, tiles }) => tiles.map(({ id }) => tileKey(key, id)));
  const found = keys.length === 0 ? [] : await online.getMany(keys);
  let next = 0;
  return wanted.map(({ layouts, tiles }) => {
    const opened = new Map<number, EntityRecord>();
    for (const { id, index, block } of tiles) {
      const bytes = found[next++] ?? null;
      if (bytes !== null) opened.set(id, decodeRecord(tileLayouts(layouts[index], block), bytes));
    }
    return tiles.every(({ id }) => opened.has(id)) ? opened : null;
  });
}

/** The record as if the rows of these tiles lay in it; its directories name the others. */
export function withTiles(
  layouts: readonly ClassLayout[],
  record: EntityRecord,
  tiles: ReadonlyMap<number, EntityRecord>,
): EntityRecord {
  if (tiles.size === 0) return record;
  // One table for all, since different values are counted by their codes.
  const texts: string[] = [];
  const codes = new Map<string, number>();
  const codesOf = (each: EntityRecord) =>
    Float64Array.from({ length: each.strings }, (_, code) => {
      const text = each.string(code);
      const known = codes.get(text) ?? texts.push(text) - 1;
      codes.set(text, known);
      return known;
    });
  const own = codesOf(record);
  const classes = record.classes.map((blocks, index): ClassBlocks => {
    const joined = (block: BlockKind, directory: Block) => {
      const opened = directory.rows === 0 ? [] : [...directory.columns[tileColumn.id]].flatMap((id) => tiles.get(id) ?? []);
      const parts = opened.map((tile) => ({ block: tile.classes[0][block], codes: codesOf(tile) }));
      return joinBlocks(
        [...parts, { block: blocks[block], codes: own }],
        layouts[index][block].columns,
        layouts[index].texts[block],
      );
    };
    return {
      latest: joined("latest", blocks.latestTiles),
      events: joined("events", blocks.eventTiles),
      latestTiles: without(blocks.latestTiles, tiles),
      eventTiles: without(blocks.eventTiles, tiles),
    };
  });
  return { classes, strings: texts.length, string: (code) => texts[code] };
}

/** Blocks one after the other. @param texts columns whose cells are positions among texts; `codes` says what each becomes */
function joinBlocks(
  parts: readonly { readonly block: Block; readonly codes: Float64Array }[],
  columns: number,
  texts: readonly number[],
): Block {
  const filled = parts.filter(({ block }) => block.rows > 0);
  const rows = filled.reduce((sum, { block }) => sum + block.rows, 0);
  const cells = new Float64Array(rows * columns);
  let at = 0;
  for (let column = 0; column < columns; column++) {
    const isText = texts.includes(column);
    for (const { block, codes } of filled) {
      const before = block.columns[column];
      cells.set(isText ? before.map((code) => codes[code] ?? Number.NaN) : before, at);
      at += block.rows;
    }
  }
  return new Block(rows, cells);
}

function without(directory: Block, tiles: ReadonlyMap<number, EntityRecord>): Block {
  if (directory.rows === 0) return directory;
  const ids = directory.columns[tileColumn.id];
  const left: number[] = [];
  for (let tile = 0; tile < directory.rows; tile++) if (!tiles.has(ids[tile])) left.push(tile);
  const cells = new Float64Array(left.length * directory.columns.length);
  directory.columns.forEach((column, place) => {
    for (let tile = 0; tile < left.length; tile++) cells[place * left.length + tile] = column[left[tile]];
  });
  return new Block(left.length, cells);
}
