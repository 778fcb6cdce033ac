import { closeSync, openSync, writeSync } from "node:fs";
import type { ColumnType } from "../definitions/index.ts";
import type { ColumnTable } from "../ports/index.ts";
import { type FeatureArray, featureArray } from "./view-rows.ts";

/**
 * Hands columns that were made here to an engine that reads files: plain, uncompressed Parquet with optional columns, NaN
 * and null alike as null. Format: https://parquet.apache.org/docs/file-format/ (metadata in Thrift's compact protocol).
 */
export function writeParquet(path: string, rows: number, columns: ReadonlyMap<string, FeatureArray>): void {
  const file = openSync(path, "wx");
  try {
    let at = 0;
    const write = (bytes: Uint8Array) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      at += bytes.length;
    };
    write(MAGIC);
    const groups: Group[] = [];
    for (let start = 0; start < rows; start += GROUP_ROWS) {
      const end = Math.min(rows, start + GROUP_ROWS);
      const chunks: Chunk[] = [];
      for (const [name, column] of columns) {
        const page = encodePage(column, start, end);
        const header = pageHeader(end - start, page.length);
        chunks.push({ name, type: column.type, offset: at, bytes: header.length + page.length });
        write(header);
        write(page);
      }
      groups.push({ rows: end - start, chunks });
    }
    const footer = fileMetadata(rows, columns, groups);
    write(footer);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(footer.length);
    write(length);
    write(MAGIC);
  } finally {
    closeSync(file);
  }
}

/** The same of a table; its columns are what they are there. */
export const writeTable = (path: string, { rows, columns }: ColumnTable): void =>
  writeParquet(path, rows, new Map([...columns].map(([name, column]) => [name, featureArray(column, column.type, name)])));

const MAGIC = Buffer.from("PAR1");
/** Rows of a row group: the unit that a reader's threads share. */
const GROUP_ROWS = 100_000;

interface Chunk {
  readonly name: string;
  readonly type: ColumnType;
  readonly offset: number;
  readonly bytes: number;
}

interface Group {
  readonly rows: number;
  readonly chunks: readonly Chunk[];
}

/** Parquet's physical types by number. */
const PHYSICAL: Readonly<Record<ColumnType, number>> = { bool: 0, int32: 1, int64: 2, timestamp: 2, float64: 5, string: 6 };
const PLAIN = 0;
const RLE = 3;
const OPTIONAL = 1;

/** Definition levels (one bit a row: is there a value), then the values that are there. */
function encodePage(column: FeatureArray, start: number, end: number): Uint8Array {
  const rows = end - start;
  const bitmap = new Uint8Array(Math.ceil(rows / 8));
  let present = 0;
  for (let row = 0; row < rows; row++) {
    const value = column.values[start + row];
    if (value === null || Number.isNaN(value)) continue;
    bitmap[row >> 3] |= 1 << (row & 7);
    present++;
  }
  const run = varint((bitmap.length << 1) | 1);
  const levels = Buffer.alloc(4);
  levels.writeUInt32LE(run.length + bitmap.length);
  const values = column.type === "string" ? encodeTexts(column.values, start, end) : encodeNumbers(column, start, end, present);
  return Buffer.concat([levels, run, bitmap, values]);
}

function encodeTexts(values: readonly (string | null)[], start: number, end: number): Uint8Array {
  const present = values.slice(start, end).filter((text) => text !== null);
  const bytes = Buffer.allocUnsafe(present.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0));
  let at = 0;
  for (const text of present) {
    const length = bytes.write(text, at + 4);
    bytes.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return bytes;
}

