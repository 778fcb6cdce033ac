import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, type DataRoom, NOW, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { liveHeap } from "../../../test/fixtures/live-heap.ts";
import { bool, type DeliveredRow, float64, int32, int64, type Since, source, string, timestamp } from "../definitions/index.ts";
import { spool, type TextRow } from "./spool.ts";

let room: DataRoom;
beforeEach(async () => {
  room = await openDataRoom();
});
afterEach(() => room.close());

describe("rows from a function", () => {
  const columns = {
    id: int32(),
    text: string().nullable(),
    big: int64().nullable(),
    x: float64().nullable(),
    yes: bool().nullable(),
    when: timestamp().nullable(),
  };

  test("keep their values: all digits, all characters, all moments", async () => {
    const rows = source.rows("rows", {
      columns,
      rows: () => [
        {
          id: 1,
          text: 'é😀"\n\u0000,',
          big: 9007199254740993n,
          x: 0.1 + 0.2,
          yes: true,
          when: new Date("2023-01-01T00:00:00.123Z"),
        },
        { id: 2, text: "", big: -5, x: Number.POSITIVE_INFINITY, yes: false, when: "2023-01-01T02:00:00.000001+02:00" },
        { id: 3, text: null, x: Number.NaN, when: null },
        { id: 4, text: "NA", x: 5e-324 },
      ],
    });
    const snapshot = await room.ingest(rows);
    expect(await room.read(snapshot, rows, {}, "ORDER BY id")).toEqual([
      { id: 1, text: 'é😀"\n\u0000,', big: 9007199254740993n, x: 0.1 + 0.2, yes: true, when: at("2023-01-01T00:00:00.123Z") },
      { id: 2, text: "", big: -5, x: Number.POSITIVE_INFINITY, yes: false, when: at("2023-01-01T00:00:00.000001Z") },
      { id: 3, text: null, big: null, x: null, yes: null, when: null },
      { id: 4, text: "NA", big: null, x: 5e-324, yes: null, when: null },
    ]);
    expect(snapshot.report.violations).toEqual([]);
    expect(room.leftovers()).toEqual([]);
  });

  test("have columns that are not declared noted, whichever rows have them, and only the first hundred", async () => {
    const made: DeliveredRow[] = [
      { id: 1, mood: "good" },
      { id: 2, "__proto__ ": 1 },
      { id: 3, mood: null },
    ];
    const rows = source.rows("rows", { columns, rows: () => made as Iterable<DeliveredRow> as Iterable<{ id: number }> });
    const noted = (await room.ingest(rows)).report.schema;
    expect(noted).toEqual({
      undeclared: [
        { column: "mood", type: null },
        { column: "__proto__ ", type: null },
      ],
      retyped: [],
    });
    made.push(...Array.from({ length: 200 }, (_, i) => ({ id: i + 4, [`c${i}`]: i })));
    expect((await room.ingest(rows)).report.schema?.undeclared).toHaveLength(100);
  });

  /** What JavaScript code can hand over where nobody checked its types. */
  const untyped = (made: unknown[]) =>
    source.rows("rows", { columns, rows: () => made as Iterable<DeliveredRow> as Iterable<{ id: number }> });

  test("that are of other types are counted as violations of their rows", async () => {
    const rows = untyped([
      { id: "one" },
      { id: 1.5 },
      { id: { a: 1n } },
      { id: 2, when: new Date("x") },
      { id: 3, text: "\ud800" },
    ]);
    const snapshot = await room.ingest(rows);
    expect(await room.read(snapshot, rows, { columns: ["id", "text"] })).toEqual([{ id: 3, text: "\ufffd" }]);
    expect(snapshot.report.violations).toMatchObject([
      { column: "id", rule: "type", rows: 3, samples: ["one", "1.5", '{"a":"1"}'] },
      { column: "when", rule: "type", rows: 1, samples: ["Invalid Date"] },
    ]);
  });

  test.each([
    ["null", [null]],
    ["a list", [[1]]],
    ["a text", ["id"]],
  ])("of which one is %s are refused with its number", async (_, made) => {
    await expect(room.ingest(untyped([{ id: 1 }, ...made]))).rejects.toMatchObject({
      code: "DATA_ROWS_INVALID",
      message: "Row 2 of source rows is no object",
    });
    expect(room.leftovers()).toEqual([]);
  });

  test("that fail on the way leave nothing behind, and say where and why", async () => {
    let closed = false;
    const failing = source.rows("rows", {
      columns,
      rows: async function* () {
        try {
          yield { id: 1 };
          throw new Error("the sensor is gone");
        } finally {
          closed = true;
        }
      },
    });
    await expect(room.ingest(failing)).rejects.toMatchObject({
      code: "DATA_ROWS_FAILED",
      kind: "unavailable",
      message: "rows of source rows failed after 1 rows: the sensor is gone",
    });
    expect(closed).toBe(true);
    expect(room.leftovers()).toEqual([]);
  });

  test("close the function where a contract stops them", async () => {
    let closed = false;
    const stopped = source.rows("rows", {
      columns: { id: int32().between(0, 1).onViolation("stop") },
      rows: function* () {
        try {
          for (let id = 0; ; id++) yield { id };
        } finally {
          closed = true;
        }
      },
    });
    await expect(room.ingest(stopped)).rejects.toMatchObject({ code: "DATA_CONTRACT_STOPPED" });
    expect(closed).toBe(true);
    expect(room.leftovers()).toEqual([]);
  });

  test("without any row, or without a column that every row needs, are an error", async () => {
    await expect(room.ingest(source.rows("none", { columns, rows: () => [] }))).rejects.toMatchObject({
      code: "DATA_EMPTY",
      message: "Source none has no rows",
    });
    await expect(room.ingest(source.rows("some", { columns, rows: () => [{ text: "x" }] }))).rejects.toMatchObject({
      code: "DATA_COLUMN_MISSING",
    });
  });

  test("are taken in again under the same hash, and replaced where they changed", async () => {
    const made = [{ id: 1 }, { id: 2 }];
    const rows = source.rows("rows", { columns, rows: () => made });
    const first = await room.ingest(rows);
    expect((await room.ingest(rows, { previous: first })).parts).toEqual(first.parts);
    const other = await openDataRoom(1);
    expect((await other.ingest(rows)).contentHash).toBe(first.contentHash);
    other.close();
    made.pop();
    expect(await room.ingest(rows, { previous: first })).toMatchObject({ rows: 1, parent: first.id });
    expect(await room.read(first, rows, { columns: ["id"] })).toEqual([{ id: 1 }, { id: 2 }]);
  });
});

