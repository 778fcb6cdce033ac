import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quoteLiteral } from "../data/index.ts";
import { writeParquet } from "./parquet-columns.ts";
import { openWorkbench, type Workbench } from "./test-support/snapshots.ts";
import { type FeatureArray, featureArray, integerArray, valueAt } from "./view-rows.ts";

let bench: Workbench;
let files = 0;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

async function roundTrip(rows: number, columns: ReadonlyMap<string, FeatureArray>) {
  const path = join(bench.tmpDirectory, `columns-${++files}.parquet`);
  writeParquet(path, rows, columns);
  const read = await bench.engine.query(`SELECT * FROM read_parquet(${quoteLiteral(path)})`);
  return new Map(
    [...read.columns].map(([name, column]) => [name, featureArray(column, columns.get(name)?.type ?? "string", name)] as const),
  );
}

test("DuckDB reads back every type with its nulls", async () => {
  const number = (value: fc.Arbitrary<number>) =>
    fc.array(fc.option(value, { nil: Number.NaN }), { minLength: 40, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      number(fc.double({ noNaN: true })),
      number(fc.integer()),
      number(fc.maxSafeInteger()),
      number(fc.constantFrom(0, 1)),
      number(fc.integer({ min: -(10 ** 15), max: 10 ** 16 })),
      fc.array(fc.option(fc.string({ unit: "grapheme" }), { nil: null }), { minLength: 40, maxLength: 40 }),
      fc.integer({ min: 0, max: 40 }),
      async (doubles, integers, longs, flags, times, texts, rows) => {
        const columns = new Map<string, FeatureArray>([
          ['double "quoted"', { type: "float64", values: Float64Array.from(doubles.slice(0, rows)) }],
          ["int", { type: "int32", values: Float64Array.from(integers.slice(0, rows)) }],
          ["long", { type: "int64", values: Float64Array.from(longs.slice(0, rows)) }],
          ["flag", { type: "bool", values: Float64Array.from(flags.slice(0, rows)) }],
          ["time", { type: "timestamp", values: Float64Array.from(times.slice(0, rows)) }],
          ["text", { type: "string", values: texts.slice(0, rows) }],
        ]);
        expect(await roundTrip(rows, columns)).toEqual(columns);
      },
    ),
    { numRuns: 30 },
  );
});

test("integers of 64 bits keep all of them", async () => {
  const some = fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(some, async (integers) => {
      const column = integerArray(integers.length, (row) => integers[row]);
      const read = await roundTrip(integers.length, new Map([["n", column]]));
      const found = integers.map((_, row) => valueAt(read.get("n") ?? column, row));
      expect(found.map((value) => (value === null ? null : BigInt(String(value))))).toEqual(integers);
    }),
    { numRuns: 20, examples: [[[2n ** 63n - 1n, null, -(2n ** 63n), 2n ** 53n + 1n]]] },
  );
});

test("more rows than one row group holds, and more columns than a short list does", async () => {
  const values = Float64Array.from({ length: 250_001 }, (_, row) => (row % 7 === 0 ? Number.NaN : row - 100_000));
  const columns = new Map<string, FeatureArray>(
    Array.from({ length: 20 }, (_, index) => [`c${index}`, { type: "int32", values }]),
  );
  const read = await roundTrip(values.length, columns);
  expect(read.size).toBe(20);
  expect(read.get("c19")).toEqual({ type: "int32", values });
});
