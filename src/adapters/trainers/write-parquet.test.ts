import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TableEngine } from "../../core/ports/index.ts";
import { openDuckDb } from "../tables/duckdb.ts";
import { NumberTooLarge, type ParquetColumn, writeParquet } from "./write-parquet.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-parquet-"));
const path = join(folder, "it's.parquet");
let engine: TableEngine;
beforeAll(async () => {
  engine = await openDuckDb();
});
afterAll(() => {
  engine.close();
  rmSync(folder, { recursive: true });
});

const read = async () => await engine.query("SELECT * FROM read_parquet(?)", [path]);
const valuesOf = async (name: string) => {
  const column = (await read()).columns.get(name);
  if (column === undefined || column.type === "string" || column.type === "int64") throw new Error(`no numbers in ${name}`);
  return column.values;
};

describe("a Parquet file of columns", () => {
  test("holds every row once and in order, whatever number of chunks they make", async () => {
    for (const rows of [1, 2_047, 2_048, 2_049, 10_000]) {
      const values = Float64Array.from({ length: rows }, (_, row) => row);
      await writeParquet(path, rows, [{ name: "x", type: "float64", values }]);
      expect(await valuesOf("x")).toEqual(values);
    }
  });

  test("holds numbers as float32 rounds them, and NaN as NaN, not as null", async () => {
    const number = fc.oneof(fc.float({ noDefaultInfinity: true }), fc.double({ min: -3e38, max: 3e38 }), fc.constant(1e-60));
    const numbers = Float64Array.from(fc.sample(number, { seed: 1, numRuns: 5_000 }));
    expect(numbers.some(Number.isNaN)).toBe(true);
    await writeParquet(path, numbers.length, [{ name: "x", type: "float32", values: numbers }]);
    expect(await valuesOf("x")).toEqual(numbers.map(Math.fround));
    expect((await read()).columns.get("x")).toMatchObject({ nulls: null });
  });

  test("keeps types and any name", async () => {
    const columns: ParquetColumn[] = [
      { name: "carrier = 'UA'", type: "float32", values: Float64Array.of(1, 0) },
      { name: 'a "quoted" name', type: "int32", values: Uint8Array.of(0, 255) },
      { name: "größe, [m]", type: "float64", values: Float64Array.of(0.1, 1e300) },
    ];
    await writeParquet(path, 2, columns);
    const described = await engine.rows("SELECT name, type FROM parquet_schema(?) WHERE type IS NOT NULL", [path]);
    expect(described.map(({ name, type }) => [name, type])).toEqual([
      ["carrier = 'UA'", "FLOAT"],
      ['a "quoted" name', "INT32"],
      ["größe, [m]", "DOUBLE"],
    ]);
    expect(await valuesOf("größe, [m]")).toEqual(Float64Array.of(0.1, 1e300));
    expect(await valuesOf('a "quoted" name')).toEqual(Float64Array.of(0, 255));
  });

  test.each([1e39, -1e39, Number.POSITIVE_INFINITY])("refuses %d as a float32, and says where it is", async (value) => {
    const values = new Float64Array(5_000);
    values[4_321] = value;
    const refused = writeParquet(path, 5_000, [{ name: "x", type: "float32", values }]);
    await expect(refused).rejects.toEqual(new NumberTooLarge("x", 4_321, value));
  });
});
