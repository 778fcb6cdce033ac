/** A column as training wants it: numbers in one typed array, with a bitmap of nulls only where there are any. */
export type Column =
  | {
      readonly type: "float64" | "int32" | "bool" | "timestamp";
      readonly values: Float64Array;
      readonly nulls: Uint8Array | null;
    }
  | { readonly type: "int64"; readonly values: BigInt64Array; readonly nulls: Uint8Array | null }
  | { readonly type: "string"; readonly values: readonly (string | null)[] };

/** Rows in columns. `nulls[i] === 1` means row i is null (its value is 0). Timestamps are microseconds UTC. */
export interface ColumnTable {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Column>;
}

export type SqlValue = string | number | bigint | boolean | null;

/** SQL over files in columns (DuckDB embedded). One instance a process, in memory, with a memory and thread limit. */
export interface TableEngine {
  /** Whole result in columns; for anything that can be large. */
  query(sql: string, params?: readonly SqlValue[]): Promise<ColumnTable>;
  /**
   * Result in tables of some ten thousand rows each, in the order that the statement gives (rows of one file in the file's), while the
   * rest is still being read: for what does not fit into memory. Other statements may run meanwhile; temporary tables are not seen.
   */
  stream(sql: string): AsyncIterable<ColumnTable>;
  /** Result as objects; for results of a few thousand rows at most. int64 beyond 2^53 stays a bigint; timestamps are Micros. */
  rows(sql: string, params?: readonly SqlValue[]): Promise<Record<string, SqlValue>[]>;
  /** A statement without a result (COPY, CREATE). */
  run(sql: string, params?: readonly SqlValue[]): Promise<void>;
  close(): void;
}
