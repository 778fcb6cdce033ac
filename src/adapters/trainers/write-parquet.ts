import { DOUBLE, DuckDBInstance, DuckDBTableFunction, type DuckDBType, FLOAT, INTEGER } from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";

/** Rows that DuckDB takes at once. */
const CHUNK = 2_048;
/** Beyond it a float32 is infinite. */
const LARGEST_FLOAT = 3.4028234663852886e38;

export interface ParquetColumn {
  readonly name: string;
  readonly type: "float32" | "float64" | "int32";
  /** As many as the file has rows. */
  readonly values: ArrayLike<number> & { subarray(start: number, end: number): ArrayLike<number> };
}

/** A number that a float32 cannot hold, which `writeParquet` refuses. */
export class NumberTooLarge extends Error {
  readonly column: string;
  readonly row: number;
  readonly value: number;

  constructor(column: string, row: number, value: number) {
    super(`row ${row} of ${column} holds ${value}`);
    this.column = column;
    this.row = row;
    this.value = value;
  }
}

/**
 * Writes columns as a Parquet file (zstd), reading them where they lie: DuckDB asks for 2,048 rows at a time, so that the memory
 * this takes does not grow with the rows. NaN stays NaN. Column names are written as they are and must differ in more than case.
 * @throws NumberTooLarge
 */
export async function writeParquet(path: string, rows: number, columns: readonly ParquetColumn[]): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2", autoinstall_known_extensions: "false" });
  const connection = await instance.connect();
  let refused: NumberTooLarge | null = null;
  let at = 0;
  const writers = columns.map(columnWriter);
  try {
    connection.registerTableFunction(
      DuckDBTableFunction.create({
        name: "training_rows",
        bindFunction: (bind) => {
          for (const { name, type } of columns) bind.addResultColumn(name, TYPES[type]);
          bind.setCardinality(rows, true);
        },
        initFunction: () => undefined,
        mainFunction: (call, chunk) => {
          const count = Math.min(CHUNK, rows - at);
          chunk.rowCount = count;
          try {
            for (const [index, write] of writers.entries()) write(duckdb.data_chunk_get_vector(chunk.chunk, index), at, count);
          } catch (error) {
            if (error instanceof NumberTooLarge) refused = error;
            call.setError(String(error));
          }
          at += count;
        },
      }),
    );
    await connection.run(
      `COPY (SELECT * FROM training_rows()) TO '${path.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`,
    );
  } catch (error) {
    throw refused ?? error;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const TYPES: Readonly<Record<ParquetColumn["type"], DuckDBType>> = { float32: FLOAT, float64: DOUBLE, int32: INTEGER };

/** Copies rows of one column into a vector of DuckDB, by way of a buffer of the file's type. */
function columnWriter({ name, type, values }: ParquetColumn): (vector: duckdb.Vector, start: number, count: number) => void {
  const buffer =
    type === "float32" ? new Float32Array(CHUNK) : type === "float64" ? new Float64Array(CHUNK) : new Int32Array(CHUNK);
  return (vector, start, count) => {
    const slice = values.subarray(start, start + count);
    if (type === "float32") requireFloats(name, slice, start);
    buffer.set(slice);
    duckdb.copy_data_to_vector(vector, 0, buffer.buffer, 0, count * buffer.BYTES_PER_ELEMENT);
  };
}

function requireFloats(name: string, values: ArrayLike<number>, start: number): void {
  for (let i = 0; i < values.length; i++)
    if (Math.abs(values[i]) > LARGEST_FLOAT) throw new NumberTooLarge(name, start + i, values[i]);
}
