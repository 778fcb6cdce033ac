import type { Micros } from "../time.ts";
import { chooseEvents, chooseLatest } from "./choose-rows.ts";
import type { CompiledView } from "./compile-view.ts";
import {
  type Block,
  type ClassBlocks,
  type ClassLayout,
  decodeRecord,
  type EntityRecord,
  emptyBlock,
  RecordEncoder,
} from "./entity-record.ts";
import { featureErrors } from "./errors.ts";
import {
  eventSegments,
  latestSegments,
  noRows,
  type OldRows,
  oldRows,
  type Segment,
  sortByEvent,
  sortByVisibility,
  staysAsItIs,
} from "./segments.ts";
import { describeTile, directoryColumns, directoryRow, type TileSizes, tileColumn, tileId, tileSizes } from "./tile-directory.ts";
import { type BlockKind, type TileReference, tileLayouts } from "./tiles.ts";
import type { ViewRows } from "./view-rows.ts";

/** What an increment begins with. */
export interface Since {
  readonly record: EntityRecord;
  /** Rows that became visible later are not taken from the record: another attempt at the same increment wrote them. */
  readonly until: Micros;
  /** Tiles that `tilesToOpen` names, by id. */
  readonly tiles: ReadonlyMap<number, EntityRecord>;
}

export interface EncodedRecord {
  readonly record: Uint8Array;
  /** Tiles that are new. */
  readonly tiles: ReadonlyMap<number, Uint8Array>;
  /** Ids of all of its tiles; others than these are its no more. */
  readonly named: ReadonlySet<number>;
}

/** A class's tiles while a record is made. */
interface Directories {
  readonly latest: number[][];
  readonly events: number[][];
}

/** Makes the records of entities from their rows in a view's source. */
export class EntityWriter {
  readonly #view: CompiledView;
  readonly #layouts: readonly ClassLayout[];
  readonly #source: ViewRows;
  readonly #sizes: TileSizes;
  readonly #encoder = new RecordEncoder();
  readonly #tileEncoder = new RecordEncoder();
  #tiles = new Map<number, Uint8Array>();

  constructor(view: CompiledView, layouts: readonly ClassLayout[], source: ViewRows, sizes = tileSizes()) {
    this.#view = view;
    this.#layouts = layouts;
    this.#source = source;
    this.#sizes = sizes;
  }

