import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, type DataRoom, NOW, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { bool, float64, int32, int64, source, string, timestamp } from "../definitions/index.ts";
import { type Snapshot, snapshotPaths, snapshotRelation } from "./index.ts";

let room: DataRoom;
beforeEach(async () => {
  room = await openDataRoom();
});
afterEach(() => room.close());

const people = source.csv("people", {
  path: "people*.csv",
  key: ["id"],
  columns: {
    id: int32(),
    city: string().in(["Rome", "Oslo"]),
    height: float64().between(0, 3).nullable({ atMost: 0.5 }),
  },
});

describe("taking a source in", () => {
  test("keeps sound rows, in the declared types, and ignores columns that nobody declared", async () => {
    room.write("people.csv", "id,extra,city,height\n1,x,Rome,1.7\n2,y,Oslo,\n");
    const snapshot = await room.ingest(people);
    expect(await room.read(snapshot, people)).toEqual([
      { id: 1, city: "Rome", height: 1.7 },
      { id: 2, city: "Oslo", height: null },
    ]);
    expect(snapshot).toMatchObject({ source: "people", rows: 2, disjoint: true, parent: null });
    expect(snapshot.columns).toEqual({ id: "int32", city: "string", height: "float64" });
    expect(snapshot.report).toEqual({
      rows: 2,
      quarantined: 0,
      violations: [],
      nullShares: [],
      schema: { undeclared: [{ column: "extra", type: null }], retyped: [] },
    });
  });

  test("keeps a row whose outcome is not known yet, and apart one without its own times", async () => {
    const trips = source.csv("trips", {
      path: "trips.csv",
      key: ["id"],
      eventTime: "left_at",
      availableTime: { default: "known_at", outcome: { columns: ["late"], at: "late_known_at" } },
      columns: { id: int32(), late: bool().nullable() },
    });
    const day = "2024-01-01";
    room.write(
      "trips.csv",
      `id,left_at,known_at,late,late_known_at\n1,${day},${day},,\n2,${day},${day},true,2024-01-02\n3,,${day},true,${day}\n4,${day},,true,${day}\n`,
    );
    const snapshot = await room.ingest(trips);
    expect((await room.read(snapshot, trips)).map(({ id }) => id)).toEqual([1, 2]);
    expect(snapshot.report.violations.map(({ column, rule, rows }) => [column, rule, rows])).toEqual([
      ["left_at", "null", 1],
      ["known_at", "null", 1],
    ]);
  });

  test("counts a bad cell as a violation of its row, keeps the row apart with the reason and the value, and goes on", async () => {
    room.write("people.csv", "id,city,height\n1,Rome,tall\n2,Paris,9\n3,Oslo,1.8\n");
    const snapshot = await room.ingest(people);
    expect((await room.read(snapshot, people)).map(({ id }) => id)).toEqual([3]);
    expect(snapshot.report.quarantined).toBe(2);
    expect(snapshot.report.violations).toEqual([
      { column: "city", rule: "set", severity: "quarantine", rows: 1, samples: ["Paris"] },
      { column: "height", rule: "type", severity: "quarantine", rows: 1, samples: ["tall"] },
      { column: "height", rule: "range", severity: "quarantine", rows: 1, samples: ["9.0"] },
    ]);
    const [part] = snapshot.parts;
    const kept = await room.engine.rows(
      `SELECT id, __reason FROM read_parquet('${await room.artifacts.localPath(part?.quarantine ?? "")}') ORDER BY id`,
    );
    expect(kept).toEqual([
      { id: 1, __reason: "height: type" },
      { id: 2, __reason: "city: set; height: range" },
    ]);
    expect((part?.rows ?? 0) + (part?.quarantined ?? 0)).toBe(3);
  });

  test("only counts what breaks a contract that warns", async () => {
    const warned = source.csv("w", { path: "w.csv", columns: { x: float64().between(0, 1).onViolation("warn") } });
    room.write("w.csv", "x\n0.5\n7\n");
    const snapshot = await room.ingest(warned);
    expect(snapshot).toMatchObject({
      rows: 2,
      report: { quarantined: 0, violations: [{ rule: "range", severity: "warn", rows: 1 }] },
    });
  });

  test("refuses the whole file for a contract that stops, says by what, and leaves nothing behind", async () => {
    const stopped = source.csv("s", { path: "s.csv", columns: { x: float64().between(0, 1).onViolation("stop") } });
    room.write("s.csv", "x\n0.5\n7\n8\n");
    await expect(room.ingest(stopped)).rejects.toMatchObject({
      code: "DATA_CONTRACT_STOPPED",
      message: expect.stringContaining("x (range: 2 rows)"),
      details: { violations: [{ column: "x", samples: ["7.0", "8.0"] }] },
    });
    expect(room.leftovers()).toEqual([]);
  });

  test("shows no values of personal columns", async () => {
    const personal = source.csv("p", {
      path: "p.csv",
      key: ["mail"],
      columns: { mail: string().matches(".+@.+").personal(), n: int32() },
    });
    room.write("p.csv", "mail,n\nnobody,1\na@b,2\na@b,3\n");
    const { report } = await room.ingest(personal);
    expect(report.violations.map(({ rule, samples }) => [rule, samples])).toEqual([
      ["pattern", []],
      ["key", []],
    ]);
  });

  test("reports a share of nulls over its limit as a warning, and keeps the rows", async () => {
    room.write("people.csv", "id,city,height\n1,Rome,\n2,Rome,\n3,Rome,1\n");
    const { rows, report } = await room.ingest(people);
    expect(rows).toBe(3);
    expect(report.nullShares).toEqual([{ column: "height", atMost: 0.5, share: 2 / 3 }]);
    expect(report.violations).toEqual([{ column: "height", rule: "null", severity: "warn", rows: 2, samples: [] }]);
  });

  test("takes the last row of a key, keeps the earlier ones and those without a key apart", async () => {
    room.write("people.csv", "id,city,height\n1,Rome,1\n1,Oslo,2\n,Oslo,2\n2,Oslo,1\n");
    const snapshot = await room.ingest(people);
    expect(await room.read(snapshot, people, {}, "ORDER BY id")).toEqual([
      { id: 1, city: "Oslo", height: 2 },
      { id: 2, city: "Oslo", height: 1 },
    ]);
    expect(snapshot.report.violations).toContainEqual({
      column: "id",
      rule: "key",
      severity: "quarantine",
      rows: 2,
      samples: ["1", "null"],
    });
  });

  test("does not let a broken row push out a sound one with the same key", async () => {
    room.write("people.csv", "id,city,height\n1,Rome,1\n1,Atlantis,2\n");
    const snapshot = await room.ingest(people);
    expect(await room.read(snapshot, people)).toEqual([{ id: 1, city: "Rome", height: 1 }]);
  });

  test("keeps one row of a column that must be unique, whichever rows repeat it", async () => {
    const unique = source.csv("u", { path: "u.csv", columns: { code: string().unique(), n: int32() } });
    room.write("u.csv", "code,n\na,1\nb,2\na,3\n");
    const snapshot = await room.ingest(unique);
    expect(await room.read(snapshot, unique, {}, "ORDER BY n")).toEqual([
      { code: "b", n: 2 },
      { code: "a", n: 3 },
    ]);
  });

  test("judges references against the other source's values", async () => {
    const cities = source.csv("cities", { path: "cities.csv", columns: { name: string() } });
    const trips = source.csv("trips", { path: "trips.csv", columns: { to: string().oneOf("cities.name"), n: int32() } });
    room.write("cities.csv", "name\nRome\nOslo\n");
    room.write("trips.csv", "to,n\nRome,1\nAtlantis,2\n");
    const references = new Map([["cities", { snapshot: await room.ingest(cities), source: cities }]]);
    const snapshot = await room.ingest(trips, { references });
    expect(await room.read(snapshot, trips)).toEqual([{ to: "Rome", n: 1 }]);
    expect(snapshot.report.violations).toMatchObject([{ column: "to", rule: "reference", rows: 1, samples: ["Atlantis"] }]);
    await expect(room.ingest(trips)).rejects.toMatchObject({ code: "DATA_REFERENCE_UNKNOWN" });
  });

  test("reads timestamps without a zone as UTC and honours an offset", async () => {
    const events = source.csv("events", { path: "events.csv", eventTime: "at", columns: { n: int32() } });
    room.write("events.csv", "n,at\n1,2013-07-01 12:00:00\n2,2013-07-01T12:00:00+02:00\n3,2013-07-01T12:00:00.123456Z\n4,soon\n");
    const snapshot = await room.ingest(events);
    expect(await room.read(snapshot, events, {}, "ORDER BY n")).toEqual([
      { n: 1, at: at("2013-07-01T12:00:00Z") },
      { n: 2, at: at("2013-07-01T10:00:00Z") },
      { n: 3, at: at("2013-07-01T12:00:00.123456Z") },
    ]);
  });

  test("never rounds a fraction into an integer, and knows the ways of saying that there is no value", async () => {
    const numbers = source.csv("numbers", {
      path: "numbers.csv",
      columns: { id: string(), i: int32().nullable(), big: int64().nullable(), f: float64().nullable(), b: bool().nullable() },
    });
    room.write(
      "numbers.csv",
      "id,i,big,f,b\nwhole,7,9007199254740993,1e3,true\nNA,NA,nan,NaN,null\nfraction,1.5,1,1,false\nzero,2.0,2,-0.5,0\n",
    );
    const snapshot = await room.ingest(numbers);
    expect(await room.read(snapshot, numbers, {}, "ORDER BY id")).toEqual([
      { id: "NA", i: null, big: null, f: null, b: null },
      { id: "whole", i: 7, big: 9007199254740993n, f: 1000, b: true },
      { id: "zero", i: 2, big: 2, f: -0.5, b: false },
    ]);
    expect(snapshot.report.violations).toEqual([
      { column: "i", rule: "type", severity: "quarantine", rows: 1, samples: ["1.5"] },
    ]);
  });

  test("casts Parquet of other types, and takes NaN as no value", async () => {
    const typed = source.parquet("typed", {
      path: "typed.parquet",
      columns: { i: int32(), f: float64().nullable(), t: timestamp(), s: string() },
    });
    await room.parquet(
      "typed.parquet",
      `SELECT 3::BIGINT AS i, 'NaN'::FLOAT AS f, TIMESTAMPTZ '2020-01-01 02:00:00+02' AS t, 5::INTEGER AS s
       UNION ALL SELECT 5000000000, 1.5, NULL, 6`,
    );
    const snapshot = await room.ingest(typed);
    expect(await room.read(snapshot, typed)).toEqual([{ i: 3, f: null, t: at("2020-01-01T00:00:00Z"), s: "5" }]);
    expect(snapshot.report.violations.map(({ column, rule }) => `${column}: ${rule}`)).toEqual(["i: type", "t: null"]);
  });

  test("has one content hash for one content, however many threads write it", async () => {
    const many = source.parquet("many", { path: "many.parquet", eventTime: "at", columns: { x: int32() } });
    const file = await room.parquet(
      "many.parquet",
      "SELECT (i * 7919 % 1000)::INTEGER AS x, TIMESTAMP '2020-01-01' + to_seconds(i * 31 % 977) AS at FROM range(200000) r(i)",
    );
    const one = await openDataRoom(1);
    copyFileSync(file, join(one.directory, "many.parquet"));
    const [ours, theirs] = [await room.ingest(many), await one.ingest(many)];
    one.close();
    expect(theirs.contentHash).toBe(ours.contentHash);
    expect(theirs.id).toBe(ours.id);
  });
});

