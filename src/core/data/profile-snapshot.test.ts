import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { type ColumnProfile, profileSnapshot } from "./index.ts";

let room: DataRoom;
beforeAll(async () => {
  room = await openDataRoom();
});
afterAll(() => room.close());

const profile = (query: string, columns: Parameters<typeof profileSnapshot>[2]) =>
  profileSnapshot(room.engine, `(${query})`, columns);
async function column(query: string, contract: Parameters<typeof profileSnapshot>[2][string]): Promise<ColumnProfile> {
  const [only] = (await profile(query, { x: contract })).columns;
  if (only === undefined) throw new Error("no profile");
  return only;
}

describe("a profile", () => {
  test("has the moments, quantiles and bins of the whole numbers 0 to 100, from their formulas", async () => {
    const x = await column("SELECT range::INTEGER AS x FROM range(101)", { type: "int32" });
    expect(x).toMatchObject({ nulls: 0, min: 0, max: 100, mean: 50 });
    // The sample variance of n successive integers is n (n + 1) / 12.
    expect(x.std).toBeCloseTo(Math.sqrt((101 * 102) / 12), 9);
    // With 101 values the linear quantile q is the value 100 q itself.
    expect(x.quantiles).toEqual({ p01: 1, p05: 5, p25: 25, p50: 50, p75: 75, p95: 95, p99: 99 });
    const { edges = [], counts = [] } = x.histogram ?? {};
    expect([edges.length, counts.length, edges[0], edges[20]]).toEqual([21, 20, 1, 99]);
    const inBin = (b: number) =>
      Array.from({ length: 101 }, (_, v) => v).filter((v) => Math.min(19, Math.max(0, Math.floor((v - 1) / 4.9))) === b).length;
    expect(counts).toEqual(counts.map((_, b) => inBin(b)));
    expect(counts.reduce((a, b) => a + b)).toBe(101);
  });

  test("counts different values approximately, but never more than there are values", async () => {
    for (const size of [50, 101, 300, 1_000, 5_000]) {
      const x = await column(`SELECT range::VARCHAR AS x FROM range(${size}) UNION ALL SELECT NULL FROM range(70)`, {
        type: "string",
      });
      expect(x.distinct).toBeLessThanOrEqual(size);
      expect(x.distinct).toBeGreaterThan(0.8 * size);
    }
  });

  test("leaves nulls and what is not finite out of figures, and counts nulls", async () => {
    const x = await column("SELECT unnest([1, 3, NULL, 'NaN'::DOUBLE, 'inf'::DOUBLE]) AS x", { type: "float64" });
    expect(x).toMatchObject({ nulls: 1, min: 1, mean: 2, quantiles: { p50: 2 } });
  });

  test("does not let one wild value squeeze the others into a bin", async () => {
    const x = await column("SELECT CASE WHEN range = 0 THEN 1e9 ELSE range::DOUBLE END AS x FROM range(1000)", {
      type: "float64",
    });
    expect(x.histogram?.counts.filter((n) => n === 0)).toEqual([]);
  });

  test("lists the most frequent values, equal ones in order, at most ten, without nulls", async () => {
    const x = await column("SELECT chr(97 + (range % 15)::INTEGER) AS x FROM range(31) UNION ALL SELECT NULL FROM range(99)", {
      type: "string",
    });
    expect(x.top[0]).toEqual({ value: "a", count: 3 });
    expect(x.top.slice(1).map(({ value }) => value)).toEqual([..."bcdefghij"]);
    expect(x).toMatchObject({ nulls: 99, min: "a", max: "o", mean: null, quantiles: null, histogram: null });
  });

  test("gives timestamps as text, booleans their counts, and 64-bit integers theirs exactly", async () => {
    const { columns } = await profile(
      "SELECT unnest([TIMESTAMP '2020-01-01', TIMESTAMP '2021-01-01 00:00:00.5']) AS t, unnest([true, true]) AS b, unnest([9007199254740993, 1]) AS n",
      { t: { type: "timestamp" }, b: { type: "bool" }, n: { type: "int64" } },
    );
    expect(columns.map(({ min, max }) => [min, max])).toEqual([
      ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00.500Z"],
      ["true", "true"],
      [1, "9007199254740993"],
    ]);
    expect(columns[1]?.top).toEqual([{ value: "true", count: 2 }]);
  });

  test("shows no value of a personal column, only counts", async () => {
    const x = await column("SELECT range::INTEGER AS x FROM range(101)", { type: "int32", personal: true });
    expect(x).toMatchObject({ nulls: 0, min: null, max: null, mean: null, std: null, quantiles: null, histogram: null, top: [] });
    expect(x.distinct).toBeGreaterThan(90);
  });

  test("cuts texts of megabytes short", async () => {
    const x = await column("SELECT unnest([repeat('x', 3000000), repeat('x', 3000000)]) AS x", { type: "string" });
    expect([x.min, x.max, x.top[0]?.value]).toEqual(Array(3).fill("x".repeat(100)));
  });

  test("of a key shows no frequent values, because it has none", async () => {
    const x = await column("SELECT 'id-' || range AS x FROM range(5000)", { type: "string" });
    expect(x.top).toEqual([]);
  });

  test("of one value, of nothing but nulls and of no rows at all has nothing to divide by, and does not fail", async () => {
    expect(await column("SELECT 7::INTEGER AS x", { type: "int32" })).toMatchObject({
      mean: 7,
      std: null,
      histogram: null,
      quantiles: { p50: 7 },
    });
    expect(await column("SELECT NULL::DOUBLE AS x", { type: "float64" })).toMatchObject({
      nulls: 1,
      min: null,
      mean: null,
      quantiles: null,
      top: [],
    });
    expect(await column("SELECT 1.5::DOUBLE AS x WHERE false", { type: "float64" })).toMatchObject({
      nulls: 0,
      distinct: 0,
      quantiles: null,
    });
    expect(await profile("SELECT 1 AS x", {})).toEqual({ rows: 1, columns: [] });
  });

  test("is the same each time, in more columns than fit into one scan", async () => {
    const names = Array.from({ length: 70 }, (_, i) => `c "${i}"`);
    const query = `SELECT ${names.map((name, i) => `(hash(range + ${i}) % 40)::INTEGER AS "${name.replaceAll('"', '""')}"`).join(", ")} FROM range(20000)`;
    const columns = Object.fromEntries(names.map((name) => [name, { type: "int32" as const }]));
    const first = await profile(query, columns);
    expect(first.columns.every(({ top, quantiles }) => top.length === 10 && quantiles !== null)).toBe(true);
    expect(await profile(query, columns)).toEqual(first);
  });
});