describe("a stream of rows", () => {
  async function* numbers(count: number): AsyncGenerator<TextRow> {
    for (let n = 0; n < count; n++) yield { n: String(n) };
  }

  test("becomes batches of a bounded size, of which one lies on the disk at a time", async () => {
    const names: string[] = [];
    const hashes = new Set<string>();
    for await (const batch of spool("s", numbers(10), room.tmpDirectory, { rows: 4, bytes: 1e9 })) {
      names.push(batch.name);
      hashes.add(batch.hash);
      expect(room.leftovers()).toHaveLength(1);
    }
    expect(names).toEqual(["rows 1 to 4", "rows 5 to 8", "rows 9 to 10"]);
    expect(hashes.size).toBe(3);
    expect(room.leftovers()).toEqual([]);
  });

  test("is cut by bytes too, and not cut into an empty batch at its end", async () => {
    const sizes: string[] = [];
    for await (const { name } of spool("s", numbers(4), room.tmpDirectory, { rows: 1e9, bytes: 20 })) sizes.push(name);
    expect(sizes).toEqual(["rows 1 to 2", "rows 3 to 4"]);
  });

  test("of a million rows takes no more memory than one of a tenth", async () => {
    const wide = "x".repeat(200);
    const held: number[] = [];
    const rows = source.rows("wide", {
      columns: { id: int32(), text: string() },
      rows: function* () {
        for (let id = 0; id < 1_000_000; id++) {
          if (id % 100_000 === 50_000) held.push(liveHeap());
          yield { id, text: `${wide}${id % 1000}` };
        }
      },
    });
    const snapshot = await room.ingest(rows);
    expect(snapshot).toMatchObject({ rows: 1_000_000, disjoint: true });
    expect(snapshot.parts.length).toBe(2);
    expect(held).toHaveLength(10);
    // The rows alone are 200 MB of text.
    expect(Math.max(...held) - Math.min(...held)).toBeLessThan(20e6);
  }, 120_000);

  test("refuses a row that is larger than a line may be", async () => {
    const huge = source.rows("huge", { columns: { text: string() }, rows: () => [{ text: "é".repeat(8_500_000) }] });
    await expect(room.ingest(huge)).rejects.toMatchObject({ code: "DATA_ROWS_INVALID" });
    const large = source.rows("large", { columns: { text: string() }, rows: () => [{ text: "x".repeat(16_000_000) }] });
    expect(await room.ingest(large)).toMatchObject({ rows: 1 });
    expect(room.leftovers()).toEqual([]);
  });
});

