import type { AvailabilityClass } from "./compile-view.ts";
import { featureErrors } from "./errors.ts";
import { directoryColumns } from "./tile-directory.ts";

/** Rows in columns. */
export class Block {
  readonly rows: number;
  /** Of one column after the other: that of a row stands at column times rows and row. */
  readonly cells: Float64Array;
  #columns: readonly Float64Array[] | null = null;

  constructor(rows: number, cells: Float64Array) {
    this.rows = rows;
    this.cells = cells;
  }

  /** Made for who asks for them: of a single row, they take longer than reading it. */
  get columns(): readonly Float64Array[] {
    const { rows, cells } = this;
    this.#columns ??= Array.from({ length: rows === 0 ? 0 : cells.length / rows }, (_, column) =>
      cells.subarray(column * rows, (column + 1) * rows),
    );
    return this.#columns;
  }
}

/** Where the columns of a block stand; -1 for one that it does not have. */
export interface BlockLayout {
  readonly visibleAt: 0;
  readonly eventAt: 1;
  readonly availableAt: number;
  /** NaN is never. A time later than the view's last materialization is not known yet. */
  readonly supersededAt: number;
  /** First column of each latest feature or expression. An int64 feature has a second one, with what a double of it lacks. */
  readonly values: readonly number[];
  readonly columns: number;
}

/** What decides which columns a record has. */
export interface RecordShape {
  readonly classes: readonly Pick<AvailabilityClass, "latest" | "expressions" | "aggregates">[];
  /** Whether rows can have later versions. */
  readonly versions: boolean;
}

/** Layouts of each class's two blocks. */
export interface ClassLayout {
  readonly latest: BlockLayout;
  readonly events: BlockLayout;
  /** Columns of which are texts, by their place in the block. */
  readonly texts: { readonly latest: readonly number[]; readonly events: readonly number[] };
}

export const recordLayout = ({ classes, versions }: RecordShape): ClassLayout[] =>
  classes.map(({ latest, expressions, aggregates }) => {
    const widths = latest.map(({ type }) => (type === "int64" ? 2 : 1));
    const ordered = aggregates.some(({ fn }) => fn === "first" || fn === "last");
    const latestLayout = latest.length === 0 ? noColumns : blockLayout(true, versions, widths);
    const eventLayout =
      aggregates.length === 0
        ? noColumns
        : blockLayout(
            ordered,
            versions,
            expressions.map(() => 1),
          );
    return {
      latest: latestLayout,
      events: eventLayout,
      texts: {
        latest: latestLayout.values.filter((_, feature) => latest[feature].type === "string"),
        events: eventLayout.values.filter((_, value) => expressions[value].text),
      },
    };
  });

export const noColumns: BlockLayout = { visibleAt: 0, eventAt: 1, availableAt: -1, supersededAt: -1, values: [], columns: 0 };

function blockLayout(availableAt: boolean, versions: boolean, widths: readonly number[]): BlockLayout {
  let next = 2;
  const place = (there: boolean) => (there ? next++ : -1);
  const times = { visibleAt: 0, eventAt: 1, availableAt: place(availableAt), supersededAt: place(versions) } as const;
  const values = widths.map((width) => {
    next += width;
    return next - width;
  });
  return { ...times, values, columns: next };
}

/** Of one class. The older rows of an entity that has many lie in tiles of their own, of which there is one row each in a directory. */
export interface ClassBlocks {
  readonly latest: Block;
  readonly events: Block;
  readonly latestTiles: Block;
  readonly eventTiles: Block;
}

/**
 * What the online store holds of one entity in one view: per class of availability the rows that were the latest, each
 * ahead of the one before it, and the rows inside the longest window. String values are positions in the record's own string table.
 */
export interface EntityRecord {
  readonly classes: readonly ClassBlocks[];
  /** How many texts there are. */
  readonly strings: number;
  string(code: number): string;
}

const FORMAT_VERSION = 2;
/** Of a record with directories of tiles. */
const TILED_FORMAT_VERSION = 3;
const HEADER_WORDS = 4;

export const emptyBlock = new Block(0, new Float64Array(0));

const PAGE_BYTES = 1 << 20;

/**
 * Makes records one after the other: `begin`, `block` for each class's two in turn with all of its `cells`, then, of a tiled record, for
 * each class's two directories, `end`. Records lie side by side in large pages, since an allocation for each column of each costs more
 * than all else.
 *
 * Layout, little endian: u32 format version (3 with directories, else 2), strings, bytes of strings, 0; u32 rows of each block; the blocks'
 * columns as f64; u32 length of each string; the strings in UTF-8.
 */
export class RecordEncoder {
  /** Of the record that is being made: blocks one after the other, each column after column. */
  cells = new Float64Array(1_024);
  readonly #rows: number[] = [];
  #count = 0;
  #page = new ArrayBuffer(0);
  #used = 0;

  begin(): void {
    this.#rows.length = 0;
    this.#count = 0;
  }

