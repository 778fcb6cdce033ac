import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Column, SqlValue, TableEngine } from "../../src/core/ports/index.ts";

/** One column's values as plain ones, null where the bitmap says so. */
function plain(column: Column | undefined): (SqlValue | undefined)[] {
  if (column === undefined) return [];
  if (column.type === "string") return [...column.values];
  const { nulls } = column;
  const values: SqlValue[] = [...column.values];
  return values.map((value, i) => (nulls?.[i] === 1 ? null : value));
}

/** What every TableEngine does with SQL in DuckDB's dialect. */
export function tableEngineContract(name: string, open: () => Promise<TableEngine>): void {
  describe(`${name} as a table engine`, () => {
    let engine: TableEngine;
    let folder: string;
    beforeAll(async () => {
      engine = await open();
      folder = mkdtempSync(join(tmpdir(), "orrery-tables-"));
    });
    afterAll(() => {
      engine.close();
      rmSync(folder, { recursive: true });
    });
    const column = async (sql: string) => (await engine.query(`SELECT ${sql} AS x`)).columns.get("x");

    test.each<[string, Column["type"], SqlValue]>([
      ["1.5::DOUBLE", "float64", 1.5],
      ["0.5::FLOAT", "float64", 0.5],
      ["1.25::DECIMAL(10, 2)", "float64", 1.25],
      ["-12::HUGEINT", "float64", -12],
      ["4294967295::UINTEGER", "float64", 4_294_967_295],
      ["(-2147483648)::INTEGER", "int32", -2_147_483_648],
      ["-300::SMALLINT", "int32", -300],
      ["65535::USMALLINT", "int32", 65_535],
      ["-7::TINYINT", "int32", -7],
      ["255::UTINYINT", "int32", 255],
      ["true", "bool", 1],
      ["9007199254740993::BIGINT", "int64", 9_007_199_254_740_993n],
      ["'naïve ☃, longer than what is kept in place'", "string", "naïve ☃, longer than what is kept in place"],
      ["'b'::ENUM('a', 'b')", "string", "b"],
      ["TIMESTAMP '2013-01-01 05:00:00.123456'", "timestamp", 1_357_016_400_123_456],
      ["TIMESTAMPTZ '2013-01-01 05:00:00+02'", "timestamp", 1_357_009_200_000_000],
      ["TIMESTAMP '1969-12-31 23:59:59.999999'", "timestamp", -1],
      ["DATE '1960-01-01'", "timestamp", -315_619_200_000_000],
      ["'2013-01-01 00:00:01'::TIMESTAMP_S", "timestamp", 1_356_998_401_000_000],
      ["'2013-01-01 00:00:00.123'::TIMESTAMP_MS", "timestamp", 1_356_998_400_123_000],
      ["'2013-01-01 00:00:00.123456789'::TIMESTAMP_NS", "timestamp", 1_356_998_400_123_456],
      ["[1, 2]", "string", "[1, 2]"],
    ])("reads %s as %s", async (sql, type, value) => {
      const read = await column(sql);
      expect([read?.type, ...plain(read)]).toEqual([type, value]);
      const empty = await engine.query(`SELECT x FROM (SELECT ${sql} AS x) WHERE false`);
      expect([empty.rows, empty.columns.get("x")?.type, empty.columns.get("x")?.values.length]).toEqual([0, type, 0]);
    });

    test("reads timestamps that have no zone as UTC and knows no other zone", async () => {
      expect(await engine.rows("SELECT TIMESTAMP '2013-07-01'::TIMESTAMPTZ AS t, current_setting('TimeZone') AS zone")).toEqual([
        { t: Date.UTC(2013, 6, 1) * 1_000, zone: "UTC" },
      ]);
    });

    test("keeps every value and every null in its place, however many chunks the rows come in", async () => {
      const value = fc.option(fc.integer({ min: -1_000, max: 1_000 }), { freq: 3 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(value, { minLength: 1, maxLength: 70 }),
          fc.integer({ min: 1, max: 120 }),
          async (values, times) => {
            const list = `[${values.map((each) => each ?? "NULL").join(", ")}]::INTEGER[]`;
            const { rows, columns } = await engine.query(
              `SELECT v AS i, v::DOUBLE AS d, v::BIGINT AS b, v::VARCHAR AS s, v > 0 AS t, make_timestamp(v::BIGINT) AS m
             FROM (SELECT (${list})[1 + (range % ${values.length})::INTEGER] AS v, range AS n FROM range(${values.length * times})) ORDER BY n`,
            );
            const expected = Array.from({ length: times }, () => values).flat();
            expect(rows).toBe(expected.length);
            expect(plain(columns.get("i"))).toEqual(expected);
            expect(plain(columns.get("d"))).toEqual(expected);
            expect(plain(columns.get("m"))).toEqual(expected);
            expect(plain(columns.get("b"))).toEqual(expected.map((each) => (each === null ? null : BigInt(each))));
            expect(plain(columns.get("s"))).toEqual(expected.map((each) => (each === null ? null : String(each))));
            expect(plain(columns.get("t"))).toEqual(expected.map((each) => (each === null ? null : Number(each > 0))));
          },
        ),
        { numRuns: 15, seed: 3, examples: [[[1, null, 3], 2_048 / 2]] },
      );
    });

    test("has a bitmap only where something is null, and 0 under each null", async () => {
      const { columns } = await engine.query(
        "SELECT n, CASE WHEN n % 2 = 0 THEN n END AS half, CASE WHEN n % 2 = 0 THEN n::BIGINT END AS big FROM (SELECT range::INTEGER + 1 AS n FROM range(5000))",
      );
      const [all, half, big] = ["n", "half", "big"].map((each) => columns.get(each));
      expect(all).toMatchObject({ nulls: null });
      expect(half?.type !== "string" && half?.nulls?.length).toBe(5_000);
      expect([half?.values[0], half?.values[1], big?.values[0], big?.values[1]]).toEqual([0, 2, 0n, 2n]);
    });

    test("gives rows as objects in which only what a number cannot hold is a bigint", async () => {
      expect(
        await engine.rows(
          "SELECT 1::BIGINT AS a, 9007199254740993 AS b, true AS c, NULL::BIGINT AS d, 'x' AS e, NULL::BOOLEAN AS f, 1.5 AS g",
        ),
      ).toEqual([{ a: 1, b: 9_007_199_254_740_993n, c: true, d: null, e: "x", f: null, g: 1.5 }]);
    });

    test("binds parameters as values, whatever they contain", async () => {
      const nasty = "'); DROP TABLE x; --";
      expect(
        await engine.rows("SELECT $1::VARCHAR AS a, $2::DOUBLE AS b, $3::BIGINT AS c, $4::BOOLEAN AS d, $5::VARCHAR AS e", [
          nasty,
          1.5,
          7n,
          true,
          null,
        ]),
      ).toEqual([{ a: nasty, b: 1.5, c: 7, d: true, e: null }]);
    });

    test("answers questions that are asked at the same time, each with its own answer", async () => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) => engine.rows(`SELECT sum(range + ${i})::BIGINT AS n FROM range(20000)`)),
      );
      expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 12 }, (_, i) => (19_999 * 20_000) / 2 + i * 20_000));
    });

    test("writes and reads Parquet", async () => {
      const path = join(folder, "x.parquet");
      await engine.run(`COPY (SELECT range AS n FROM range(3)) TO '${path}' (FORMAT parquet)`);
      expect(await engine.rows(`SELECT n FROM read_parquet('${path}') ORDER BY n DESC`)).toEqual([{ n: 2 }, { n: 1 }, { n: 0 }]);
    });

    test.each([
      ["SELEC 1", /syntax error/],
      ["SELECT nothing FROM range(1)", /nothing/],
      ["SELECT 'a'::INTEGER", /Could not convert/],
      ["SELECT * FROM nowhere", /nowhere/],
      ["SELECT * FROM read_parquet('/nowhere/x.parquet')", /No files found/],
      ["SELECT * FROM read_parquet('https://example.invalid/x.parquet')", /extension/],
    ])("calls %s a failed query, in one line, and goes on", async (sql, message) => {
      const ways: (() => Promise<unknown>)[] = [() => engine.query(sql), () => engine.rows(sql), () => engine.run(sql)];
      for (const ask of ways) {
        const error = await ask().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "TABLE_QUERY_FAILED", kind: "invalid", message: expect.stringMatching(message) });
        expect(error instanceof Error && error.message.includes("\n")).toBe(false);
      }
      expect(await engine.rows("SELECT 1 AS x")).toEqual([{ x: 1 }]);
    });

    test("gives a statement with parameters the values of each time it is asked, also at once and after a failure", async () => {
      const ask = (value: SqlValue) => engine.rows("SELECT CAST($1 AS INTEGER) + 1 AS x", [value]);
      expect(await Promise.all(["1", "2", "3"].map(ask))).toEqual([[{ x: 2 }], [{ x: 3 }], [{ x: 4 }]]);
      await expect(ask("many")).rejects.toMatchObject({ code: "TABLE_QUERY_FAILED" });
      expect(await ask(7)).toEqual([{ x: 8 }]);
      expect(await ask(null)).toEqual([{ x: null }]);
      await engine.run("CREATE TABLE changing (n INTEGER)");
      const counted = () => engine.rows("SELECT count(*) AS n FROM changing WHERE n > $1", [0]);
      expect(await counted()).toEqual([{ n: 0 }]);
      await engine.run("INSERT INTO changing VALUES (1), (2)");
      expect(await counted()).toEqual([{ n: 2 }]);
      await engine.run("CREATE OR REPLACE TABLE changing AS SELECT 5::DOUBLE AS n");
      expect(await counted()).toEqual([{ n: 1 }]);
      for (let other = 0; other < 100; other++)
        expect(await engine.rows(`SELECT $1 + ${other} AS x`, [1])).toEqual([{ x: 1 + other }]);
      expect(await ask("41")).toEqual([{ x: 42 }]);
    });

    describe("streams", () => {
      const read = async (sql: string, most = Number.POSITIVE_INFINITY) => {
        const tables: number[] = [];
        const numbers: number[] = [];
        for await (const { rows, columns } of engine.stream(sql)) {
          tables.push(rows);
          numbers.push(...plain(columns.get("n")).map(Number));
          if (tables.length >= most) break;
        }
        return { tables, numbers };
      };

      test("a result in several tables, in the statement's order and with its nulls", async () => {
        const sql = "SELECT CASE WHEN range % 7 = 0 THEN NULL ELSE range END AS n FROM range(100000)";
        const { tables, numbers } = await read(sql);
        expect(tables.length).toBeGreaterThan(1);
        expect(Math.max(...tables)).toBeLessThan(100_000);
        expect(numbers).toEqual(plain((await engine.query(sql)).columns.get("n")).map(Number));
      });

      test("rows of a file in the file's order, while other statements run", async () => {
        const path = join(folder, "streamed.parquet");
        await engine.run(
          `COPY (SELECT (range * 7919) % 300007 AS n FROM range(300007)) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 20480)`,
        );
        const numbers: number[] = [];
        for await (const { columns } of engine.stream(`SELECT n FROM read_parquet('${path}')`)) {
          numbers.push(...plain(columns.get("n")).map(Number));
          expect(await engine.rows("SELECT 1 AS x")).toEqual([{ x: 1 }]);
        }
        expect(numbers.every((number, row) => number === (row * 7919) % 300_007)).toBe(true);
        expect(numbers.length).toBe(300_007);
      });

      test("as far as it is wanted, nothing of an empty result, and says what is wrong with a statement", async () => {
        expect(await read("SELECT range AS n FROM range(1000000)", 1)).toMatchObject({ tables: { length: 1 } });
        expect(await read("SELECT range AS n FROM range(10) WHERE range > 10")).toEqual({ tables: [], numbers: [] });
        await expect(read("SELECT nothing AS n FROM range(10)")).rejects.toMatchObject({ code: "TABLE_QUERY_FAILED" });
        await expect(read("SELECT error('at row ' || range) AS n FROM range(100000)")).rejects.toMatchObject({
          code: "TABLE_QUERY_FAILED",
        });
        expect(await engine.rows("SELECT 1 AS x")).toEqual([{ x: 1 }]);
      });
    });

    test.each(["empty", "torn", "no-magic", "flipped"])("calls a Parquet file that is %s corrupt", async (damage) => {
      const path = join(folder, `${damage}.parquet`);
      await engine.run(`COPY (SELECT range AS n, 'text ' || range AS s FROM range(5000)) TO '${path}' (FORMAT parquet)`);
      const bytes = readFileSync(path);
      if (damage === "no-magic") bytes.fill(0x20, bytes.length - 4);
      if (damage === "flipped") bytes.fill(0xff, 10, 400);
      const kept = { empty: 0, torn: bytes.length / 2 }[damage] ?? bytes.length;
      // Under a new name: the engine may remember a file that it wrote itself.
      writeFileSync(`${path}.damaged`, bytes.subarray(0, kept));
      await expect(engine.rows(`SELECT max(n) AS n, max(s) AS s FROM read_parquet('${path}.damaged')`)).rejects.toMatchObject({
        code: "TABLE_FILE_CORRUPT",
        kind: "invalid",
      });
    });
  });
}
