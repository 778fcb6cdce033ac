import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { bool, float64, int32, int64, type SourceDefinition, source, string, timestamp } from "../definitions/index.ts";

let room: DataRoom;
beforeAll(async () => {
  room = await openDataRoom();
});
afterAll(() => room.close());

/** The last moment that a snapshot can be of: nothing is hidden. */
const ALWAYS = at("9999-12-31T00:00:00Z");

/** What of each cell is read, and what is counted as unreadable; a row beside them keeps the source from being empty. */
async function cells(type: "int32" | "int64" | "float64" | "bool" | "timestamp", texts: readonly string[]) {
  const builders = { int32, int64, float64, bool, timestamp };
  const lines = source.jsonLines("cells", { path: "cells.jsonl", columns: { n: int32(), cell: builders[type]().nullable() } });
  room.write("cells.jsonl", `${['{"n":-1}', ...texts.map((cell, n) => JSON.stringify({ n, cell }))].join("\n")}\n`);
  const csv = source.csv("cells", { path: "cells.csv", columns: { n: int32(), cell: builders[type]().nullable() } });
  room.write("cells.csv", ["n,cell", "-1,", ...texts.map((cell, n) => `${n},"${cell}"`)].join("\n"));
  const read = async (from: SourceDefinition) => {
    const snapshot = await room.ingest(from, { asOf: ALWAYS });
    const values = new Map((await room.read(snapshot, from, { asOf: ALWAYS })).map(({ n, cell }) => [Number(n), cell]));
    return texts.map((text, n) => [text, values.has(n) ? values.get(n) : "unreadable"]);
  };
  const [fromCsv, fromLines] = [await read(csv), await read(lines)];
  expect(fromLines).toEqual(fromCsv);
  return Object.fromEntries(fromCsv);
}

