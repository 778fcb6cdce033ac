import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import type { SourceDefinition } from "../definitions/index.ts";
import { suggestFiles } from "./index.ts";

let room: DataRoom;
beforeEach(async () => {
  room = await openDataRoom();
});
afterEach(() => room.close());

const suggest = (path: string, name?: string) =>
  suggestFiles(room.engine, path, {
    projectDirectory: room.directory,
    tmpDirectory: room.tmpDirectory,
    ...(name === undefined ? {} : { name }),
  });
const LIBRARY = pathToFileURL(resolve(import.meta.dirname, "../../index.ts")).href;

/** What the suggested text defines, as TypeScript that really runs. */
async function defined(text: string): Promise<SourceDefinition> {
  const file = join(room.directory, `suggested-${Math.random().toString(36).slice(2)}.ts`);
  writeFileSync(file, text.replace('"orrery"', JSON.stringify(LIBRARY)));
  const [source] = Object.values<SourceDefinition>(await import(/* @vite-ignore */ pathToFileURL(file).href));
  if (source === undefined) throw new Error("nothing was exported");
  return source;
}

/** A suggestion holds for every row that it was made from. */
async function keptByItsRows(path: string) {
  const { text, suggested } = await suggest(path);
  const source = await defined(text);
  const snapshot = await room.ingest(source, { asOf: at("2100-01-01T00:00:00Z") });
  expect(snapshot.report.violations).toEqual([]);
  expect(snapshot.report.quarantined).toBe(0);
  expect(snapshot.rows).toBe(suggested.rows);
  return { text, source };
}

const COUNTRIES = ["AT", "DE", "NA"];
const orders = (count: number) =>
  [
    "id;email;country;zip;amount;items;paid;code;note;ordered_at;updated_at;deleted",
    ...Array.from({ length: count }, (_, i) =>
      [
        i + 1,
        `person${i}@example.org`,
        COUNTRIES[i % 3],
        String(1000 + i).padStart(5, "0"),
        i % 10 === 0 ? "NA" : (i * 1.25 - 10).toFixed(2),
        1 + (i % 4),
        i % 2 === 0 ? "yes" : "no",
        `AB-${i % 70}`,
        i % 4 === 0 ? `"said ""no""; left ${i}"` : "",
        `2024-01-01T00:00:${String(i % 60).padStart(2, "0")}Z`,
        "2024-02-01",
        "false",
      ].join(";"),
    ),
  ].join("\n");

