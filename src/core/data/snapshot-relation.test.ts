import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, type DataRoom, NOW, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { bool, float64, int32, source, string } from "../definitions/index.ts";
import type { Micros } from "../time.ts";
import type { Snapshot } from "./index.ts";

let room: DataRoom;
beforeAll(async () => {
  room = await openDataRoom();
});
afterAll(() => room.close());

const flights = source.csv("flights", {
  path: "flights*.csv",
  key: ["id"],
  eventTime: "departs",
  availableTime: { default: "published", outcome: { columns: ["delay"], at: "landed" } },
  columns: { id: string(), delay: float64().nullable() },
});

const HEADER = "id,departs,published,landed,delay\n";
const day = (n: number) => `2023-06-${String(n).padStart(2, "0")}`;

describe("a snapshot read as it could be known", () => {
  let snapshot: Snapshot;
  beforeAll(async () => {
    room.write(
      "flights.csv",
      `${HEADER}a,${day(10)},${day(1)},${day(11)},5\nb,${day(10)},${day(5)},${day(20)},7\nc,${day(12)},${day(9)},${day(12)},\n`,
    );
    snapshot = await room.ingest(flights);
  });
  const known = (asOf: string) =>
    room.read(snapshot, flights, { asOf: at(asOf), columns: ["landed", "id", "delay"] }, "ORDER BY id");

  test("hides rows that were not available, and the late columns of those that were, with the time that dates them", async () => {
    expect(await known(day(4))).toEqual([{ id: "a", delay: null, landed: null }]);
    expect(await known(day(11))).toEqual([
      { id: "a", delay: 5, landed: at(day(11)) },
      { id: "b", delay: null, landed: null },
      { id: "c", delay: null, landed: null },
    ]);
    expect((await known(day(30))).map(({ delay }) => delay)).toEqual([5, 7, null]);
    expect(await known("2023-05-01")).toEqual([]);
  });

  test("counts as its rows those visible at its own time", async () => {
    expect((await room.ingest(flights, { asOf: at(day(4)) })).rows).toBe(1);
    expect(snapshot.rows).toBe(3);
  });

  test("lets filters reach the Parquet reader, of rows by availability and of columns by the query", async () => {
    const relation = await room.relation(snapshot, flights, { asOf: at(day(8)), columns: ["id", "departs", "delay"] });
    const [plan] = await room.engine.rows(`EXPLAIN SELECT id FROM ${relation} WHERE departs > TIMESTAMP '2023-06-11'`);
    // The plan is drawn in boxes of fixed width: lines are joined before it is searched.
    const text = String(plan?.explain_value);
    const scan = text.slice(text.indexOf("READ_PARQUET")).replaceAll(/[│\s]+/g, "");
    expect(scan).toContain("published<='2023-06-08");
    expect(scan).toContain("departs>'2023-06-11");
  });

  test("numbers rows in the order of parts, and within a part of events", async () => {
    const rows = await room.read(snapshot, flights, { columns: ["id"], rowNumber: true }, "ORDER BY __row");
    expect(rows).toEqual([
      { id: "a", __row: 0 },
      { id: "b", __row: 1 },
      { id: "c", __row: 2 },
    ]);
  });
});

test("a row that is delivered again replaces the earlier one only from when the new one was available", async () => {
  const redelivered = { ...flights, origin: { kind: "files", format: "csv", path: "flights-*.csv" } } as const;
  room.write("flights-1.csv", `${HEADER}a,${day(10)},${day(1)},${day(11)},5\n`);
  room.write("flights-2.csv", `${HEADER}a,${day(10)},${day(8)},${day(11)},6\n`);
  const snapshot = await room.ingest(redelivered);
  expect(snapshot.disjoint).toBe(false);
  const delayAt = async (asOf: number, rowNumber = false) =>
    (await room.read(snapshot, redelivered, { asOf: at(day(asOf)), columns: ["departs", "delay"], rowNumber })).map(
      ({ delay, __row }) => [delay, __row],
    );
  expect(await delayAt(30)).toEqual([[6, undefined]]);
  expect(await delayAt(30, true)).toEqual([[6, 2 ** 32]]);
  expect((await room.read(snapshot, redelivered, { asOf: at(day(2)), columns: ["id"] })).length).toBe(1);
  expect(snapshot.rows).toBe(1);
});

