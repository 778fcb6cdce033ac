import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import {
  Bool,
  type Data,
  type DataType,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  tableToIPC,
  Utf8,
} from "apache-arrow";
import type { Column, ColumnTable } from "../../core/ports/index.ts";

/** Bytes of the mark that ends a stream. */
const END_BYTES = 8;

/** Writes tables of the same columns to a file as one Arrow IPC stream, a batch for each, holding one of them at a time. */
export const writeArrow = (path: string, tables: AsyncIterable<ColumnTable>): Promise<void> =>
  pipeline(streamOf(tables), createWriteStream(path, { flags: "wx" }));

async function* streamOf(tables: AsyncIterable<ColumnTable>): AsyncGenerator<Uint8Array> {
  let schema: Schema | null = null;
  let head = 0;
  let end = new Uint8Array();
  for await (const table of tables) {
    schema ??= schemaOf(table);
    const batch = batchOf(schema, table);
    // Encoded alone, each batch has the schema before it and an end behind; the stream has them once.
    const bytes = tableToIPC(new Table(schema, [batch]), "stream");
    end = bytes.slice(-END_BYTES);
    if (head === 0) {
      const alone = tableToIPC(new Table(schema), "stream");
      head = alone.length - END_BYTES;
      yield alone.subarray(0, head);
    }
    if (table.rows > 0) yield bytes.subarray(head, -END_BYTES);
  }
  yield end;
}

const TYPES: Readonly<Record<Column["type"], () => DataType>> = {
  float64: () => new Float64(),
  int32: () => new Int32(),
  int64: () => new Int64(),
  bool: () => new Bool(),
  timestamp: () => new TimestampMicrosecond(),
  string: () => new Utf8(),
};

const schemaOf = ({ columns }: ColumnTable): Schema =>
  new Schema([...columns].map(([name, { type }]) => new Field(name, TYPES[type](), true)));

function batchOf(schema: Schema, { rows, columns }: ColumnTable): RecordBatch {
  const children = [...columns.values()].map((column) => dataOf(column, rows));
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children }));
}

function dataOf(column: Column, rows: number): Data {
  if (column.type === "string") return textData(column.values);
  const { type, values, nulls } = column;
  const [nullCount, nullBitmap] = bitmapOf(rows, nulls === null ? null : (row) => nulls[row] === 1);
  const common = { length: rows, nullCount, nullBitmap };
  switch (type) {
    case "float64":
      return makeData({ type: new Float64(), data: values, ...common });
    case "int32":
      return makeData({ type: new Int32(), data: Int32Array.from(values), ...common });
    case "int64":
      return makeData({ type: new Int64(), data: values, ...common });
    case "timestamp":
      return makeData({ type: new TimestampMicrosecond(), data: BigInt64Array.from(values, (at) => BigInt(at)), ...common });
    case "bool":
      return makeData({ type: new Bool(), data: bitmapOf(rows, (row) => values[row] !== 1)[1] ?? new Uint8Array(0), ...common });
  }
}

function textData(values: readonly (string | null)[]): Data {
  const texts = values.map((text) => (text === null ? null : Buffer.from(text)));
  const valueOffsets = new Int32Array(values.length + 1);
  texts.forEach((text, row) => {
    valueOffsets[row + 1] = valueOffsets[row] + (text?.length ?? 0);
  });
  const data = new Uint8Array(valueOffsets[values.length]);
  texts.forEach((text, row) => {
    if (text !== null) data.set(text, valueOffsets[row]);
  });
  const [nullCount, nullBitmap] = bitmapOf(values.length, (row) => texts[row] === null);
  return makeData({ type: new Utf8(), length: values.length, nullCount, nullBitmap, valueOffsets, data });
}

/** How many rows there is nothing in, and a bit for each row in which there is something; no bitmap where that are all. */
function bitmapOf(rows: number, isNone: ((row: number) => boolean) | null): [count: number, bitmap: Uint8Array | null] {
  if (isNone === null) return [0, null];
  const bitmap = new Uint8Array(Math.ceil(rows / 64) * 8);
  let none = 0;
  for (let row = 0; row < rows; row++) {
    if (isNone(row)) none++;
    else bitmap[row >> 3] |= 1 << (row & 7);
  }
  return [none, bitmap];
}
