import { mkdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  DuckDBTypeId,
  type DuckDBValue,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import { defineErrors, type OrreryError } from "../../core/errors.ts";
import type { Column, ColumnTable, SqlValue, TableEngine } from "../../core/ports/index.ts";
import { parseTimestamp } from "../../core/time.ts";

export const tableErrors = defineErrors({
  TABLE_QUERY_FAILED: {
    kind: "invalid",
    hint: "Check the expression against the source's columns; `orrery check` does so without running anything.",
  },
  TABLE_FILE_CORRUPT: { kind: "invalid", hint: "The file is damaged or not what its name says; deliver it again." },
  TABLE_DISK_FULL: {
    kind: "unavailable",
    hint: "Free space on the disk of the state folder and run it again; nothing was half written.",
  },
  TABLE_FILE_DENIED: { kind: "denied", hint: "Give the user that runs Orrery the right to read and write there." },
  TABLE_OUT_OF_MEMORY: { kind: "unavailable", hint: "Raise the engine's memory limit, or work on fewer rows." },
});

export interface DuckDbOptions {
  /** What one process may take, as DuckDB reads it. Its own default is most of the machine, for every process. */
  memoryLimit?: string;
  threads?: number;
  /** Where results spill, for this engine alone; made when needed. Default: a folder among the system's temporary files. */
  tempDirectory?: string;
}

/** Opens DuckDB in memory, over files: a database file would shut every other process out. */
export async function openDuckDb(options: DuckDbOptions = {}): Promise<TableEngine> {
  // Its own default is ".tmp" in whatever folder the process happens to run.
  const tempDirectory = options.tempDirectory ?? join(tmpdir(), `orrery-duckdb-${process.pid}-${++opened}`);
  mkdirSync(dirname(tempDirectory), { recursive: true });
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: options.memoryLimit ?? "1GB",
    threads: String(options.threads ?? 2),
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    temp_directory: tempDirectory,
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone='UTC'");
  return new DuckDbTableEngine(instance, connection, tempDirectory);
}

/** About so many rows of a stream at once: enough for typed arrays to pay, few enough to stay in the processor's cache. */
const STREAMED_ROWS = 32_768;

/** Statements with parameters that stay planned. */
const KEPT_STATEMENTS = 64;

/** Engines this process has opened: two of them must not spill into one folder. */
let opened = 0;

class DuckDbTableEngine implements TableEngine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #tempDirectory: string;
  /** Statements with parameters, planned and idle: planning one takes longer than executing it over a few rows. */
  readonly #idle = new Map<string, DuckDBPreparedStatement>();

  constructor(instance: DuckDBInstance, connection: DuckDBConnection, tempDirectory: string) {
    this.#instance = instance;
    this.#connection = connection;
    this.#tempDirectory = tempDirectory;
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<ColumnTable> {
    const result = await this.#execute(sql, params);
    const chunks = await this.#fetch(result);
    const rows = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
    const columns = new Map<string, Column>();
    result.columnNames().forEach((name, i) => {
      columns.set(name, readColumn(chunks, i, result.columnTypeId(i), rows));
    });
    return { rows, columns };
  }

  async *stream(sql: string): AsyncGenerator<ColumnTable> {
    // A statement on the same connection would end the stream.
    const connection = await this.#instance.connect();
    let coming: Promise<DuckDBDataChunk | null> = Promise.resolve(null);
    try {
      await connection.run("SET TimeZone='UTC'");
      const result = await connection.stream(sql);
      const names = result.columnNames();
      coming = result.fetchChunk();
      for (let more = true; more; ) {
        const chunks: DuckDBDataChunk[] = [];
        let rows = 0;
        while (more && rows < STREAMED_ROWS) {
          const chunk = await coming;
          more = chunk !== null && chunk.rowCount > 0;
          if (chunk === null || !more) break;
          chunks.push(chunk);
          rows += chunk.rowCount;
          // DuckDB reads on while this table is looked at.
          coming = result.fetchChunk();
        }
        const columns = names.map((name, i) => [name, readColumn(chunks, i, result.columnTypeId(i), rows)] as const);
        if (rows > 0) yield { rows, columns: new Map(columns) };
      }
    } catch (error) {
      throw translate(error);
    } finally {
      await coming.catch(() => null);
      connection.closeSync();
    }
  }

  async rows(sql: string, params: readonly SqlValue[] = []): Promise<Record<string, SqlValue>[]> {
    const { rows, columns } = await this.query(sql, params);
    const read = [...columns].map(([name, column]) => [name, reader(column)] as const);
    return Array.from({ length: rows }, (_, row) => Object.fromEntries(read.map(([name, value]) => [name, value(row)])));
  }

  async run(sql: string, params: readonly SqlValue[] = []): Promise<void> {
    await this.#execute(sql, params);
  }

  close(): void {
    for (const statement of this.#idle.values()) statement.destroySync();
    this.#idle.clear();
    this.#connection.closeSync();
    this.#instance.closeSync();
    try {
      // DuckDB deletes its own files; whatever else is in there belongs to others and stays.
      rmdirSync(this.#tempDirectory);
    } catch {}
  }

  async #execute(sql: string, params: readonly SqlValue[]): Promise<DuckDBResult> {
    try {
      return params.length === 0 ? await this.#connection.run(sql) : await this.#executePrepared(sql, params);
    } catch (error) {
      throw translate(error);
    }
  }

  async #executePrepared(sql: string, params: readonly SqlValue[]): Promise<DuckDBResult> {
    const idle = this.#idle.get(sql);
    // Whoever else asks for it meanwhile plans one of their own.
    this.#idle.delete(sql);
    const statement = idle ?? (await this.#connection.prepare(sql));
    try {
      statement.bind([...params]);
      return await statement.run();
    } finally {
      statement.clearBindings();
      this.#keep(sql, statement);
    }
  }

  /** The ones that were used last. */
  #keep(sql: string, statement: DuckDBPreparedStatement): void {
    this.#idle.get(sql)?.destroySync();
    this.#idle.set(sql, statement);
    const [oldest] = this.#idle;
    if (oldest === undefined || this.#idle.size <= KEPT_STATEMENTS) return;
    oldest[1].destroySync();
    this.#idle.delete(oldest[0]);
  }

  async #fetch(result: DuckDBResult): Promise<DuckDBDataChunk[]> {
    try {
      return await result.fetchAllChunks();
    } catch (error) {
      throw translate(error);
    }
  }
}

/** DuckDB's message, cut to its first line, under our code. */
function translate(error: unknown): OrreryError {
  const text = error instanceof Error ? error.message : String(error);
  const message = (text.split("\n", 1)[0] ?? text).replace(/^(\w+ ){1,4}Error: /, "");
  for (const [pattern, code] of MEANINGS) if (pattern.test(text)) return tableErrors[code](message, { cause: error });
  return tableErrors.TABLE_QUERY_FAILED(message, { cause: error });
}

/** DuckDB has classes of errors but no codes for what matters here; the first that fits. */
const MEANINGS: readonly (readonly [RegExp, keyof typeof tableErrors])[] = [
  [/No space left|disk is full|File too large|Disk quota|failed to offload/i, "TABLE_DISK_FULL"],
  [/^Out of Memory/i, "TABLE_OUT_OF_MEMORY"],
  [/^IO Error.*(Permission denied|Read-only file system)/is, "TABLE_FILE_DENIED"],
  [/No files found/i, "TABLE_QUERY_FAILED"],
  [
    /magic bytes|TProtocolException|too small to be a Parquet|corrupt|Failed to read (Parquet )?file|footer length|ZSTD|Snappy|decompress|Failed to deserialize|don't know what type/i,
    "TABLE_FILE_CORRUPT",
  ],
];

interface Fixed {
  readonly type: "float64" | "int32" | "bool" | "timestamp";
  readonly bytes: number;
  /** Copies one chunk's values into the column. */
  copy(target: Float64Array, at: number, data: Uint8Array, rows: number): void;
}

type NumericView = Float64Array | Float32Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array;

const plain = (type: Fixed["type"], bytes: number, view: (data: Uint8Array, rows: number) => NumericView): Fixed => ({
  type,
  bytes,
  copy: (target, at, data, rows) => target.set(view(data, rows), at),
});

/** int64 microseconds as two 32-bit halves: exact to 2^53 and without a bigint for each value. */
const micros = (factor: number): Fixed => ({
  type: "timestamp",
  bytes: 8,
  copy(target, at, data, rows) {
    const low = new Uint32Array(data.buffer, data.byteOffset, rows * 2);
    const high = new Int32Array(data.buffer, data.byteOffset, rows * 2);
    for (let i = 0; i < rows; i++) target[at + i] = (high[2 * i + 1] * 4_294_967_296 + low[2 * i]) * factor;
  },
});

const FIXED: ReadonlyMap<DuckDBTypeId, Fixed> = new Map([
  [DuckDBTypeId.DOUBLE, plain("float64", 8, (d, n) => new Float64Array(d.buffer, d.byteOffset, n))],
  [DuckDBTypeId.FLOAT, plain("float64", 4, (d, n) => new Float32Array(d.buffer, d.byteOffset, n))],
  [DuckDBTypeId.INTEGER, plain("int32", 4, (d, n) => new Int32Array(d.buffer, d.byteOffset, n))],
  [DuckDBTypeId.UINTEGER, plain("float64", 4, (d, n) => new Uint32Array(d.buffer, d.byteOffset, n))],
  [DuckDBTypeId.SMALLINT, plain("int32", 2, (d, n) => new Int16Array(d.buffer, d.byteOffset, n))],
  [DuckDBTypeId.USMALLINT, plain("int32", 2, (d, n) => new Uint16Array(d.buffer, d.byteOffset, n))],
  [DuckDBTypeId.TINYINT, plain("int32", 1, (d, n) => new Int8Array(d.buffer, d.byteOffset, n))],
  [DuckDBTypeId.UTINYINT, plain("int32", 1, (d, n) => new Uint8Array(d.buffer, d.byteOffset, n))],
  [DuckDBTypeId.BOOLEAN, plain("bool", 1, (d, n) => new Uint8Array(d.buffer, d.byteOffset, n))],
  [DuckDBTypeId.TIMESTAMP, micros(1)],
  [DuckDBTypeId.TIMESTAMP_TZ, micros(1)],
  [DuckDBTypeId.TIMESTAMP_MS, micros(1_000)],
  [DuckDBTypeId.TIMESTAMP_S, micros(1_000_000)],
  [
    DuckDBTypeId.DATE,
    {
      type: "timestamp",
      bytes: 4,
      copy(target, at, data, rows) {
        const days = new Int32Array(data.buffer, data.byteOffset, rows);
        for (let i = 0; i < rows; i++) target[at + i] = days[i] * 86_400_000_000;
      },
    },
  ],
]);

/** Numbers without a typed array of their own: read as doubles, since features and figures are. */
const WIDE = new Set([DuckDBTypeId.DECIMAL, DuckDBTypeId.HUGEINT, DuckDBTypeId.UHUGEINT, DuckDBTypeId.UBIGINT]);

function readColumn(chunks: readonly DuckDBDataChunk[], index: number, typeId: DuckDBTypeId, rows: number): Column {
  const fixed = FIXED.get(typeId);
  if (fixed !== undefined) return readFixed(chunks, index, fixed, rows);
  if (typeId === DuckDBTypeId.BIGINT) return readInt64(chunks, index, rows);
  const values: DuckDBValue[] = [];
  for (const chunk of chunks) for (const value of chunk.getColumnValues(index)) values.push(value);
  if (WIDE.has(typeId)) return readNumbers(values, (value) => Number(String(value)), "float64");
  if (typeId === DuckDBTypeId.TIMESTAMP_NS) return readNumbers(values, (value) => nanosToMicros(String(value)), "timestamp");
  return { type: "string", values: values.map((value) => (value === null ? null : String(value))) };
}

function readFixed(chunks: readonly DuckDBDataChunk[], index: number, fixed: Fixed, rows: number): Column {
  const values = new Float64Array(rows);
  const nulls = new NullBitmap(rows);
  let at = 0;
  for (const { chunk, rowCount } of chunks) {
    const vector = duckdb.data_chunk_get_vector(chunk, index);
    fixed.copy(values, at, duckdb.vector_get_data(vector, rowCount * fixed.bytes), rowCount);
    nulls.read(vector, at, rowCount);
    at += rowCount;
  }
  nulls.clear(values);
  return { type: fixed.type, values, nulls: nulls.bits };
}

function readInt64(chunks: readonly DuckDBDataChunk[], index: number, rows: number): Column {
  const values = new BigInt64Array(rows);
  const nulls = new NullBitmap(rows);
  let at = 0;
  for (const { chunk, rowCount } of chunks) {
    const vector = duckdb.data_chunk_get_vector(chunk, index);
    const data = duckdb.vector_get_data(vector, rowCount * 8);
    values.set(new BigInt64Array(data.buffer, data.byteOffset, rowCount), at);
    nulls.read(vector, at, rowCount);
    at += rowCount;
  }
  if (nulls.bits !== null) for (let i = 0; i < rows; i++) if (nulls.bits[i] === 1) values[i] = 0n;
  return { type: "int64", values, nulls: nulls.bits };
}

/** One byte a row, and none at all where nothing is null. */
class NullBitmap {
  bits: Uint8Array | null = null;
  readonly #rows: number;

  constructor(rows: number) {
    this.#rows = rows;
  }

  /** DuckDB's validity: 64-bit words, bit set where there is a value. */
  read(vector: duckdb.Vector, at: number, rows: number): void {
    const validity = duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8);
    if (!validity) return;
    for (let i = 0; i < rows; i++) {
      if (((validity[i >> 3] >> (i & 7)) & 1) === 1) continue;
      this.bits ??= new Uint8Array(this.#rows);
      this.bits[at + i] = 1;
    }
  }

  /** What lies under a null is not defined; make it 0. */
  clear(values: Float64Array): void {
    if (this.bits === null) return;
    for (let i = 0; i < values.length; i++) if (this.bits[i] === 1) values[i] = 0;
  }
}

function readNumbers(
  values: readonly DuckDBValue[],
  read: (value: DuckDBValue) => number,
  type: "float64" | "timestamp",
): Column {
  const nulls = Uint8Array.from(values, (value) => (value === null ? 1 : 0));
  return {
    type,
    values: Float64Array.from(values, (value) => (value === null ? 0 : read(value))),
    nulls: nulls.includes(1) ? nulls : null,
  };
}

/** What is finer than a microsecond is cut. */
const nanosToMicros = (text: string) => parseTimestamp(`${text.slice(0, 26)}Z`);

function reader(column: Column): (row: number) => SqlValue {
  if (column.type === "string") return (row) => column.values[row] ?? null;
  const { nulls } = column;
  const isNull = (row: number) => nulls !== null && nulls[row] === 1;
  if (column.type === "int64") {
    return (row) => {
      const value = column.values[row];
      if (isNull(row)) return null;
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    };
  }
  if (column.type === "bool") return (row) => (isNull(row) ? null : column.values[row] === 1);
  return (row) => (isNull(row) ? null : column.values[row]);
}