describe("a cell as text", () => {
  test("is a moment where it says a whole date of four digits, in UTC unless it has an offset", async () => {
    expect(
      await cells("timestamp", [
        "2023-03-26",
        "2023-3-6",
        "  2023-03-26  ",
        "2023-03-26T01:02",
        "2023-03-26 01:02:03.123456789",
        "2023-03-26T24:00:00",
        "2023-03-26T01:02:03Z",
        "2023-03-26T01:02:03+02",
        "2023-03-26T01:02:03-1130",
        "2023-03-26T01:02:03+14:00",
        "2023-03-26t01:02:03z",
        "2023-03-26 01:02:03 UTC",
        "0001-01-01",
        "9999-12-31T23:59:59.999999",
      ]),
    ).toEqual({
      "2023-03-26": at("2023-03-26T00:00:00Z"),
      "2023-3-6": at("2023-03-06T00:00:00Z"),
      "  2023-03-26  ": at("2023-03-26T00:00:00Z"),
      "2023-03-26T01:02": at("2023-03-26T01:02:00Z"),
      "2023-03-26 01:02:03.123456789": at("2023-03-26T01:02:03.123456Z"),
      "2023-03-26T24:00:00": at("2023-03-27T00:00:00Z"),
      "2023-03-26T01:02:03Z": at("2023-03-26T01:02:03Z"),
      "2023-03-26T01:02:03+02": at("2023-03-25T23:02:03Z"),
      "2023-03-26T01:02:03-1130": at("2023-03-26T12:32:03Z"),
      "2023-03-26T01:02:03+14:00": at("2023-03-25T11:02:03Z"),
      "2023-03-26t01:02:03z": at("2023-03-26T01:02:03Z"),
      "2023-03-26 01:02:03 UTC": at("2023-03-26T01:02:03Z"),
      "0001-01-01": at("0001-01-01T00:00:00Z"),
      "9999-12-31T23:59:59.999999": at("9999-12-31T23:59:59.999999Z"),
    });
  });

  test("has no hour that is not there or there twice: without an offset it is UTC, and names of zones are not read", async () => {
    expect(
      await cells("timestamp", [
        "2023-03-26 02:30:00",
        "2023-10-29 02:30:00",
        "2023-10-29 02:30:00+02:00",
        "2023-10-29 02:30:00+01:00",
        "2023-10-29 02:30:00 Europe/Berlin",
        "2023-10-29 02:30:00 CET",
        "2023-10-29 02:30:00",
      ]),
    ).toEqual({
      "2023-03-26 02:30:00": at("2023-03-26T02:30:00Z"),
      "2023-10-29 02:30:00": at("2023-10-29T02:30:00Z"),
      "2023-10-29 02:30:00+02:00": at("2023-10-29T00:30:00Z"),
      "2023-10-29 02:30:00+01:00": at("2023-10-29T01:30:00Z"),
      "2023-10-29 02:30:00 Europe/Berlin": "unreadable",
      "2023-10-29 02:30:00 CET": "unreadable",
    });
  });

  test.each([
    ["another order or calendar", ["26/03/2023", "03/26/2023", "20230326", "2023-W12-1", "March 26, 2023", "٢٠٢٣-٠٣-٢٦"]],
    ["half a date", ["12:00", "2023-03", "23-03-26", "2023-03-26T01Z"]],
    ["a day or an hour that is not there", ["2023-02-29", "2023-02-30", "2023-03-26 25:00:00", "2016-12-31T23:59:60Z"]],
    ["seconds since 1970", ["1679800000", "1679800000000", "0"]],
    ["a word", ["now", "today", "epoch", "infinity", "-infinity", "soon"]],
    ["an offset that is not there, or a zone's name", ["2023-03-26T01:02:03+25:00", "2023-03-26 01:02:03 America/New_York"]],
    ["a year outside of 1 to 9999", ["10000-01-01", "0044-03-15 (BC)", "-0044-03-15", "294247-01-10 04:00:54"]],
  ])("is no moment where it says %s", async (_, texts) => {
    expect(await cells("timestamp", texts)).toEqual(Object.fromEntries(texts.map((text) => [text, "unreadable"])));
  });

  test("is a whole number where it is one, of any size that fits, and never rounded", async () => {
    expect(
      await cells("int64", [
        ...["7", "-0", "+2", " 3 ", "4.0", "5e0", "007", "9223372036854775807", "-9223372036854775808", "9007199254740993.0"],
        ...[
          "9223372036854775808",
          "12345678901234567890123",
          "1.5",
          "0x10",
          "1_000",
          "1,000",
          "inf",
          "1e19",
          "one",
          "1 2",
          "true",
        ],
      ]),
    ).toEqual({
      "7": 7,
      "-0": 0,
      "+2": 2,
      " 3 ": 3,
      "4.0": 4,
      "5e0": 5,
      "007": 7,
      "9223372036854775807": 9223372036854775807n,
      "-9223372036854775808": -9223372036854775808n,
      "9007199254740993.0": 9007199254740993n,
      ...Object.fromEntries(
        [
          "9223372036854775808",
          "12345678901234567890123",
          "1.5",
          "0x10",
          "1_000",
          "1,000",
          "inf",
          "1e19",
          "one",
          "1 2",
          "true",
        ].map((text) => [text, "unreadable"]),
      ),
    });
    expect(await cells("int32", ["2147483647", "2147483648", "-2147483649"])).toEqual({
      "2147483647": 2147483647,
      "2147483648": "unreadable",
      "-2147483649": "unreadable",
    });
  });

  test("is a number where it is one: infinite only where it says so, too small is 0, NaN is no value", async () => {
    expect(
      await cells("float64", [
        "1",
        ".5",
        "5.",
        "1e-400",
        "inf",
        "-Infinity",
        "nan",
        "NaN",
        "1e309",
        "-1e309",
        "1,5",
        "1d",
        "0x1p3",
        "1_0",
      ]),
    ).toEqual({
      "1": 1,
      ".5": 0.5,
      "5.": 5,
      "1e-400": 0,
      inf: Number.POSITIVE_INFINITY,
      "-Infinity": Number.NEGATIVE_INFINITY,
      nan: null,
      NaN: null,
      ...Object.fromEntries(["1e309", "-1e309", "1,5", "1d", "0x1p3", "1_0"].map((text) => [text, "unreadable"])),
    });
  });

  test("is true or false in the usual words, and nothing else", async () => {
    expect(await cells("bool", ["true", "T", "yes", "1", "FALSE", "f", "no", "0", "on", "2", "null", "N/A"])).toEqual({
      ...{ true: true, T: true, yes: true, "1": true, FALSE: false, f: false, no: false, "0": false },
      ...{ on: "unreadable", "2": "unreadable", null: null, "N/A": null },
    });
  });
});

