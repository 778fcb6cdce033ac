import type { AvailabilityClass } from "./compile-view.ts";
import { featureErrors } from "./errors.ts";

/** Rows in columns, ascending by the first column, which is when a row becomes visible. */
export interface Block {
  readonly rows: number;
  readonly columns: readonly Float64Array[];
}

/** Columns of a block of latest values that come before the features' own. */
export const LATEST_COLUMNS = { visibleAt: 0, eventAt: 1, availableAt: 2, first: 3 } as const;
/** Columns of a block of aggregated rows that come before the expressions' own. */
export const EVENT_COLUMNS = { visibleAt: 0, eventAt: 1, first: 2 } as const;

/**
 * What the online store holds of one entity in one view: per class of availability the rows that were the latest, one after
 * the other, and the rows inside the longest window. String values are positions in the record's own string table.
 */
export interface EntityRecord {
  readonly classes: readonly { readonly latest: Block; readonly events: Block }[];
  string(code: number): string;
}

const FORMAT_VERSION = 1;
const HEADER_WORDS = 4;

type Shape = readonly Pick<AvailabilityClass, "latest" | "expressions" | "aggregates">[];

const latestColumns = ({ latest }: Shape[number]) => (latest.length === 0 ? 0 : LATEST_COLUMNS.first + latest.length);
const eventColumns = ({ aggregates, expressions }: Shape[number]) =>
  aggregates.length === 0 ? 0 : EVENT_COLUMNS.first + expressions.length;

export const emptyBlock: Block = { rows: 0, columns: [] };

/**
 * Layout, little endian: u32 format version, strings, bytes of strings, 0; u32 rows of each block; the blocks'
 * columns as f64; u32 length of each string; the strings in UTF-8.
 */
export function encodeRecord(shape: Shape, classes: EntityRecord["classes"], strings: readonly string[]): Uint8Array {
  const texts = strings.map((text) => Buffer.from(text));
  const textBytes = texts.reduce((bytes, text) => bytes + text.length, 0);
  const headerBytes = headerSize(shape);
  const numbers = classes.reduce(
    (sum, { latest, events }, index) =>
      sum + latest.rows * latestColumns(shape[index]) + events.rows * eventColumns(shape[index]),
    0,
  );
  const bytes = new Uint8Array(headerBytes + 8 * numbers + 4 * texts.length + textBytes);
  const words = new Uint32Array(bytes.buffer, 0, headerBytes / 4);
  words.set([FORMAT_VERSION, texts.length, textBytes, 0]);
  words.set(
    classes.flatMap(({ latest, events }) => [latest.rows, events.rows]),
    HEADER_WORDS,
  );
  const cells = new Float64Array(bytes.buffer, headerBytes, numbers);
  let cell = 0;
  for (const { latest, events } of classes) {
    for (const block of [latest, events]) {
      for (const column of block.columns) {
        cells.set(column.subarray(0, block.rows), cell);
        cell += block.rows;
      }
    }
  }
  let at = headerBytes + 8 * numbers;
  new Uint32Array(bytes.buffer, at, texts.length).set(texts.map((text) => text.length));
  at += 4 * texts.length;
  for (const text of texts) {
    bytes.set(text, at);
    at += text.length;
  }
  return bytes;
}

/** A multiple of 8: four words and two for each class. */
const headerSize = (shape: Shape) => 4 * (HEADER_WORDS + 2 * shape.length);

/**
 * The record over the same bytes, without copying where they are aligned.
 * @throws FEATURE_RECORD_CORRUPT
 */
export function decodeRecord(shape: Shape, bytes: Uint8Array): EntityRecord {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const headerBytes = headerSize(shape);
  if (aligned.length < headerBytes) throw corrupt();
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, headerBytes / 4);
  const [version, strings, textBytes] = words;
  let cells = 0;
  shape.forEach((each, index) => {
    cells += words[HEADER_WORDS + 2 * index] * latestColumns(each) + words[HEADER_WORDS + 2 * index + 1] * eventColumns(each);
  });
  const stringsAt = headerBytes + 8 * cells;
  if (version !== FORMAT_VERSION || aligned.length !== stringsAt + 4 * strings + textBytes) throw corrupt();
  let offset = aligned.byteOffset + headerBytes;
  const block = (rows: number, columns: number): Block => {
    if (rows === 0) return emptyBlock;
    const made = new Array<Float64Array>(columns);
    for (let column = 0; column < columns; column++) {
      made[column] = new Float64Array(aligned.buffer, offset, rows);
      offset += 8 * rows;
    }
    return { rows, columns: made };
  };
  return {
    classes: shape.map((each, index) => ({
      latest: block(words[HEADER_WORDS + 2 * index], latestColumns(each)),
      events: block(words[HEADER_WORDS + 2 * index + 1], eventColumns(each)),
    })),
    string(code) {
      const lengths = new DataView(aligned.buffer, aligned.byteOffset + stringsAt, 4 * strings);
      let start = stringsAt + 4 * strings;
      for (let before = 0; before < code; before++) start += lengths.getUint32(4 * before, true);
      return Buffer.from(aligned.buffer, aligned.byteOffset + start, lengths.getUint32(4 * code, true)).toString("utf8");
    },
  };
}

const corrupt = () => featureErrors.FEATURE_RECORD_CORRUPT("A record of the online store cannot be read");