describe("increments by watermark", () => {
  interface Reading extends DeliveredRow {
    readonly id: number | null;
    readonly value: number | string | null;
    readonly changed: Date | string | null;
  }
  const minute = (n: number) => new Date(Date.UTC(2023, 0, 1, 0, n));
  const reading = (id: number, value: number | string, n: number): Reading => ({ id, value, changed: minute(n) });

  /** A table that grows, and what was asked of it. */
  function growing(overlap?: "10m", keyed = true) {
    const table: Reading[] = [];
    const asked: Since[] = [];
    const answer = (since: Date | null) => {
      asked.push(since);
      return table.filter(({ changed }) => since === null || changed === null || new Date(changed) >= since);
    };
    const readings = source.rows("readings", {
      key: keyed ? ["id"] : [],
      eventTime: "changed",
      columns: { id: int32(), value: float64() },
      watermark: overlap === undefined ? "changed" : { column: "changed", overlap },
      // Values are as bad as tests want them.
      rows: (since) => answer(since) as Iterable<{ id: number }>,
    });
    return { table, asked, readings };
  }
  const values = async (snapshot: Parameters<DataRoom["read"]>[0], of: Parameters<DataRoom["read"]>[1]) =>
    (await room.read(snapshot, of, { columns: ["id", "value"] }, "ORDER BY id, value")).map(({ id, value }) => [id, value]);

  test("ask from the greatest watermark on, keep the parts before and add what is new", async () => {
    const { table, asked, readings } = growing();
    table.push(reading(1, 1, 1), reading(2, 2, 2));
    const first = await room.ingest(readings);
    table.push(reading(3, 3, 3));
    const second = await room.ingest(readings, { previous: first, asOf: NOW + 1 });
    expect(asked).toEqual([null, minute(2)]);
    expect(second.parts).toHaveLength(2);
    expect(second.parts[0]).toEqual(first.parts[0]);
    expect(second.parts[1]).toMatchObject({ rows: 1, quarantined: 0 });
    expect(await values(second, readings)).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(second).toMatchObject({ parent: first.id, rows: 3, disjoint: true });
    expect(await values(first, readings)).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  test("that are repeated add nothing, also where everything is delivered again", async () => {
    const { table, readings } = growing();
    table.push(
      reading(1, 1, 1),
      reading(2, 2, 2),
      { id: 3, value: "tall", changed: minute(2) },
      { id: null, value: 1, changed: null },
    );
    const first = await room.ingest(readings);
    expect(first.report.quarantined).toBe(2);
    const again = await room.ingest(readings, { previous: first });
    expect(again.parts).toEqual(first.parts);
    expect(again).toMatchObject({ contentHash: first.contentHash, id: first.id });
    const all = { ...readings, origin: { kind: "rows", rows: () => table } as const };
    const whole = await room.ingest(all);
    expect((await room.ingest(all, { previous: whole })).parts).toEqual(whole.parts);
  });

  test("take rows with the watermark where the last one ended, once each, however often they are equal", async () => {
    const { table, readings } = growing(undefined, false);
    table.push(reading(1, 1, 5), reading(1, 1, 5));
    const first = await room.ingest(readings);
    table.push(reading(1, 1, 5), reading(2, 2, 5));
    const second = await room.ingest(readings, { previous: first });
    expect(await values(second, readings)).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
      [2, 2],
    ]);
    expect((await room.ingest(readings, { previous: second })).parts).toEqual(second.parts);
  });

  test("find rows that were written late, as far back as the overlap goes", async () => {
    const { table, asked, readings } = growing("10m");
    table.push(reading(1, 1, 20));
    const first = await room.ingest(readings);
    table.push(reading(2, 2, 9), reading(3, 3, 11));
    const second = await room.ingest(readings, { previous: first });
    expect(asked).toEqual([null, minute(10)]);
    expect(await values(second, readings)).toEqual([
      [1, 1],
      [3, 3],
    ]);
  });

  test("show a corrected cell that could not be read before, and count another unreadable one", async () => {
    const { table, readings } = growing();
    table.push(reading(1, 1, 1), reading(2, "tall", 1));
    const first = await room.ingest(readings);
    table.push(reading(2, 7, 1), reading(3, "small", 1));
    const second = await room.ingest(readings, { previous: first });
    expect(await values(second, readings)).toEqual([
      [1, 1],
      [2, 7],
    ]);
    expect(second.report.quarantined).toBe(2);
  });

  test("make versions of a row whose key comes again", async () => {
    const { table, readings } = growing();
    table.push(reading(1, 1, 1));
    const first = await room.ingest(readings);
    table.push(reading(1, 5, 3));
    const second = await room.ingest(readings, { previous: first });
    expect(second).toMatchObject({ disjoint: false, rows: 1 });
    expect(await values(second, readings)).toEqual([[1, 5]]);
    expect((await room.read(second, readings, { asOf: at("2023-01-01T00:02:00Z"), columns: ["value"] })).length).toBe(1);
  });

  test("are not held up by a row from the future", async () => {
    const { table, asked, readings } = growing();
    table.push(reading(1, 1, 1), { id: 9, value: 9, changed: "2999-01-01T00:00:00Z" });
    const first = await room.ingest(readings);
    table.push({ id: 2, value: 2, changed: new Date(NOW / 1000 + 60_000) });
    const second = await room.ingest(readings, { previous: first, asOf: NOW + 120e6 });
    expect(asked[1]).toEqual(new Date(NOW / 1000));
    expect(await values(second, readings)).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  test("begin anew where the contract or the function changed, or bytes are gone", async () => {
    const { table, asked, readings } = growing();
    table.push(reading(1, 1, 1));
    const first = await room.ingest(readings);
    const strict = source.rows("readings", {
      key: ["id"],
      eventTime: "changed",
      columns: { id: int32(), value: float64().between(0, 10) },
      watermark: "changed",
      rows: (since) => [{ id: since === null ? 1 : 2, value: 1, changed: minute(1) }],
    });
    expect(await values(await room.ingest(strict, { previous: first }), strict)).toEqual([[1, 1]]);
    const other = await openDataRoom();
    await other.ingest(readings, { previous: first });
    other.close();
    expect(asked).toEqual([null, null]);
  });

  test("are judged by the references of their time, and not read again when these change", async () => {
    const cities = source.csv("cities", { path: "cities.csv", columns: { name: string() } });
    const made = [{ city: "Rome", at: minute(1) }];
    const asked: Since[] = [];
    const trips = source.rows("trips", {
      columns: { city: string().oneOf("cities.name"), at: timestamp() },
      watermark: "at",
      rows: (since) => {
        asked.push(since);
        return made;
      },
    });
    const known = async () => new Map([["cities", { snapshot: await room.ingest(cities), source: cities }]]);
    room.write("cities.csv", "name\nRome\n");
    const first = await room.ingest(trips, { references: await known() });
    room.write("cities.csv", "name\nOslo\n");
    made.push({ city: "Oslo", at: minute(2) }, { city: "Rome", at: minute(3) });
    const second = await room.ingest(trips, { previous: first, references: await known() });
    expect(asked).toEqual([null, minute(1)]);
    expect((await room.read(second, trips, { columns: ["city"] })).map(({ city }) => city)).toEqual(["Rome", "Oslo"]);
    expect(second.report).toMatchObject({ quarantined: 1, violations: [{ rule: "reference", rows: 1, samples: ["Rome"] }] });
  });

  test("of whole numbers and of texts go on from the greatest", async () => {
    const asked: unknown[] = [];
    const numbered = source.rows("numbered", {
      columns: { n: int64() },
      watermark: "n",
      rows: (since) => {
        asked.push(since);
        return [{ n: 9007199254740992n }, { n: 9007199254740993n }];
      },
    });
    await room.ingest(numbered, { previous: await room.ingest(numbered) });
    const named = source.rows("named", {
      columns: { name: string() },
      watermark: "name",
      rows: (since) => {
        asked.push(since);
        return [{ name: "é" }, { name: "z" }];
      },
    });
    await room.ingest(named, { previous: await room.ingest(named) });
    expect(asked).toEqual([null, 9007199254740993n, null, "é"]);
  });

  test.each([
    ["is not one of its columns", source.rows("w", { columns: { a: int32() }, watermark: "b", rows: () => [{ a: 1 }] })],
    ["is a bool and has no order", source.rows("w", { columns: { a: bool() }, watermark: "a", rows: () => [{ a: true }] })],
    ["may be null", source.rows("w", { columns: { a: int32().nullable() }, watermark: "a", rows: () => [{ a: 1 }] })],
    ["may be null", source.rows("w", { columns: { a: int32().onViolation("warn") }, watermark: "a", rows: () => [{ a: 1 }] })],
  ])("by a column that %s are refused", async (why, refused) => {
    await expect(room.ingest(refused)).rejects.toMatchObject({
      code: "DATA_CONTRACT_INVALID",
      message: expect.stringContaining(why),
    });
  });
});

describe("deletions", () => {
  test("need nothing but their key and their times, and are not there from then on", async () => {
    const shops = source.rows("shops", {
      key: ["id"],
      availableTime: "known",
      columns: { id: int32(), name: string().in(["a", "b"]), gone: bool() },
      deleted: "gone",
      rows: () =>
        [
          { id: 1, name: "a", gone: false, known: "2023-01-01" },
          { id: 2, name: "b", gone: false, known: "2023-01-01" },
          { id: 1, gone: true, known: "2023-02-01" },
          { id: 3, name: "c", gone: false, known: "2023-02-01" },
          { gone: true, known: "2023-02-01" },
        ] as Iterable<{ id: number }>,
    });
    const snapshot = await room.ingest(shops);
    expect(snapshot.report.violations).toMatchObject([
      { column: "id", rule: "null", rows: 1 },
      { column: "name", rule: "set", rows: 1, samples: ["c"] },
      { column: "id", rule: "key", rows: 1 },
    ]);
    expect(await room.read(snapshot, shops, { columns: ["id"] })).toEqual([{ id: 2 }]);
    expect(await room.read(snapshot, shops, { columns: ["id"], asOf: at("2023-01-15T00:00:00Z") }, "ORDER BY id")).toEqual([
      { id: 1 },
      { id: 2 },
    ]);
  });
});