describe("CSV", () => {
  const csv = source.csv("csv", { path: "x.csv", columns: { a: string().nullable(), b: string().nullable() } });
  const rows = async (text: string | Uint8Array, of: SourceDefinition = csv) => {
    room.write("x.csv", text);
    return (await room.read(await room.ingest(of), of)).map((row) => Object.values(row));
  };

  test.each([
    ["CRLF", "a,b\r\n1,2\r\n", [["1", "2"]]],
    ["CR", "a,b\r1,2\r", [["1", "2"]]],
    ["a byte order mark", "\ufeffa,b\n1,2\n", [["1", "2"]]],
    ["semicolons", "a;b\n1,5;2\n", [["1,5", "2"]]],
    ["tabs", "a\tb\n1\t2\n", [["1", "2"]]],
    ["bars", "a|b\n1|2\n", [["1", "2"]]],
    ["a quoted header", '"a","b"\n1,2\n', [["1", "2"]]],
    ["spaces around its names", " a , b \n1,2\n", [["1", "2"]]],
    ["a comma at the end of each line", "a,b,\n1,2,\n", [["1", "2"]]],
    ["a column without a name", "a,,b\n1,2,3\n", [["1", "3"]]],
    ["a column twice that nobody asked for", "a,b,c,c\n1,2,3,4\n", [["1", "2"]]],
    ["empty lines", "a,b\n\n1,2\n\n", [["1", "2"]]],
    ["line ends, commas and quotes in quotes", 'a,b\n"x\r\ny,z","p""q"\n', [["x\r\ny,z", 'p"q']]],
    ["quotes within a value", 'a,b\n5",2\n', [['5"', "2"]]],
    ["what looks like a comment", "a,b\n#1,2\n", [["#1", "2"]]],
    ["a zero byte", "a,b\n1\u00002,2\n", [["1\u00002", "2"]]],
    ["no line end at its end", "a,b\n1,2", [["1", "2"]]],
  ])("with %s is read", async (_, text, expected) => {
    expect(await rows(text)).toEqual(expected);
  });

  test("of one column is not split by what its values hold", async () => {
    const one = source.csv("one", { path: "x.csv", columns: { a: string() } });
    expect(await rows("a\nx;y\nz;w\n", one)).toEqual([["x;y"], ["z;w"]]);
  });

  test("with several types in one column is read as the declared one", async () => {
    const mixed = source.csv("mixed", { path: "x.csv", columns: { a: int32(), b: string() } });
    room.write("x.csv", `a,b\n${"1,x\n".repeat(30_000)}2.5,y\nthree,z\n4,4\n`);
    const snapshot = await room.ingest(mixed);
    expect(snapshot).toMatchObject({ rows: 30_001, report: { quarantined: 2 } });
    expect(snapshot.report.violations).toMatchObject([{ column: "a", rule: "type", rows: 2, samples: ["2.5", "three"] }]);
  });

  test.each([
    ["too many values", "a,b\n1,2\n1,2,3\n", "line 3 has 3 values for 2 columns"],
    ["too few values", `a,b\n${"1,2\n".repeat(30_000)}1\n`, "line 30002 has 1 values for 2 columns"],
    ["quotes that never end", 'a,b\n1,2\n"x,2\n3,4\n', "ends in the middle of a quoted value"],
    ["text after a closing quote", 'a,b\n"x"y,2\n', "line 2 has a quote that neither ends its value nor is doubled"],
    ["backslashes before quotes", 'a,b\n"x\\"y",2\n', "line 2 has a quote that neither ends its value nor is doubled"],
    ["a declared column twice", "a,b,a\n1,2,3\n", 'has two columns "a"'],
    ["Latin-1", Buffer.from("a,b\nM\xfcller,2\n", "latin1"), "line 2 has text that is not UTF-8"],
    ["UTF-16", Buffer.from("\ufeffa,b\n1,2\n", "utf16le"), "line 1 has text that is not UTF-8"],
    ["a header that never ends", `"a,b\n${"1,2\n".repeat(10)}`, "first line does not name its columns"],
    ["a line of 20 MB", `a,b\n"${"x".repeat(20_000_000)}",2\n`, "line 2 has more than 16777216 bytes"],
  ])("with %s is corrupt, and the message says where and shows no value", async (_, text, where) => {
    room.write("x.csv", text);
    const error: unknown = await room.ingest(csv).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "DATA_FILE_CORRUPT", message: expect.stringContaining(where) });
    expect(String(error).length).toBeLessThan(200);
    expect(room.leftovers()).toEqual([]);
  });

  test.each([
    ["an array", '{"a":"1"}\n["secret@mail.at","x"]\n', "line 2 is an array and no object"],
    ["a text", '{"a":"1"}\n"secret"\n', "line 2 is a text and no object"],
    ["a number", "4711\n", "line 1 is a number and no object"],
    ["null and a boolean", '{"a":"1"}\nnull\ntrue\n', "and no object"],
    ["a line without quotes", '{"a":"1"}\n{"a":secret}\n', "line 2 is no JSON: unexpected character"],
    ["a torn line", `${'{"a":"1"}\n'.repeat(30_000)}{"a":"secret`, "line 30001 is no JSON: unexpected end of data"],
    ["Latin-1", Buffer.from('{"a":"secret M\xfcller"}\n', "latin1"), "line 1 is no JSON: invalid UTF-8 encoding in string"],
    ["a line of 50 MB", `{"a":"secret${"x".repeat(50_000_000)}"}\n`, "a line has more than 16777216 bytes"],
  ])("as JSON lines with %s is corrupt, and the error says where and shows no value", async (_, text, where) => {
    room.write("x.jsonl", text);
    const lines = source.jsonLines("lines", { path: "x.jsonl", columns: { a: string() } });
    const error: unknown = await room.ingest(lines).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "DATA_FILE_CORRUPT", message: expect.stringContaining(where) });
    expect(error).not.toHaveProperty("cause");
    expect(String(error)).not.toMatch(/secret|4711/);
    expect(room.leftovers()).toEqual([]);
  });

  test("may have a value of megabytes, and thousands of columns", async () => {
    expect(await rows(`a,b\n"${"x".repeat(10_000_000)}",2\n`)).toEqual([["x".repeat(10_000_000), "2"]]);
    const wide = source.csv("wide", { path: "x.csv", columns: { c1999: int32() } });
    const numbers = Array.from({ length: 2000 }, (_, n) => n);
    expect(await rows(`${numbers.map((n) => `c${n}`).join()}\n${numbers.join()}\n`, wide)).toEqual([[1999]]);
  });

  test("may have names in any script, and reserved words", async () => {
    const names = ["größe", "日本", "select", "a b", "😀", "null", "constructor", "__proto"];
    const columns = Object.fromEntries(names.slice(0, 7).map((name) => [name, int32()]));
    const named = source.csv("named", { path: "x.csv", columns });
    expect(await rows(`${names.join()}\n${names.map((_, n) => n).join()}\n`, named)).toEqual([[0, 1, 2, 3, 4, 5, 6]]);
  });

  test("keeps the last row of a composite key, and those without one of its columns apart", async () => {
    const keyed = source.csv("keyed", {
      path: "x.csv",
      key: ["a", "b"],
      columns: { a: int32(), b: string().nullable(), n: int32() },
    });
    room.write("x.csv", "a,b,n\n1,x,1\n1,,2\n1,x,3\n1,y,4\n");
    const snapshot = await room.ingest(keyed);
    expect((await room.read(snapshot, keyed, {}, "ORDER BY n")).map(({ n }) => n)).toEqual([3, 4]);
    expect(snapshot.report.violations).toMatchObject([{ column: "a, b", rule: "key", rows: 2, samples: ["1, x", "1, null"] }]);
  });
});