describe("a suggested source", () => {
  test("is TypeScript that runs, and that every row keeps: types, nulls, sets, ranges, patterns, key and times", async () => {
    room.write("orders.csv", orders(400));
    const { text } = await keptByItsRows("orders.csv");
    expect(text).toBe(`// Suggested from 400 rows, all of which keep it. Widen what is too narrow for the rows to come.
import { bool, float64, int32, source, string, timestamp } from "orrery";

export const orders = source.csv("orders", {
  path: "orders.csv",
  key: ["id"],
  eventTime: "ordered_at",
  availableTime: "updated_at",
  deleted: "deleted",
  columns: {
    id: int32(),
    email: string().matches("[^@\\\\s]+@[^@\\\\s]+\\\\.[^@\\\\s]+").unique().personal(), // looks personal: no value is shown anywhere
    country: string().in(["AT", "DE", "NA"]),
    zip: string().matches("[0-9]{5}").unique(),
    amount: float64().nullable({ atMost: 0.15 }).between(-59, 540), // -8.75 to 488.75
    items: int32().in([1, 2, 3, 4]),
    paid: bool(),
    code: string().matches("[A-Z]{2}-[0-9]{1,2}"),
    note: string().nullable(),
    ordered_at: timestamp(),
    updated_at: timestamp(),
    deleted: bool(),
  },
});
`);
  });

  test("of Parquet keeps its types, the narrowest that holds the values, and 64-bit integers exactly", async () => {
    await room.parquet(
      "wide.parquet",
      `SELECT i + 9007199254740993 AS big, i::BIGINT AS small, (i % 7)::DECIMAL(9, 2) / 4 AS price, i % 2 = 0 AS even, DATE '2024-01-01' + i::INTEGER AS day,
         ('0x' || i) AS text, NULL::VARCHAR AS nothing, CASE WHEN i = 3 THEN 'inf'::DOUBLE ELSE i END AS wild FROM range(300) r(i)`,
    );
    const { source } = await keptByItsRows("wide.parquet");
    expect(Object.entries(source.contracts).map(([name, { type }]) => `${name} ${type}`)).toEqual([
      "big int64",
      "small int32",
      "price float64",
      "even bool",
      "day timestamp",
      "text string",
      "nothing string",
      "wild float64",
    ]);
    expect(source.contracts.wild).toMatchObject({ nullable: false });
    expect(source.contracts.wild?.max).toBeUndefined();
  });

  test("of integers has whole numbers as bounds, and no type that loses digits of an id", async () => {
    await room.parquet(
      "ids.parquet",
      "SELECT 18446744073709551615::UBIGINT - i::UBIGINT AS id, i::UBIGINT AS small, 2::INTEGER AS two FROM range(30) r(i)",
    );
    const { source } = await keptByItsRows("ids.parquet");
    expect(source.contracts).toMatchObject({ id: { type: "string" }, small: { type: "int32" }, two: { min: 1, max: 3 } });
    room.write(
      "ids.csv",
      `id,at\n${Array.from({ length: 30 }, (_, i) => `${18446744073709551615n - BigInt(i)},${i}.5`).join("\n")}\n`,
    );
    expect((await keptByItsRows("ids.csv")).source.contracts).toMatchObject({ id: { type: "string" }, at: { type: "float64" } });
  });

  test("of JSON lines, of one row and of a file without a key is kept by its rows too", async () => {
    room.write(
      "e.jsonl",
      Array.from({ length: 200 }, (_, i) => JSON.stringify({ kind: i % 2 ? "a" : "b", n: i % 3 ? i % 9 : null })).join("\n"),
    );
    const { source } = await keptByItsRows("e.jsonl");
    expect(source.key).toEqual([]);
    room.write("one.csv", "a,b\n1,x\n");
    expect((await keptByItsRows("one.csv")).source.key).toEqual([]);
  });

  test("finds a key of two columns, as a thing and a time", async () => {
    const rows = Array.from(
      { length: 200 },
      (_, i) => `s${i % 10},2024-01-${String(1 + Math.floor(i / 10)).padStart(2, "0")},${i % 7}.5`,
    );
    room.write("weather.csv", `station,day,wind\n${rows.join("\n")}\n`);
    expect((await keptByItsRows("weather.csv")).source).toMatchObject({ key: ["station", "day"], eventTime: "day" });
  });

  test("names what versions of a row have in common as its key, not when they became known", async () => {
    const trip = (i: number, day: number, minutes: number) =>
      `t${i},2024-01-01T00:00:${10 + (i % 50)}Z,2024-01-0${day},${minutes}`;
    const trips = Array.from({ length: 200 }, (_, i) => [trip(i, 2, i), ...(i % 3 ? [] : [trip(i, 3, i + 1)])]).flat();
    room.write("trips.csv", `trip_id,started_at,known_at,minutes\n${trips.join("\n")}\n`);
    const source = await defined((await suggest("trips.csv")).text);
    expect(source).toMatchObject({ key: ["trip_id"], eventTime: "started_at", availability: { default: "known_at" } });
    expect(await room.ingest(source, { asOf: at("2100-01-01T00:00:00Z") })).toMatchObject({
      rows: 200,
      report: { violations: [], quarantined: 0 },
    });
  });

  test.each([0, 5])("keeps the event in the key of a series, also where values are corrected (one of %i)", async (corrected) => {
    const reading = (i: number, minute: number) => {
      const hour = String(Math.floor(i / 20)).padStart(2, "0");
      return `s${i % 20},2024-01-01T${hour}:${minute}:00Z,2024-01-01T${hour}:00:00Z,${minute}.5`;
    };
    const some = Array.from({ length: 200 }, (_, i) => [
      reading(i, 10),
      ...(corrected && i % corrected === 0 ? [reading(i, 30)] : []),
    ]);
    room.write("readings.csv", `sensor_id,received_at,measured_at,level\n${some.flat().join("\n")}\n`);
    const source = await defined((await suggest("readings.csv")).text);
    expect(source).toMatchObject({ key: ["sensor_id", "measured_at"], availability: { default: "received_at" } });
    expect(await room.ingest(source, { asOf: at("2100-01-01T00:00:00Z") })).toMatchObject({
      rows: 200,
      report: { violations: [], quarantined: 0 },
    });
  });

  test("of a folder reads all files with the first one's columns, its folders' names too, and tells how others differ", async () => {
    room.write("days/day=2024-01-01/a.csv", "id,x\n1,1\n2,2\n");
    room.write("days/day=2024-01-02/b.csv", "id,x\n3,1\n");
    room.write("days/day=2024-01-03/c.csv", "id,y\n4,1\n");
    const { text, files, others, suggested } = await suggest("days");
    expect([files, suggested.rows, others]).toEqual([2, 3, [{ file: "c.csv", differs: "adds y; lacks x" }]]);
    expect(text).toContain("day: timestamp(),");
    expect(text).toContain('export const days = source.csv("days", {');
  });

  test("takes names of any kind, and words that are TypeScript's own", async () => {
    room.write("new/class.csv", `"a b",größe,"it's ""quoted""",select\n1,2,3,4\n5,6,7,8\n`);
    const { source, text } = await keptByItsRows("new/class.csv");
    expect(Object.keys(source.contracts)).toEqual(["a b", "größe", `it's "quoted"`, "select"]);
    expect(text).toContain("export const classRows = ");
  });

  test("shows no value of what looks personal", async () => {
    const names = ["Grace Hopper", "Ada Lovelace"];
    room.write("p.csv", `full_name,phone\n${Array.from({ length: 200 }, (_, i) => `${names[i % 2]},55${i % 2}`).join("\n")}\n`);
    const { text } = await keptByItsRows("p.csv");
    expect(text).not.toMatch(/Hopper|Lovelace|55/);
  });

  test("survives cells of megabytes", async () => {
    room.write("long.csv", `id,t\n1,${"x".repeat(3_000_000)}\n2,y\n`);
    expect((await keptByItsRows("long.csv")).text.length).toBeLessThan(1_000);
  });
});

describe("nothing is suggested", () => {
  test("where there is nothing, or nothing that can be read", async () => {
    await expect(suggest("none.csv")).rejects.toMatchObject({ code: "DATA_FILE_MISSING" });
    room.write("empty.csv", "");
    await expect(suggest("empty.csv")).rejects.toMatchObject({ code: "DATA_EMPTY" });
    room.write("head.csv", "a,b\n");
    await expect(suggest("head.csv")).rejects.toMatchObject({ code: "DATA_EMPTY" });
    room.write("notes.docx", "?");
    await expect(suggest("notes.docx")).rejects.toMatchObject({ code: "DATA_FORMAT_UNKNOWN" });
    room.write("torn.parquet", "PAR1");
    await expect(suggest("torn.parquet")).rejects.toMatchObject({ code: "DATA_FILE_CORRUPT" });
  });
});
