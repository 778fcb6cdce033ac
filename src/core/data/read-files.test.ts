import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { bool, float64, int32, int64, source, string, timestamp } from "../definitions/index.ts";

let room: DataRoom;
beforeEach(async () => {
  room = await openDataRoom();
});
afterEach(() => room.close());

describe("JSON lines", () => {
  const lines = source.jsonLines("lines", {
    path: "lines.jsonl",
    columns: { id: int32(), text: string().nullable(), big: int64().nullable(), x: float64().nullable(), yes: bool().nullable() },
  });

  test("are read by name, in the declared types, all digits kept", async () => {
    room.write(
      "lines.jsonl",
      `{"id":1,"text":"a\\nb","big":9007199254740993,"x":0.1,"yes":true,"more":[1]}
{"big":-9223372036854775808,"id":2,"text":"","yes":null}

{"id":3.0,"text":{"of":["é",1.50]},"x":1e3}\n`,
    );
    const snapshot = await room.ingest(lines);
    expect(await room.read(snapshot, lines, {}, "ORDER BY id")).toEqual([
      { id: 1, text: "a\nb", big: 9007199254740993n, x: 0.1, yes: true },
      { id: 2, text: "", big: -9223372036854775808n, x: null, yes: null },
      { id: 3, text: '{"of":["é",1.5]}', big: null, x: 1000, yes: null },
    ]);
    expect(snapshot.report.violations).toEqual([]);
  });

  test("count values of another type as violations of their rows", async () => {
    room.write(
      "lines.jsonl",
      `{"id":"one"}\n{"id":1.5}\n{"id":2,"big":9223372036854775808}\n{"id":[3]}\n{"id":null}\n{"id":"6"}\n`,
    );
    const snapshot = await room.ingest(lines);
    expect(await room.read(snapshot, lines, { columns: ["id"] })).toEqual([{ id: 6 }]);
    expect(snapshot.report.violations).toEqual([
      { column: "id", rule: "type", severity: "quarantine", rows: 3, samples: ["one", "1.5", "[3]"] },
      { column: "id", rule: "null", severity: "quarantine", rows: 1, samples: ["null"] },
      { column: "big", rule: "type", severity: "quarantine", rows: 1, samples: ["9223372036854775808"] },
    ]);
  });

  test("may leave out a column that may be null, in every line, but no other", async () => {
    room.write("lines.jsonl", `{"id":1}\n`);
    expect(await room.read(await room.ingest(lines), lines)).toEqual([{ id: 1, text: null, big: null, x: null, yes: null }]);
    room.write("lines.jsonl", `{"ID":1,"text":"x"}\n`);
    await expect(room.ingest(lines)).rejects.toMatchObject({
      code: "DATA_COLUMN_MISSING",
      message: 'lines.jsonl of source lines has no column "id"; did you mean "ID"? It has ID, text, big, x, yes',
    });
  });

  test("find a column whose first value comes late", async () => {
    room.write("lines.jsonl", `${'{"text":"x"}\n'.repeat(20_000)}{"id":1}\n`);
    const snapshot = await room.ingest(lines);
    expect(snapshot).toMatchObject({ rows: 1, report: { quarantined: 20_000 } });
  });

  test("may begin with a byte order mark and end lines with CRLF", async () => {
    room.write("lines.jsonl", `\ufeff{"id":1}\r\n{"id":2}\r\n`);
    expect(await room.ingest(lines)).toMatchObject({ rows: 2 });
    const packed = source.jsonLines("lines", { path: "lines.jsonl.gz", columns: { id: int32() } });
    room.write("lines.jsonl.gz", gzipSync(`\ufeff{"id":1}\r\n{"id":2}`));
    expect(await room.ingest(packed)).toMatchObject({ rows: 2 });
    expect(room.leftovers()).toEqual([]);
  });

  test.each([
    ["cut short", '{"id":1}\n{"id":', "line 2"],
    ["no object", '{"id":1}\n[2]\n', "line 2"],
    ["a key twice", '{"id":1,"id":2}\n', 'duplicate key "id"'],
    ["one array", '[{"id":1},\n{"id":2}]', "line 1"],
    ["no UTF-8", Uint8Array.from([...Buffer.from('{"id":1,"text":"'), 0xff, ...Buffer.from('"}\n')]), "invalid UTF-8"],
    ["half a surrogate pair", '{"id":1,"text":"\\ud800"}\n', "surrogate"],
    ["a line of 20 MB", `{"id":1,"text":"${"x".repeat(40_000_000)}"}\n`, "16777216 bytes"],
  ])("that are damaged (%s) are called corrupt, with the place", async (_, text, place) => {
    room.write("lines.jsonl", text);
    await expect(room.ingest(lines)).rejects.toMatchObject({
      code: "DATA_FILE_CORRUPT",
      message: expect.stringContaining(place),
    });
    expect(room.leftovers()).toEqual([]);
  });

  test("without a line have no rows", async () => {
    room.write("lines.jsonl", "");
    await expect(room.ingest(lines)).rejects.toMatchObject({ code: "DATA_EMPTY" });
  });

  test("of names that look like SQL or paths are read", async () => {
    const nasty = `a.b["'$*`;
    const odd = source.jsonLines("odd", { path: "o'dd.jsonl", key: [nasty], columns: { [nasty]: string(), select: int32() } });
    room.write("o'dd.jsonl", `${JSON.stringify({ [nasty]: "'; DROP TABLE x; --", select: 1, a: { b: 2 } })}\n`);
    expect(await room.read(await room.ingest(odd), odd)).toEqual([{ [nasty]: "'; DROP TABLE x; --", select: 1 }]);
  });
});