describe("taking a source in again", () => {
  test("uses the part of a file that has not changed, whatever its times and name say", async () => {
    const path = room.write("people.csv", "id,city,height\n1,Rome,1\n");
    const previous = await room.ingest(people);
    utimesSync(path, 1, 1);
    renameSync(path, join(room.directory, "people-2.csv"));
    const again = await room.ingest(people, { previous, asOf: NOW + 1 });
    expect(again.parts[0]).toEqual({ ...previous.parts[0], file: "people-2.csv" });
    expect(again).toMatchObject({ contentHash: previous.contentHash, parent: previous.id });
    expect(again.id).not.toBe(previous.id);
  });

  test("reads a file again whose bytes changed while size and times did not", async () => {
    const path = room.write("people.csv", "id,city,height\n1,Rome,1\n");
    const previous = await room.ingest(people);
    const { atime, mtime } = statSync(path);
    writeFileSync(path, "id,city,height\n1,Oslo,1\n");
    utimesSync(path, atime, mtime);
    const again = await room.ingest(people, { previous });
    expect(again.contentHash).not.toBe(previous.contentHash);
    expect(await room.read(again, people)).toEqual([{ id: 1, city: "Oslo", height: 1 }]);
  });

  test("judges an unchanged file again when its contract or the values it refers to change", async () => {
    const cities = source.csv("cities", { path: "cities.csv", eventTime: "since", columns: { name: string() } });
    const trips = source.csv("trips", { path: "trips.csv", columns: { to: string().oneOf("cities.name").onViolation("warn") } });
    room.write("cities.csv", "name,since\nRome,2020-01-01\nOslo,2030-01-01\n");
    room.write("trips.csv", "to\nRome\nOslo\n");
    const known = async (asOf: number) =>
      new Map([["cities", { snapshot: await room.ingest(cities, { asOf }), source: cities }]]);
    const first = await room.ingest(trips, { references: await known(NOW) });
    expect(first.report.violations).toHaveLength(1);
    const same = await room.ingest(trips, { previous: first, references: await known(NOW + 1) });
    expect(same.parts).toEqual(first.parts);
    const later = await room.ingest(trips, { previous: same, references: await known(at("2031-01-01T00:00:00Z")) });
    expect(later.report.violations).toEqual([]);
  });

  test("makes a part anew whose bytes are gone from the store", async () => {
    room.write("people.csv", "id,city,height\n1,Rome,1\n");
    const previous = await room.ingest(people);
    const other = await openDataRoom();
    copyFileSync(join(room.directory, "people.csv"), join(other.directory, "people.csv"));
    const again = await other.ingest(people, { previous });
    expect(await other.read(again, people)).toEqual([{ id: 1, city: "Rome", height: 1 }]);
    other.close();
  });

  test("adds a new file as a part of its own, and the last delivery of a key wins", async () => {
    room.write("people-1.csv", "id,city,height\n1,Rome,1\n2,Rome,1\n");
    const previous = await room.ingest(people);
    expect(previous.disjoint).toBe(true);
    room.write("people-2.csv", "id,city,height\n2,Oslo,2\n3,Oslo,2\n");
    const again = await room.ingest(people, { previous });
    expect(again).toMatchObject({ disjoint: false, rows: 3 });
    expect(again.parts[0]).toEqual(previous.parts[0]);
    expect(await room.read(again, people, { columns: ["id", "city"] }, "ORDER BY id")).toEqual([
      { id: 1, city: "Rome" },
      { id: 2, city: "Oslo" },
      { id: 3, city: "Oslo" },
    ]);
  });

  test("knows whether a key stands twice, whichever parts were there before, came or went", async () => {
    const versions = source.csv("v", { path: "v*.csv", key: ["id"], eventTime: "at", columns: { id: int32(), n: int32() } });
    const write = (name: string, ...rows: [id: number, day: number][]) =>
      room.write(`${name}.csv`, `id,n,at\n${rows.map(([id, day]) => `${id},1,2023-01-0${day}`).join("\n")}\n`);
    const steps: [() => void, boolean][] = [
      [() => write("v1", [1, 1], [2, 1]), true],
      [() => write("v2", [3, 1]), true],
      [() => write("v3", [2, 2], [4, 1]), false],
      [() => write("v4", [5, 1]), false],
      [() => rmSync(join(room.directory, "v3.csv")), true],
      [() => write("v5", [6, 1], [6, 2]), false],
      [() => write("v5", [6, 1], [7, 2]), true],
      [() => copyFileSync(join(room.directory, "v1.csv"), join(room.directory, "v6.csv")), false],
    ];
    let previous: Snapshot | undefined;
    for (const [step, disjoint] of steps) {
      step();
      const options = previous === undefined ? {} : { previous };
      previous = await room.ingest(versions, options);
      expect(previous.disjoint).toBe(disjoint);
      expect((await room.ingest(versions)).disjoint).toBe(disjoint);
    }
  });

  test("can be read by what the source said then, when it says something else today", async () => {
    room.write("people-1.csv", "id,city,height\n1,Rome,1\n1,Oslo,2\n");
    const then: Snapshot = JSON.parse(JSON.stringify(await room.ingest(people)));
    const { definition } = then;
    if (definition === undefined) throw new Error("no definition");
    const relation = snapshotRelation(then, definition, await snapshotPaths(room.artifacts, then));
    expect(await room.engine.rows(`SELECT * FROM ${relation}`)).toEqual([{ id: 1, city: "Oslo", height: 2 }]);
  });

  test("drops no row of a source without a key, even when one file is delivered twice", async () => {
    const events = source.csv("events", { path: "e*.csv", columns: { n: int32() } });
    room.write("e1.csv", "n\n1\n1\n");
    room.write("e2.csv", "n\n1\n1\n");
    expect(await room.ingest(events)).toMatchObject({ rows: 4, disjoint: true });
    const keyed = source.csv("events", { path: "e*.csv", key: ["n"], columns: { n: int32() } });
    expect(await room.ingest(keyed)).toMatchObject({ rows: 1, disjoint: false });
  });
});