  /** The tiles of a record before into which rows fall. @param rows as `encode` takes them; they are put into another order */
  tilesToOpen(rows: readonly number[][], { record, until }: Omit<Since, "tiles">): TileReference[] {
    return this.#layouts.flatMap((_, index) => {
      const blocks = record.classes[index];
      const opened = (block: BlockKind, segments: readonly Segment[]) =>
        segments.flatMap((segment): TileReference[] => {
          if (segment.tile < 0 || staysAsItIs(segment)) return [];
          const directory = block === "latest" ? blocks.latestTiles : blocks.eventTiles;
          return [{ id: directory.columns[tileColumn.id][segment.tile], index, block }];
        });
      return [
        ...(blocks.latestTiles.rows === 0 ? [] : opened("latest", this.#latestSegments(index, blocks, rows[index], until))),
        ...(blocks.eventTiles.rows === 0 ? [] : opened("events", this.#eventSegments(index, blocks, rows[index], until))),
      ];
    });
  }

  /**
   * @param rows of each class the entity's rows that became visible, in order of visibility; they are put into another order
   * @param keepFrom reads at this time and later stay exact; what only earlier ones need is dropped
   */
  encode(rows: readonly number[][], before: Since | null, keepFrom: Micros): EncodedRecord {
    const strings = new StringTable();
    this.#encoder.begin();
    const directories = this.#layouts.map(({ latest, events }, index): Directories => {
      const made: Directories = { latest: [], events: [] };
      if (latest.columns === 0) this.#encoder.block(0, 0);
      else this.#latest(index, rows[index], before, keepFrom, strings, made);
      if (events.columns === 0) this.#encoder.block(0, 0);
      else this.#events(index, rows[index], before, keepFrom, strings, made);
      return made;
    });
    const isTiled = directories.some(({ latest, events }) => latest.length + events.length > 0);
    if (!isTiled) return { record: this.#encoder.end(strings.texts), tiles: NO_TILES, named: NO_NAMES };
    const named = new Set<number>();
    directories.forEach(({ latest, events }, index) => {
      this.#directory(latest, directoryColumns(this.#layouts[index].latest, false));
      this.#directory(events, directoryColumns(this.#layouts[index].events, true));
      for (const row of [...latest, ...events]) named.add(row[tileColumn.id]);
    });
    const tiles = this.#tiles;
    this.#tiles = new Map();
    return { record: this.#encoder.end(strings.texts, true), tiles, named };
  }

  #latestSegments(index: number, blocks: ClassBlocks, fresh: number[], oldUntil: Micros): Segment[] {
    sortByEvent(fresh, this.#source, index);
    return latestSegments(blocks, this.#layouts[index].latest, fresh, this.#source, index, oldUntil);
  }

  #eventSegments(index: number, blocks: ClassBlocks, fresh: number[], oldUntil: Micros): Segment[] {
    sortByVisibility(fresh, this.#source, index, this.#layouts[index].events.availableAt >= 0);
    return eventSegments(blocks, fresh, this.#source.classes[index].visibleAt, oldUntil);
  }

  /** From the newest segment to the oldest, since what is ahead says what is seen behind it. */
  #latest(
    index: number,
    fresh: number[],
    before: Since | null,
    keepFrom: Micros,
    strings: StringTable,
    { latest: directory }: Directories,
  ): void {
    const layout = this.#layouts[index].latest;
    const blocks = before?.record.classes[index] ?? NO_BLOCKS;
    const oldUntil = before?.until ?? Number.NEGATIVE_INFINITY;
    let trueForEverFrom = Number.POSITIVE_INFINITY;
    for (const segment of this.#latestSegments(index, blocks, fresh, oldUntil).reverse()) {
      if (staysAsItIs(segment)) {
        // Behind a row that has been true for ever since before any read, none is seen.
        if (trueForEverFrom > keepFrom) directory.unshift(directoryRow(blocks.latestTiles, segment.tile));
        continue;
      }
      const old = rowsOf(segment, before, blocks.latest, blocks.latestTiles, "latest");
      const choice = { old: old.block, oldUntil, fresh: segment.fresh, source: this.#source, index, layout, keepFrom };
      const chosen = chooseLatest(choice, trueForEverFrom);
      trueForEverFrom = chosen.trueForEverFrom;
      const [tiles, left] = this.#cut(chosen.rows, segment);
      directory.unshift(...tiles.map((rows) => this.#tile("latest", index, old, rows)));
      if (segment.tile < 0) this.#write(this.#encoder, strings, "latest", index, old, left);
    }
  }

  #events(
    index: number,
    fresh: number[],
    before: Since | null,
    keepFrom: Micros,
    strings: StringTable,
    { events: directory }: Directories,
  ): void {
    const layout = this.#layouts[index].events;
    const blocks = before?.record.classes[index] ?? NO_BLOCKS;
    const oldUntil = before?.until ?? Number.NEGATIVE_INFINITY;
    const oldest = keepFrom - Math.max(...this.#view.classes[index].aggregates.map(({ window }) => window));
    for (const segment of this.#eventSegments(index, blocks, fresh, oldUntil)) {
      if (staysAsItIs(segment)) {
        if (blocks.eventTiles.columns[tileColumn.eventTo][segment.tile] > oldest)
          directory.push(directoryRow(blocks.eventTiles, segment.tile));
        continue;
      }
      const old = rowsOf(segment, before, blocks.events, blocks.eventTiles, "events");
      const choice = { old: old.block, oldUntil, fresh: segment.fresh, source: this.#source, index, layout, keepFrom };
      const [tiles, left] = this.#cut(chooseEvents(choice, oldest), segment);
      for (const rows of tiles) directory.push(this.#tile("events", index, old, rows));
      if (segment.tile < 0) this.#write(this.#encoder, strings, "events", index, old, left);
    }
  }

  /** The rows of tiles, and, of what is in the record, those that stay there. */
  #cut(rows: readonly number[], { tile }: Segment): [tiles: (readonly number[])[], left: readonly number[]] {
    const { tile: size, left, most } = this.#sizes;
    const isRecord = tile < 0;
    if (rows.length === 0 || (isRecord && rows.length <= most)) return [[], rows];
    if (!isRecord && rows.length <= 2 * size) return [[rows], []];
    const tiles: (readonly number[])[] = [];
    let first = 0;
    for (; rows.length - first >= size + (isRecord ? left : size); first += size) tiles.push(rows.slice(first, first + size));
    const rest = rows.slice(first);
    if (!isRecord) tiles.push(rest);
    return [tiles, isRecord ? rest : []];
  }

  /** Makes a tile. @returns its row in the directory */
  #tile(block: BlockKind, index: number, old: OldRows, rows: readonly number[]): number[] {
    const strings = new StringTable();
    const layouts = tileLayouts(this.#layouts[index], block);
    this.#tileEncoder.begin();
    if (block === "events") this.#tileEncoder.block(0, 0);
    this.#write(this.#tileEncoder, strings, block, index, old, rows);
    if (block === "latest") this.#tileEncoder.block(0, 0);
    const bytes = this.#tileEncoder.end(strings.texts);
    const id = tileId(bytes);
    this.#tiles.set(id, bytes);
    return describeTile(id, decodeRecord(layouts, bytes).classes[0][block], this.#layouts[index][block], block === "events");
  }

  /** A block with the rows' times and values. */
  #write(
    encoder: RecordEncoder,
    strings: StringTable,
    block: BlockKind,
    index: number,
    old: OldRows,
    rows: readonly number[],
  ): void {
    const layout = this.#layouts[index][block];
    const { eventAt, supersededAt } = this.#source;
    const { visibleAt, availableAt, latest, expressions } = this.#source.classes[index];
    const count = rows.length;
    const start = encoder.block(count, layout.columns);
    const target = encoder.cells;
    const before = old.block;
    const cells = (at: number, fresh: Float64Array | null, none = Number.NaN): void => {
      if (at < 0) return;
      const from = start + at * count;
      for (let place = 0; place < count; place++) {
        const row = rows[place];
        target[from + place] = row < before.rows ? before.columns[at][row] : fresh === null ? none : fresh[row - before.rows];
      }
    };
    const codes = (at: number, freshText: (row: number) => string | null): void => {
      const from = start + at * count;
      for (let place = 0; place < count; place++) {
        const row = rows[place];
        const text = row < before.rows ? old.text(before.columns[at][row]) : freshText(row - before.rows);
        target[from + place] = text === null ? Number.NaN : strings.code(text);
      }
    };
    cells(layout.visibleAt, visibleAt);
    cells(layout.eventAt, eventAt);
    cells(layout.availableAt, availableAt);
    cells(layout.supersededAt, supersededAt);
    layout.values.forEach((at, value) => {
      if (block === "events") {
        const { values, texts } = expressions[value];
        if (texts === null) cells(at, values);
        else codes(at, (row) => (Number.isNaN(values[row]) ? null : texts[values[row]]));
        return;
      }
      const array = latest[value];
      if (array.type === "string") {
        codes(at, (row) => array.values[row]);
        return;
      }
      cells(at, array.values);
      if (array.type === "int64") cells(at + 1, array.rest ?? null, 0);
    });
  }

  #directory(rows: readonly number[][], columns: number): void {
    const start = this.#encoder.block(rows.length, columns);
    const { cells } = this.#encoder;
    rows.forEach((row, place) => {
      row.forEach((cell, column) => {
        cells[start + column * rows.length + place] = cell;
      });
    });
  }
}

const NO_TILES: ReadonlyMap<number, Uint8Array> = new Map();
const NO_NAMES: ReadonlySet<number> = new Set();
const NO_BLOCKS: ClassBlocks = { latest: emptyBlock, events: emptyBlock, latestTiles: emptyBlock, eventTiles: emptyBlock };

/** What a segment held before. */
function rowsOf({ tile }: Segment, before: Since | null, own: Block, directory: Block, block: BlockKind): OldRows {
  if (before === null) return noRows;
  if (tile < 0) return oldRows(before.record, own);
  const opened = before.tiles.get(directory.columns[tileColumn.id][tile]);
  if (opened === undefined) throw featureErrors.FEATURE_RECORD_CORRUPT("A tile of an entity is named but not there");
  return oldRows(opened, opened.classes[0][block]);
}

/** The texts of a record: each once. */
class StringTable {
  readonly texts: string[] = [];
  #codes: Map<string, number> | null = null;

  code(text: string): number {
    this.#codes ??= new Map();
    const code = this.#codes.get(text) ?? this.texts.push(text) - 1;
    this.#codes.set(text, code);
    return code;
  }
}