  /** Where the cells of a further block begin; `cells` may be another array afterwards. */
  block(rows: number, columns: number): number {
    const start = this.#count;
    this.#rows.push(rows);
    this.#count += rows * columns;
    if (this.#count > this.cells.length) {
      const longer = new Float64Array(2 * this.#count);
      longer.set(this.cells);
      this.cells = longer;
    }
    return start;
  }

  end(strings: readonly string[], tiled = false): Uint8Array {
    const texts = strings.map((text) => Buffer.from(text));
    const textBytes = texts.reduce((bytes, text) => bytes + text.length, 0);
    const headerBytes = 4 * (HEADER_WORDS + this.#rows.length);
    const size = headerBytes + 8 * this.#count + 4 * texts.length + textBytes;
    const start = this.#room(size);
    const words = new Uint32Array(this.#page, start, headerBytes / 4);
    words[0] = tiled ? TILED_FORMAT_VERSION : FORMAT_VERSION;
    words[1] = texts.length;
    words[2] = textBytes;
    words[3] = 0;
    for (let block = 0; block < this.#rows.length; block++) words[HEADER_WORDS + block] = this.#rows[block];
    new Float64Array(this.#page, start + headerBytes, this.#count).set(this.cells.subarray(0, this.#count));
    const bytes = new Uint8Array(this.#page, start, size);
    if (texts.length === 0) return bytes;
    let at = headerBytes + 8 * this.#count;
    new Uint32Array(this.#page, start + at, texts.length).set(texts.map((text) => text.length));
    at += 4 * texts.length;
    for (const text of texts) {
      bytes.set(text, at);
      at += text.length;
    }
    return bytes;
  }

  /** Where so many bytes are free in the page. */
  #room(size: number): number {
    if (this.#used + size > this.#page.byteLength) {
      this.#page = new ArrayBuffer(Math.max(PAGE_BYTES, size));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += (size + 7) & ~7;
    return start;
  }
}

/** Whether older rows of the entity lie in tiles. */
export const isTiled = (record: Uint8Array): boolean => record[0] === TILED_FORMAT_VERSION;

/**
 * The record over the same bytes, without copying where they are aligned.
 * @throws FEATURE_RECORD_CORRUPT
 */
export function decodeRecord(layouts: readonly ClassLayout[], bytes: Uint8Array): EntityRecord {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const tiled = isTiled(aligned);
  const blocks = (tiled ? 4 : 2) * layouts.length;
  // A multiple of 8: four words, and two or four for each class.
  const headerBytes = 4 * (HEADER_WORDS + blocks);
  if (aligned.length < headerBytes) throw corrupt();
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, headerBytes / 4);
  const [version, strings, textBytes] = words;
  const rowsOf = (block: number) => words[HEADER_WORDS + block];
  const firstDirectory = 2 * layouts.length;
  let cells = 0;
  layouts.forEach(({ latest, events }, index) => {
    cells += rowsOf(2 * index) * latest.columns + rowsOf(2 * index + 1) * events.columns;
    if (!tiled) return;
    const directory = firstDirectory + 2 * index;
    cells += rowsOf(directory) * directoryColumns(latest, false) + rowsOf(directory + 1) * directoryColumns(events, true);
  });
  const stringsAt = headerBytes + 8 * cells;
  if (version !== (tiled ? TILED_FORMAT_VERSION : FORMAT_VERSION) || aligned.length !== stringsAt + 4 * strings + textBytes)
    throw corrupt();
  let offset = aligned.byteOffset + headerBytes;
  const block = (rows: number, columns: number): Block => {
    if (rows === 0) return emptyBlock;
    const cells = new Float64Array(aligned.buffer, offset, rows * columns);
    offset += cells.byteLength;
    return new Block(rows, cells);
  };
  let starts: Uint32Array | null = null;
  const rows = layouts.map(({ latest, events }, index) => ({
    latest: block(rowsOf(2 * index), latest.columns),
    events: block(rowsOf(2 * index + 1), events.columns),
    latestTiles: emptyBlock,
    eventTiles: emptyBlock,
  }));
  return {
    classes: !tiled
      ? rows
      : layouts.map(({ latest, events }, index) => ({
          ...rows[index],
          latestTiles: block(rowsOf(firstDirectory + 2 * index), directoryColumns(latest, false)),
          eventTiles: block(rowsOf(firstDirectory + 2 * index + 1), directoryColumns(events, true)),
        })),
    strings,
    string(code) {
      starts ??= textStarts(new DataView(aligned.buffer, aligned.byteOffset + stringsAt, 4 * strings), stringsAt + 4 * strings);
      return Buffer.from(aligned.buffer, aligned.byteOffset + starts[code], starts[code + 1] - starts[code]).toString("utf8");
    },
  };
}

/** Where each text begins, and where the last one ends, from their lengths. */
function textStarts(lengths: DataView, first: number): Uint32Array {
  const starts = new Uint32Array(lengths.byteLength / 4 + 1);
  starts[0] = first;
  for (let text = 0; text + 1 < starts.length; text++) starts[text + 1] = starts[text] + lengths.getUint32(4 * text, true);
  return starts;
}

const corrupt = () => featureErrors.FEATURE_RECORD_CORRUPT("A record of the online store cannot be read");
