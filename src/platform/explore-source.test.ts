import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DataRoom, openDataRoom } from "../../test/fixtures/data-room.ts";
import { exploreSource } from "./explore-source.ts";

interface Golden {
  rows: number;
  columns: Record<
    string,
    {
      nulls: number;
      distinct: number;
      min: number;
      max: number;
      mean: number;
      std: number;
      quantiles: Record<string, number>;
    }
  >;
  pearson: Record<string, number>;
  spearman: Record<string, number>;
  missing: { both: number; correlation: number; patterns: [string[], number][] };
  target: Record<string, number>;
}
const golden: Golden = JSON.parse(readFileSync(new URL("../../test/golden/profile.json", import.meta.url), "utf8"));

let room: DataRoom;
beforeAll(async () => {
  room = await openDataRoom();
});
afterAll(() => room.close());

const FLOAT = { type: "float64" } as const;
const COLUMNS = { even: FLOAT, skewed: FLOAT, ties: FLOAT, related: FLOAT };
/** The rows of test/golden/make-profile.py. */
const ROWS = `(SELECT ((i * 7919) % 1009) / 8.0::DOUBLE AS even,
    CASE WHEN i % 5 <> 0 THEN (((i * 104729) % 997) / 100.0::DOUBLE) ** 3 END AS skewed,
    CASE WHEN NOT ((i % 5 = 0 AND i % 2 = 0) OR i % 11 = 0) THEN ((i * 31) % 7)::DOUBLE END AS ties,
    ((i * 7919) % 1009) / 4.0::DOUBLE + ((i * 15485863) % 101) AS related,
    i % 2 = 0 AS flag, 'c' || (i % 3) AS word, ((i * 7919) % 1009) / 8.0::DOUBLE > 60 AS high,
    NULL::DOUBLE AS nothing, CASE i % 3 WHEN 0 THEN 'inf'::DOUBLE WHEN 1 THEN 'nan'::DOUBLE ELSE 1 END AS odd
  FROM range(${golden.rows}) r(i))`;
const relative = (found: number | null | undefined, wanted: number, tolerance = 1e-10) =>
  expect(Math.abs((found ?? Number.NaN) - wanted)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted)));

describe("what a source holds", () => {
  test("has the counts, moments and quantiles of pandas, to a relative 1e-10", async () => {
    const { profile } = await exploreSource(room.engine, ROWS, COLUMNS);
    expect(profile.rows).toBe(golden.rows);
    for (const { name, nulls, min, max, mean, std, quantiles } of profile.columns) {
      const wanted = golden.columns[name];
      expect([nulls, min, max]).toEqual([wanted.nulls, wanted.min, wanted.max]);
      relative(mean, wanted.mean);
      relative(std, wanted.std);
      for (const [level, value] of Object.entries(wanted.quantiles)) relative(quantiles?.[level], value);
    }
  });

  test("has the correlations of pandas and scipy over the rows that have both, to 1e-12", async () => {
    const { correlations, sampledRows } = await exploreSource(room.engine, ROWS, COLUMNS);
    expect(sampledRows).toBe(golden.rows);
    for (const { method, features, values } of correlations)
      for (const [i, a] of features.entries())
        for (const [j, b] of features.entries()) relative(values[i][j], golden[method][`${a} ${b}`], 1e-12);
  });

  test("is missing together as in pandas", async () => {
    const { missingness } = await exploreSource(room.engine, ROWS, COLUMNS);
    const { both, correlation, patterns } = golden.missing;
    expect(missingness.patterns.map(({ columns, rows }) => [columns.toSorted(), rows])).toEqual(
      patterns.map(([columns, rows]) => [columns.toSorted(), rows]),
    );
    expect(missingness.pairs).toMatchObject([{ both }]);
    relative(missingness.pairs[0]?.correlation, correlation, 1e-12);
  });

  test("is related to a bool as scipy's point biserial correlation says, the strongest first", async () => {
    const { target } = await exploreSource(room.engine, ROWS, { ...COLUMNS, high: { type: "bool" } }, { target: "high" });
    expect(target).toMatchObject({ column: "high", task: "binary", rows: golden.rows });
    expect(target?.relations.map(({ feature }) => feature).slice(0, 2)).toEqual(["even", "related"]);
    for (const { feature, pearson } of target?.relations ?? []) relative(pearson, golden.target[feature], 1e-12);
    expect(target?.relations[0]?.auc).toBe(1);
  });

  test("takes texts and few whole numbers as classes, and other numbers as what they are", async () => {
    const columns = { ...COLUMNS, word: { type: "string" }, flag: { type: "bool" } } as const;
    const task = async (target: string) => (await exploreSource(room.engine, ROWS, columns, { target })).target?.task;
    expect([await task("word"), await task("flag"), await task("even")]).toEqual(["multiclass", "binary", "regression"]);
  });

  test("is looked at in evenly spaced rows where it is large", async () => {
    const whole = await exploreSource(
      room.engine,
      "(SELECT i AS x, i AS y FROM range(100000) r(i))",
      { x: { type: "int64" }, y: { type: "int64" } },
      { maxRows: 1000, target: "y" },
    );
    expect(whole.sampledRows).toBe(1000);
    expect(whole.target?.relations[0]?.spearman).toBe(1);
    expect(whole.profile.columns[0]).toMatchObject({ max: 99_999, mean: 49_999.5 });
  });

  test("is JSON whatever it holds: nothing, infinities, not a number, or no rows at all", async () => {
    const columns = { nothing: FLOAT, odd: FLOAT, even: FLOAT, word: { type: "string" } } as const;
    for (const relation of [ROWS, `(SELECT * FROM ${ROWS} WHERE false)`, `(SELECT * FROM ${ROWS} LIMIT 1)`])
      for (const target of ["nothing", "odd", "word", "even"]) {
        const found = await exploreSource(room.engine, relation, columns, { target });
        expect(JSON.parse(JSON.stringify(found))).toEqual(found);
      }
    const { missingness, correlations } = await exploreSource(room.engine, ROWS, columns);
    // A column that is always null is null together with nothing in particular.
    expect(missingness).toEqual({ patterns: [{ columns: ["nothing"], rows: golden.rows }], pairs: [] });
    expect(correlations[0]?.values[0]).toEqual([null, null, null]);
  });

  test("tells nothing of a personal column but counts, and does not take it as a target", async () => {
    const columns = { even: FLOAT, word: { type: "string", personal: true } } as const;
    const found = await exploreSource(room.engine, ROWS, columns, { target: "even" });
    expect(JSON.stringify(found)).not.toMatch(/"c[012]"/);
    expect(found.target?.relations).toEqual([]);
    const refused = { code: "PROJECT_TARGET_UNKNOWN" };
    await expect(exploreSource(room.engine, ROWS, columns, { target: "word" })).rejects.toMatchObject(refused);
    await expect(exploreSource(room.engine, ROWS, columns, { target: "evem" })).rejects.toMatchObject({
      ...refused,
      message: 'There is no column "evem"; did you mean "even"?',
    });
  });
});