describe("Parquet", () => {
  const taken = async (query: string, columns: Parameters<typeof source.parquet>[1]["columns"]) => {
    await room.parquet("x.parquet", query);
    const of = source.parquet("x", { path: "x.parquet", columns });
    const snapshot = await room.ingest(of, { asOf: ALWAYS });
    return {
      rows: (await room.read(snapshot, of, { asOf: ALWAYS })).map((row) => Object.values(row)),
      unreadable: snapshot.report.violations.map(({ column, rule, samples }) => [column, rule, ...samples]),
    };
  };

  test("gives whole numbers of every kind, as far as they fit", async () => {
    const query = `SELECT 18446744073709551615::UBIGINT AS a, 9007199254740993.00::DECIMAL(20, 2) AS b, 9007199254740994::DOUBLE AS c
      UNION ALL SELECT 5::UBIGINT, 5.00, 5 UNION ALL SELECT 6::UBIGINT, 5.50, 6 UNION ALL SELECT 7::UBIGINT, 7, 1e19
      UNION ALL SELECT 8::UBIGINT, 8, 'inf'`;
    expect(await taken(query, { a: int64(), b: int64(), c: int64() })).toEqual({
      rows: [[5, 5, 5]],
      unreadable: [
        ["a", "type", "18446744073709551615"],
        ["b", "type", "5.50"],
        ["c", "type", "1e+19", "inf"],
      ],
    });
  });

  test("gives infinities as they are, and NaN as no value", async () => {
    expect(
      await taken("SELECT 'inf'::DOUBLE AS x UNION ALL SELECT '-inf' UNION ALL SELECT 'nan'", { x: float64().nullable() }),
    ).toEqual({
      rows: [[Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY], [null]],
      unreadable: [],
    });
  });

  test("gives lists, structures and bytes as text where text is declared, and as nothing else", async () => {
    const query = "SELECT [1, 2] AS a, {'x': 1} AS b, 'x'::BLOB AS c, 'y'::ENUM('x', 'y') AS d";
    expect(await taken(query, { a: string(), b: string(), c: string(), d: string() })).toEqual({
      rows: [["[1, 2]", "{'x': 1}", "x", "y"]],
      unreadable: [],
    });
    expect(await taken("SELECT [1] AS a, 1 AS n UNION ALL SELECT NULL, 2", { a: int32().nullable(), n: int32() })).toMatchObject({
      rows: [[null, 2]],
      unreadable: [["a", "type", "[1]"]],
    });
  });

  test("gives moments in every unit, cut to microseconds, from the year 1 to 9999", async () => {
    const query = `SELECT '2023-01-01 00:00:00.123456789'::TIMESTAMP_NS AS a, '2023-01-01'::TIMESTAMP_MS AS b, DATE '2023-01-01' AS c,
        TIMESTAMP '2023-01-01' AS d, 1 AS n
      UNION ALL SELECT NULL, NULL, DATE 'infinity', NULL, 2 UNION ALL SELECT NULL, NULL, NULL, TIMESTAMP '20000-01-01', 3
      UNION ALL SELECT NULL, NULL, DATE '0044-01-01 (BC)', NULL, 4`;
    const moment = timestamp().nullable();
    expect(await taken(query, { a: moment, b: moment, c: moment, d: moment, n: int32() })).toEqual({
      rows: [[at("2023-01-01T00:00:00.123456Z"), ...Array(3).fill(at("2023-01-01T00:00:00Z")), 1]],
      unreadable: [
        ["c", "type", "infinity", "0044-01-01 (BC)"],
        ["d", "type", "20000-01-01 00:00:00"],
      ],
    });
  });

  test("gives no moment for a number, whose unit nobody knows", async () => {
    expect(
      await taken("SELECT 1700000000 AS t, 1 AS n UNION ALL SELECT NULL, 2", { t: timestamp().nullable(), n: int32() }),
    ).toEqual({
      rows: [[null, 2]],
      unreadable: [["t", "type", "1700000000"]],
    });
  });
});
