import { createReadStream } from "node:fs";
import { DataType, type RecordBatch, RecordBatchReader, Type, type Vector } from "apache-arrow";
import { OrreryError } from "../../core/errors.ts";
import type { Column, ColumnTable } from "../../core/ports/index.ts";
import { arrowErrors } from "./errors.ts";

/**
 * The batches of an Arrow IPC stream or file one after the other; a stream without batches gives one table without rows.
 * @throws ARROW_STREAM_INVALID, ARROW_TYPE_UNSUPPORTED
 */
export async function* readArrow(path: string): AsyncGenerator<ColumnTable> {
  const bytes = createReadStream(path);
  try {
    const reader = await (await RecordBatchReader.from(bytes)).open();
    if (reader.schema === undefined || reader.schema === null) throw arrowErrors.ARROW_STREAM_INVALID("The stream has no schema");
    let batches = 0;
    for await (const batch of reader) {
      batches += 1;
      yield tableOf(batch);
    }
    if (batches > 0) return;
    const columns = reader.schema.fields.map(({ name, type }) => [name, emptyColumn(name, type)] as const);
    yield { rows: 0, columns: new Map(columns) };
  } catch (cause) {
    if (cause instanceof OrreryError) throw cause;
    const why = cause instanceof Error ? cause.message.split("\n", 1)[0] : "";
    throw arrowErrors.ARROW_STREAM_INVALID(`The bytes are no Arrow stream: ${why}`, { cause });
  } finally {
    bytes.destroy();
  }
}

function tableOf(batch: RecordBatch): ColumnTable {
  const columns = batch.schema.fields.map(({ name }, index) => {
    const vector = batch.getChildAt(index);
    if (vector === null) throw arrowErrors.ARROW_STREAM_INVALID(`The column "${name}" has no values`);
    return [name, columnOf(name, vector)] as const;
  });
  return { rows: batch.numRows, columns: new Map(columns) };
}

const unsupported = (name: string, type: DataType) =>
  arrowErrors.ARROW_TYPE_UNSUPPORTED(`The column "${name}" is of the type ${type}`, { details: { column: name } });

function emptyColumn(name: string, type: DataType): Column {
  const kind = kindOf(name, type);
  if (kind === "string") return { type: kind, values: [] };
  if (kind === "int64") return { type: kind, values: new BigInt64Array(0), nulls: null };
  return { type: kind, values: new Float64Array(0), nulls: null };
}

function kindOf(name: string, type: DataType): Column["type"] {
  switch (type.typeId) {
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Null:
      return "string";
    case Type.Bool:
      return "bool";
    case Type.Float:
      return "float64";
    case Type.Date:
    case Type.Timestamp:
      return "timestamp";
    default:
      if (DataType.isInt(type)) return type.bitWidth < 32 || (type.bitWidth === 32 && type.isSigned) ? "int32" : "int64";
      if (DataType.isDictionary(type)) return kindOf(name, type.dictionary);
      throw unsupported(name, type);
  }
}

function columnOf(name: string, vector: Vector): Column {
  const { type, length } = vector;
  const kind = kindOf(name, type);
  if (kind === "string") {
    const values = Array.from({ length }, (_, row): string | null => {
      const value: unknown = vector.get(row);
      return value === null || value === undefined ? null : String(value);
    });
    return { type: kind, values };
  }
  const nulls = nullsOf(vector);
  if (kind === "int64") {
    const values = new BigInt64Array(length);
    for (let row = 0; row < length; row++) if (nulls?.[row] !== 1) values[row] = int64(name, vector.get(row));
    return { type: kind, values, nulls };
  }
  const read = numberOf(kind);
  const values = new Float64Array(length);
  for (let row = 0; row < length; row++) if (nulls?.[row] !== 1) values[row] = read(vector.get(row));
  return { type: kind, values, nulls };
}

function nullsOf(vector: Vector): Uint8Array | null {
  if (vector.nullCount === 0) return null;
  return Uint8Array.from({ length: vector.length }, (_, row) => (vector.get(row) === null ? 1 : 0));
}

function int64(name: string, value: unknown): bigint {
  const integer = BigInt(typeof value === "bigint" ? value : Number(value));
  if (BigInt.asIntN(64, integer) === integer) return integer;
  throw arrowErrors.ARROW_TYPE_UNSUPPORTED(`The column "${name}" has a number of more than 63 bits`, {
    details: { column: name },
  });
}

/** Dates and timestamps come as milliseconds with their fraction, which is exact to the microsecond. */
function numberOf(kind: Column["type"]): (value: unknown) => number {
  if (kind === "bool") return (value) => (value === true ? 1 : 0);
  return kind === "timestamp" ? (value) => Math.round(Number(value) * 1_000) : Number;
}