describe("input that cannot be taken in", () => {
  const one = source.csv("one", { path: "one.csv", columns: { distance: float64() } });

  test("names the pattern and the folder when no file is there", async () => {
    await expect(room.ingest(one)).rejects.toMatchObject({
      code: "DATA_FILE_MISSING",
      kind: "not-found",
      message: expect.stringContaining("one.csv"),
    });
    mkdirSync(join(room.directory, "one.csv"));
    await expect(room.ingest(one)).rejects.toMatchObject({ code: "DATA_FILE_MISSING" });
  });

  test("names the file, what is there and the nearest name when a column is missing", async () => {
    room.write("one.csv", "id,distanse\n1,2\n");
    await expect(room.ingest(one)).rejects.toMatchObject({
      code: "DATA_COLUMN_MISSING",
      message: 'one.csv of source one has no column "distance"; did you mean "distanse"? It has id, distanse',
    });
    room.write("one.csv", "Distance\n1\n");
    await expect(room.ingest(one)).rejects.toMatchObject({ message: expect.stringContaining('did you mean "Distance"?') });
  });

  test("names every column that is other than declared, and what to write for it", async () => {
    const several = source.parquet("several", {
      path: "several.parquet",
      columns: { id: int32(), amount: float64(), city: string(), note: string().nullable() },
    });
    await room.parquet("several.parquet", "SELECT 'one' AS id, 1.5::DOUBLE AS amounts, 'Bonn' AS town, 'x' AS note, true AS vip");
    await expect(room.ingest(several)).rejects.toMatchObject({
      code: "DATA_COLUMN_MISSING",
      message:
        'several.parquet of source several has no columns "amount" (perhaps "amounts" now), "city". "id" is string instead of int32. It has id, amounts, town, note, vip',
      hint: 'In the source\'s columns: write "amounts: float64()" for "amount" if it was renamed; take out "city", or have it delivered again; write "town: string()" to take in "town"; write "vip: bool()" to take in "vip"; write "id: string()" if its type is another now.',
      details: {
        missing: [
          { column: "amount", type: "float64", perhaps: "amounts" },
          { column: "city", type: "string", perhaps: null },
        ],
        undeclared: [
          { column: "amounts", type: "float64" },
          { column: "town", type: "string" },
          { column: "vip", type: "bool" },
        ],
        retyped: [{ column: "id", declared: "int32", delivered: "string" }],
      },
    });
  });

  test("takes a column in its place for the one that is missing, where its type is the same", async () => {
    const placed = source.parquet("placed", {
      path: "placed.parquet",
      columns: { id: int32(), city: string(), amount: float64() },
    });
    await room.parquet("placed.parquet", "SELECT 1 AS id, 'Bonn' AS place, 1.5::DOUBLE AS amount");
    await expect(room.ingest(placed)).rejects.toMatchObject({ message: expect.stringContaining('did you mean "place"?') });
  });

  test("notes columns that are new or of another type in the report, and takes in the others", async () => {
    const growing = source.parquet("growing", { path: "growing.parquet", columns: { id: int32(), amount: float64() } });
    await room.parquet("growing.parquet", "SELECT 1::BIGINT AS id, '2.5' AS amount, DATE '2026-01-01' AS since");
    const snapshot = await room.ingest(growing);
    expect(snapshot).toMatchObject({ rows: 1, columns: { id: "int32", amount: "float64" } });
    expect(snapshot.report.schema).toEqual({
      undeclared: [{ column: "since", type: "timestamp" }],
      retyped: [{ column: "amount", declared: "float64", delivered: "string" }],
    });
    room.write("one.csv", "distance,colour\n1,red\n");
    expect((await room.ingest(one)).report.schema).toEqual({ undeclared: [{ column: "colour", type: null }], retyped: [] });
    room.write("one.csv", "distance\n1\n");
    expect((await room.ingest(one)).report.schema).toBeUndefined();
  });

  test.each([
    ["no byte", ""],
    ["only a header", "distance\n"],
  ])("says that a file with %s has no rows", async (_, text) => {
    room.write("one.csv", text);
    await expect(room.ingest(one)).rejects.toMatchObject({ code: "DATA_EMPTY", kind: "invalid" });
  });

  test("says that an empty Parquet table has no rows", async () => {
    const empty = source.parquet("empty", { path: "empty.parquet", columns: { x: int32() } });
    await room.parquet("empty.parquet", "SELECT 1::INTEGER AS x WHERE false");
    await expect(room.ingest(empty)).rejects.toMatchObject({ code: "DATA_EMPTY" });
  });

  test("says by which rules every row was lost", async () => {
    room.write("one.csv", "distance\nfar\nfarther\n");
    await expect(room.ingest(one)).rejects.toMatchObject({
      code: "DATA_NOTHING_LEFT",
      message: expect.stringContaining("distance (type: 2 rows)"),
    });
  });

  test.each(["torn", "flipped", "text", "empty"])("calls a Parquet file that is %s corrupt", async (damage) => {
    const big = source.parquet("big", { path: "big.parquet", columns: { x: int32(), s: string() } });
    const path = await room.parquet("big.parquet", "SELECT i::INTEGER AS x, 'text ' || i AS s FROM range(5000) r(i)");
    const bytes = readFileSync(path);
    if (damage === "flipped") bytes.fill(0xff, 40, 400);
    const damaged = {
      torn: bytes.subarray(0, bytes.length / 2),
      flipped: bytes,
      text: Buffer.from("x,s\n1,a\n"),
      empty: Buffer.alloc(0),
    };
    writeFileSync(path, damaged[damage as keyof typeof damaged]);
    await expect(room.ingest(big)).rejects.toMatchObject({
      code: "DATA_FILE_CORRUPT",
      message: expect.stringMatching(/^big\.parquet of source big cannot be read as Parquet: [^\n]+$/),
    });
    expect(room.leftovers()).toEqual([]);
  });

  test("calls a CSV file that is no text corrupt", async () => {
    room.write("one.csv", Uint8Array.from([0x64, 0x0a, 0xff, 0xfe, 0x00, 0x81, 0x0a]));
    await expect(room.ingest(one)).rejects.toMatchObject({ code: "DATA_COLUMN_MISSING" });
    room.write("one.csv", Uint8Array.from([...Buffer.from("distance\n"), 0xff, 0xfe, 0x00, 0x81, 0x0a]));
    await expect(room.ingest(one)).rejects.toMatchObject({ code: "DATA_FILE_CORRUPT" });
  });

  test("refuses contracts that make no sense before it reads anything", async () => {
    const csv = (columns: Parameters<typeof source.csv>[1]["columns"]) => source.csv("bad", { path: "one.csv", columns });
    room.write("one.csv", "x\n1\n");
    await expect(room.ingest(csv({ x: string().between(0, 1) }))).rejects.toMatchObject({
      code: "DATA_CONTRACT_INVALID",
      message: "bad.x is a string and cannot have a range of numbers",
    });
    await expect(room.ingest(csv({ x: string().matches("(") }))).rejects.toMatchObject({ code: "DATA_PATTERN_INVALID" });
    await expect(room.ingest(csv({ x: int32(), X: int32() }))).rejects.toMatchObject({ code: "DATA_CONTRACT_INVALID" });
    await expect(room.ingest(csv({ __row: int32() }))).rejects.toMatchObject({ code: "DATA_CONTRACT_INVALID" });
  });

  test("says that a file changed while it was read", async () => {
    const path = room.write("one.csv", "distance\n1\n");
    const racing = {
      ...room.engine,
      rows: room.engine.rows.bind(room.engine),
      query: room.engine.query.bind(room.engine),
      close: () => undefined,
    };
    const { ingest } = await import("./ingest.ts");
    const engine = {
      ...racing,
      run: async (sql: string) => {
        if (sql.startsWith("COPY")) appendFileSync(path, "2\n");
        await room.engine.run(sql);
      },
    };
    const options = { projectDirectory: room.directory, asOf: NOW, createdAt: NOW };
    await expect(
      ingest({ engine, artifacts: room.artifacts, tmpDirectory: room.tmpDirectory }, one, options),
    ).rejects.toMatchObject({
      code: "DATA_FILE_CHANGED",
    });
  });
});

describe("names that look like SQL", () => {
  test("columns, values, files and folders may hold quotes, reserved words and pattern characters", async () => {
    const nasty = "se\"lect'; DROP TABLE x; --";
    const odd = source.csv("odd 'source\"", {
      path: "o'd\"d [1]*?/f'i\"le [a].csv",
      key: ["select", nasty],
      eventTime: "order",
      columns: { select: string().in(["it's", "');--"]).matches(".*'.*"), [nasty]: string(), group: int32().between(0, 5) },
    });
    mkdirSync(join(room.directory, "o'd\"d [1]*?"));
    room.write(
      "o'd\"d [1]*?/f'i\"le [a].csv",
      `select,"${nasty.replaceAll('"', '""')}",group,order\nit's,a,1,2020-01-01\nits,b,9,2020-01-01\n`,
    );
    const snapshot = await room.ingest(odd);
    expect(await room.read(snapshot, odd)).toEqual([
      { select: "it's", [nasty]: "a", group: 1, order: at("2020-01-01T00:00:00Z") },
    ]);
    expect(snapshot.report.violations.map(({ column, rule }) => `${column} ${rule}`)).toEqual([
      "select set",
      "select pattern",
      "group range",
    ]);
  });
});