describe("versions of rows", () => {
  const tracked = source.csv("tracked", {
    path: "tracked.csv",
    key: ["id"],
    eventTime: "departs",
    availableTime: "published",
    deleted: "gone",
    columns: { id: string(), delay: float64().nullable(), gone: bool().nullable() },
  });
  // In one file, and not in the order in which they were published: a is corrected, deleted and back again; b never changes.
  const lines = [
    `a,${day(10)},${day(6)},6,`,
    `a,${day(10)},${day(1)},5,false`,
    `a,${day(10)},${day(8)},,true`,
    `a,${day(12)},${day(9)},7,`,
    `b,${day(10)},${day(2)},1,`,
  ];
  const read = async (asOf: number, versions: boolean) => {
    room.write("tracked.csv", `id,departs,published,delay,gone\n${lines.join("\n")}\n`);
    const snapshot = await room.ingest(tracked);
    expect(snapshot.report.quarantined).toBe(0);
    const rows = await room.read(
      snapshot,
      tracked,
      { asOf: at(day(asOf)), columns: ["id", "delay", "published"], versions },
      "ORDER BY id, published",
    );
    return rows.map(({ id, delay, published, __superseded_at: ends }) =>
      versions ? [id, delay, published, ends] : [id, delay, published],
    );
  };

  test("are one row each time they are read, the last that was known; a deleted one is not there", async () => {
    expect(await read(5, false)).toEqual([
      ["a", 5, at(day(1))],
      ["b", 1, at(day(2))],
    ]);
    expect(await read(6, false)).toContainEqual(["a", 6, at(day(6))]);
    expect(await read(8, false)).toEqual([["b", 1, at(day(2))]]);
    expect(await read(9, false)).toContainEqual(["a", 7, at(day(9))]);
  });

  test("are all there where they are asked for, each with when the next was known", async () => {
    expect(await read(30, true)).toEqual([
      ["a", 5, at(day(1)), at(day(6))],
      ["a", 6, at(day(6)), at(day(8))],
      ["a", 7, at(day(9)), null],
      ["b", 1, at(day(2)), null],
    ]);
    // What was to come was not known.
    expect(await read(7, true)).toEqual([
      ["a", 5, at(day(1)), at(day(6))],
      ["a", 6, at(day(6)), null],
      ["b", 1, at(day(2)), null],
    ]);
  });

  test("end nobody where no key stands twice, and deletions are none of the rows", async () => {
    room.write("tracked.csv", `id,departs,published,delay,gone\na,${day(10)},${day(1)},5,\nb,${day(10)},${day(2)},1,true\n`);
    const snapshot = await room.ingest(tracked);
    expect(snapshot.disjoint).toBe(true);
    expect(await room.read(snapshot, tracked, { columns: ["id"], versions: true })).toEqual([{ id: "a", __superseded_at: null }]);
    expect(snapshot.rows).toBe(1);
  });
});

test("a source without availability is known when it happened, and one without time always", async () => {
  const events = source.csv("events", { path: "events.csv", eventTime: "at", columns: { n: int32() } });
  const facts = source.csv("facts", { path: "events.csv", columns: { n: int32() } });
  room.write("events.csv", `n,at\n1,${day(1)}\n2,${day(3)}\n`);
  const [timed, timeless] = [await room.ingest(events), await room.ingest(facts)];
  expect(await room.read(timed, events, { asOf: at(day(2)), columns: ["n"] })).toEqual([{ n: 1 }]);
  expect(await room.read(timeless, facts, { asOf: 0 })).toHaveLength(2);
});

test("a group's column needs all of its groups, and the event's own time is never hidden", async () => {
  const twice = source.csv("twice", {
    path: "twice.csv",
    eventTime: "happened",
    availableTime: {
      default: "happened",
      first: { columns: ["x", "y"], at: "one" },
      second: { columns: ["y"], at: "two" },
      third: { columns: ["z"], at: "happened" },
    },
    columns: { x: int32(), y: int32(), z: int32() },
  });
  room.write("twice.csv", `happened,one,two,x,y,z\n${day(1)},${day(2)},${day(3)},1,2,3\n`);
  const snapshot = await room.ingest(twice);
  const known = async (n: number) =>
    (await room.read(snapshot, twice, { asOf: at(day(n)), columns: ["happened", "x", "y", "z"] }))[0];
  expect(await known(1)).toEqual({ happened: at(day(1)), x: null, y: null, z: 3 });
  expect(await known(2)).toMatchObject({ x: 1, y: null });
  expect(await known(3)).toMatchObject({ x: 1, y: 2 });
});

test("what it shows is what a plain reading of the rule shows, whatever is delivered when", async () => {
  const cell = fc.record({
    id: fc.constantFrom("a", "b", "c"),
    departs: fc.integer({ min: 1, max: 28 }),
    published: fc.integer({ min: 1, max: 28 }),
    landed: fc.integer({ min: 1, max: 28 }),
    delay: fc.option(fc.integer({ min: -5, max: 5 })),
  });
  type Cell = { id: string; departs: number; published: number; landed: number; delay: number | null };
  const expected = (parts: Cell[][], asOf: Micros) => {
    const shown = new Map<string, { published: number; row: object }>();
    for (const row of parts.flat()) {
      if (at(day(row.published)) > asOf) continue;
      // The version that was published last stands; of two published at once the one delivered last.
      if (row.published < (shown.get(row.id)?.published ?? 0)) continue;
      const landed = at(day(row.landed));
      const isKnown = landed <= asOf;
      shown.set(row.id, {
        published: row.published,
        row: {
          id: row.id,
          departs: at(day(row.departs)),
          delay: isKnown ? row.delay : null,
          landed: isKnown ? landed : null,
        },
      });
    }
    return [...shown.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { row }]) => row);
  };
  const feed = { ...flights, origin: { kind: "files", format: "csv", path: "feed-*.csv" } } as const;
  const deliveries = fc.tuple(fc.array(cell, { minLength: 1, maxLength: 6 }), fc.array(cell, { minLength: 1, maxLength: 6 }));
  await fc.assert(
    fc.asyncProperty(deliveries, fc.integer({ min: 1, max: 28 }), async (parts, n) => {
      parts.forEach((part, i) => {
        const lines = part.map((row) =>
          [row.id, day(row.departs), day(row.published), day(row.landed), row.delay ?? ""].join(","),
        );
        room.write(`feed-${i}.csv`, `${HEADER}${lines.join("\n")}\n`);
      });
      const snapshot = await room.ingest(feed, { asOf: NOW });
      const rows = await room.read(
        snapshot,
        feed,
        { asOf: at(day(n)), columns: ["id", "departs", "delay", "landed"] },
        "ORDER BY id",
      );
      expect(rows).toEqual(expected(parts, at(day(n))));
    }),
    { numRuns: 25, seed: 7 },
  );
});