function encodeNumbers(
  column: Exclude<FeatureArray, { type: "string" }>,
  start: number,
  end: number,
  present: number,
): Uint8Array {
  const { type, values } = column;
  const rest = column.type === "int64" ? column.rest : undefined;
  if (type === "bool") {
    const bits = new Uint8Array(Math.ceil(present / 8));
    let at = 0;
    for (let row = start; row < end; row++) {
      if (Number.isNaN(values[row])) continue;
      if (values[row] === 1) bits[at >> 3] |= 1 << (at & 7);
      at++;
    }
    return bits;
  }
  let at = 0;
  if (rest !== undefined) {
    const integers = new BigInt64Array(present);
    for (let row = start; row < end; row++)
      if (!Number.isNaN(values[row])) integers[at++] = BigInt(values[row]) + BigInt(rest[row]);
    return new Uint8Array(integers.buffer);
  }
  if (type === "int64" || type === "timestamp") {
    const words = new Int32Array(2 * present);
    for (let row = start; row < end; row++) {
      const value = values[row];
      if (Number.isNaN(value)) continue;
      const high = Math.floor(value / 2 ** 32);
      words[at++] = value - high * 2 ** 32;
      words[at++] = high;
    }
    return new Uint8Array(words.buffer);
  }
  const cells = type === "int32" ? new Int32Array(present) : new Float64Array(present);
  for (let row = start; row < end; row++) if (!Number.isNaN(values[row])) cells[at++] = values[row];
  return new Uint8Array(cells.buffer);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      bytes.push(rest);
      return Buffer.from(bytes);
    }
    bytes.push((rest % 128) + 128);
  }
}

/** Fields of a Thrift struct: type code and encoded value by field number, ascending. */
type Field = readonly [id: number, type: number, value: Buffer];
const THRIFT = { false: 2, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

function struct(fields: readonly Field[]): Buffer {
  let last = 0;
  const parts = fields.flatMap(([id, type, value]) => {
    const head = Buffer.from([((id - last) << 4) | type]);
    last = id;
    return [head, value];
  });
  return Buffer.concat([...parts, Buffer.from([0])]);
}

/** Lengths and offsets are never negative: zigzag doubles them. */
const number = (value: number) => varint(value * 2);
const i32 = (id: number, value: number): Field => [id, THRIFT.i32, number(value)];
const i64 = (id: number, value: number): Field => [id, THRIFT.i64, number(value)];
const text = (value: string) => Buffer.concat([varint(Buffer.byteLength(value)), Buffer.from(value)]);
const nested = (id: number, fields: readonly Field[]): Field => [id, THRIFT.struct, struct(fields)];
const list = (id: number, type: number, items: readonly Buffer[]): Field => {
  const head =
    items.length < 15
      ? Buffer.from([(items.length << 4) | type])
      : Buffer.concat([Buffer.from([0xf0 | type]), varint(items.length)]);
  return [id, THRIFT.list, Buffer.concat([head, ...items])];
};

const pageHeader = (rows: number, bytes: number): Buffer =>
  struct([i32(1, 0), i32(2, bytes), i32(3, bytes), nested(5, [i32(1, rows), i32(2, PLAIN), i32(3, RLE), i32(4, RLE)])]);

function fileMetadata(rows: number, columns: ReadonlyMap<string, FeatureArray>, groups: readonly Group[]): Buffer {
  const root = struct([[4, THRIFT.binary, text("columns")], i32(5, columns.size)]);
  const elements = [...columns].map(([name, { type }]) =>
    struct([i32(1, PHYSICAL[type]), i32(3, OPTIONAL), [4, THRIFT.binary, text(name)], ...logicalType(type)]),
  );
  const rowGroups = groups.map((group) =>
    struct([
      list(
        1,
        THRIFT.struct,
        group.chunks.map((chunk) => columnChunk(chunk, group.rows)),
      ),
      i64(
        2,
        group.chunks.reduce((sum, { bytes }) => sum + bytes, 0),
      ),
      i64(3, group.rows),
    ]),
  );
  return struct([i32(1, 1), list(2, THRIFT.struct, [root, ...elements]), i64(3, rows), list(4, THRIFT.struct, rowGroups)]);
}

function logicalType(type: ColumnType): Field[] {
  if (type === "string") return [i32(6, 0)];
  if (type !== "timestamp") return [];
  // TIMESTAMP (8) not adjusted to UTC, in microseconds: DuckDB's TIMESTAMP without a zone.
  return [nested(10, [nested(8, [[1, THRIFT.false, Buffer.alloc(0)], nested(2, [nested(2, [])])])])];
}

const columnChunk = ({ name, type, offset, bytes }: Chunk, rows: number): Buffer =>
  struct([
    i64(2, offset),
    nested(3, [
      i32(1, PHYSICAL[type]),
      list(2, THRIFT.i32, [number(PLAIN), number(RLE)]),
      list(3, THRIFT.binary, [text(name)]),
      i32(4, 0),
      i64(5, rows),
      i64(6, bytes),
      i64(7, bytes),
      i64(9, offset),
    ]),
  ]);