describe("compressed files", () => {
  const rows = Array.from({ length: 50_000 }, (_, i) => `${i},${i * 7}`).join("\n");
  const csv = source.csv("packed", { path: "packed.csv.*", columns: { a: int32(), b: int32() } });

  test.each([
    ["gz", gzipSync],
    ["zst", zstdCompressSync],
  ])("of text are read (%s)", async (extension, pack) => {
    room.write(`packed.csv.${extension}`, pack(`a,b\n${rows}`));
    const snapshot = await room.ingest(csv);
    expect(await room.read(snapshot, csv, {}, "WHERE a IN (0, 49999) ORDER BY a")).toEqual([
      { a: 0, b: 0 },
      { a: 49_999, b: 349_993 },
    ]);
    expect(snapshot.rows).toBe(50_000);
    expect(room.leftovers()).toEqual([]);
  });

  test.each([
    ["cut short", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ["changed", (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -6), Buffer.from([1, 2, 3, 4, 5, 6])])],
    ["empty", () => Buffer.alloc(0)],
    ["not compressed at all", () => Buffer.from(`a,b\n${rows}`)],
  ])("that are %s are corrupt, and not a shorter file", async (_, damage) => {
    const corrupt = { code: expect.stringMatching(/DATA_FILE_CORRUPT|DATA_EMPTY/) };
    room.write("packed.csv.gz", damage(gzipSync(`a,b\n${rows}`)));
    await expect(room.ingest(csv)).rejects.toMatchObject(corrupt);
    expect(room.leftovers()).toEqual([]);
  });
});

describe("folders", () => {
  const sales = source.parquet("sales", {
    path: "sales",
    columns: { year: int32(), region: string().nullable(), amount: float64() },
  });

  test("stand for every file of the format below them, and their names are columns, typed by the contract", async () => {
    await room.parquet("sales/year=2012/region=north%20east/a.parquet", "SELECT 1.5 AS amount");
    await room.parquet("sales/year=2013/region=__HIVE_DEFAULT_PARTITION__/b.parquet", "SELECT 2.5 AS amount");
    await room.parquet("sales/year=2013/region=O'Neil/a=b/c.parquet", "SELECT 3.5 AS amount");
    room.write("sales/_SUCCESS", "");
    room.write("sales/_tmp/d.parquet", "half written");
    room.write("sales/.e.parquet", "hidden");
    room.write("sales/year=2013/notes.txt", "other");
    const snapshot = await room.ingest(sales);
    expect(await room.read(snapshot, sales, {}, "ORDER BY amount")).toEqual([
      { year: 2012, region: "north east", amount: 1.5 },
      { year: 2013, region: null, amount: 2.5 },
      { year: 2013, region: "O'Neil", amount: 3.5 },
    ]);
  });

  test("judge what their names say as they judge cells", async () => {
    await room.parquet("sales/year=2012/region=a/a.parquet", "SELECT 1.5 AS amount");
    await room.parquet("sales/year=soon/region=a/a.parquet", "SELECT 2.5 AS amount");
    const snapshot = await room.ingest(sales);
    expect(snapshot.report.violations).toEqual([
      { column: "year", rule: "type", severity: "quarantine", rows: 1, samples: ["soon"] },
    ]);
  });

  test("of other names make other rows of the same bytes, and the same rows in the next snapshot", async () => {
    await room.parquet("sales/year=2012/region=a/a.parquet", "SELECT 1.5 AS amount");
    await room.parquet("sales/year=2013/region=a/a.parquet", "SELECT 1.5 AS amount");
    const snapshot = await room.ingest(sales);
    expect((await room.read(snapshot, sales, { columns: ["year"] }, "ORDER BY year")).map(({ year }) => year)).toEqual([
      2012, 2013,
    ]);
    expect((await room.ingest(sales, { previous: snapshot })).parts).toEqual(snapshot.parts);
  });

  test("give way to a column that the file holds itself", async () => {
    await room.parquet("sales/year=2012/region=a/a.parquet", "SELECT 1999 AS year, 1.5 AS amount");
    expect(await room.read(await room.ingest(sales), sales)).toEqual([{ year: 1999, region: "a", amount: 1.5 }]);
  });

  test("are read by pattern too, for every text format", async () => {
    const days = source.csv("days", { path: "days/day=*/*.csv", eventTime: "day", columns: { n: int32() } });
    room.write("days/day=2023-03-01/x.csv", "n\n1\n");
    room.write("days/day=2023-03-02/x.csv", "n\n2\n");
    room.write("days/other/x.csv", "m\n2\n");
    expect(await room.read(await room.ingest(days), days, {}, "ORDER BY n")).toEqual([
      { n: 1, day: at("2023-03-01T00:00:00Z") },
      { n: 2, day: at("2023-03-02T00:00:00Z") },
    ]);
    const lines = source.jsonLines("lines", { path: "lines", columns: { n: int32(), day: timestamp() } });
    room.write("lines/day=2023-03-01/x.ndjson", '{"n":1}\n');
    room.write("lines/day=2023-03-02/x.jsonl.gz", gzipSync('{"n":2}\n'));
    expect(await room.ingest(lines)).toMatchObject({ rows: 2 });
  });

  test("without a file of the format are an error that names them", async () => {
    mkdirSync(join(room.directory, "sales"));
    await expect(room.ingest(sales)).rejects.toMatchObject({
      code: "DATA_FILE_MISSING",
      message: "No parquet file is in the folder sales of source sales",
    });
  });

  test("of hundreds of files are taken in, one part each", async () => {
    const many = source.csv("many", { path: "many", columns: { n: int32() } });
    for (let i = 0; i < 300; i++) room.write(`many/part=${i % 10}/${i}.csv`, `n\n${i}\n`);
    const snapshot = await room.ingest(many);
    expect(snapshot).toMatchObject({ rows: 300 });
    expect(snapshot.parts).toHaveLength(300);
    const rows = await room.read(snapshot, many);
    expect(rows.reduce((sum, { n }) => sum + Number(n), 0)).toBe(44_850);
  }, 60_000);
});
