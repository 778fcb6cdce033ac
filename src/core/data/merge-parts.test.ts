import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { type DeliveredRow, float64, int32, type SourceDefinition, source, timestamp } from "../definitions/index.ts";
import { partsToMerge } from "./merge-parts.ts";
import type { Snapshot, SnapshotPart } from "./snapshot.ts";

let room: DataRoom;
beforeEach(async () => {
  room = await openDataRoom();
});
afterEach(() => room.close());

const START = at("2023-01-01T00:00:00Z");
const MINUTE = 60_000_000;
const minute = (n: number) => new Date((START + n * MINUTE) / 1000);

/** A source whose function gives what the table holds from `since` on; with `whole`, everything each time. */
function readings(table: readonly DeliveredRow[], { keyed = true, whole = false } = {}): SourceDefinition {
  const from = (since: Date | null) =>
    whole || since === null ? table : table.filter(({ seen }) => seen instanceof Date && seen >= since);
  return source.rows("readings", {
    key: keyed ? ["id"] : [],
    eventTime: "at",
    availableTime: "seen",
    columns: { id: int32(), value: float64().nullable({ atMost: 0.1 }) },
    watermark: "seen",
    rows: (since) => from(since) as Iterable<{ id: number }>,
  });
}

/** Rows of 50 increments: versions, repeats of one availability with another event, nulls and unreadable cells among them. */
function increment(n: number): DeliveredRow[] {
  const seen = minute(n);
  return [
    { id: n, value: n % 7 === 0 ? null : n, at: minute(n), seen },
    { id: n % 5, value: -n, at: minute(-n), seen },
    // The same key and availability twice: the later delivered stands, whatever its event.
    { id: n % 5, value: -n - 0.5, at: minute(-n - 1), seen },
    ...(n % 10 === 0 ? [{ id: n, value: "tall", at: minute(n), seen }] : []),
  ];
}
/** Comes in the increment after n: a row of n's availability, delivered late. */
const late = (n: number): DeliveredRow => ({ id: n % 5, value: 1000 + n, at: minute(n - 100), seen: minute(n) });

const COUNT = 50;

async function takeAll(table: DeliveredRow[], of: SourceDefinition): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = [];
  for (let n = 0; n < COUNT; n++) {
    table.push(...increment(n), ...(n % 3 === 0 && n > 0 ? [late(n - 1)] : []));
    const previous = snapshots.at(-1);
    snapshots.push(await room.ingest(of, previous === undefined ? {} : { previous }));
  }
  return snapshots;
}

const shown = async (snapshot: Snapshot, of: SourceDefinition, asOf: number, versions = false) =>
  await room.read(snapshot, of, { asOf, versions }, "ORDER BY ALL");

describe.each([true, false])("increments of a source with a key: %s", (keyed) => {
  test("are merged into few parts that read as one delivery of all of them, at every time", async () => {
    const table: DeliveredRow[] = [];
    const overlapping = { ...readings(table, { keyed }), watermark: { column: "seen", overlap: 2 * MINUTE } };
    const snapshots = await takeAll(table, overlapping);
    const last = snapshots.at(-1);
    if (last === undefined) throw new Error("nothing was taken in");
    expect(Math.max(...snapshots.map(({ parts }) => parts.length))).toBeLessThan(16);
    expect(last.parts.some(({ file }) => file === "16 increments")).toBe(true);

    const whole = await room.ingest(readings(table, { keyed }));
    for (const minutes of [0, 7, 13, 31, 49])
      for (const versions of [false, true])
        expect(await shown(last, overlapping, START + minutes * MINUTE, versions)).toEqual(
          await shown(whole, overlapping, START + minutes * MINUTE, versions),
        );
    const rows = (of: Snapshot) => of.parts.reduce((sum, part) => sum + part.rows + part.quarantined, 0);
    expect(rows(last)).toBe(rows(whole));
    expect(last.report.nullShares).toEqual(whole.report.nullShares);
  }, 60_000);

  test("that were merged are known when they come again", async () => {
    const table: DeliveredRow[] = [];
    const snapshots = await takeAll(table, readings(table, { keyed }));
    const last = snapshots.at(-1);
    if (last === undefined) throw new Error("nothing was taken in");
    const again = await room.ingest(readings(table, { keyed }), { previous: last });
    expect(again.parts).toEqual(last.parts);
    // The same function, and so the same contract; now it gives everything.
    const everything = await room.ingest(readings(table, { keyed, whole: true }), { previous: last });
    expect(everything.parts).toEqual(last.parts);
  }, 60_000);

  test("leave older snapshots as they were", async () => {
    const table: DeliveredRow[] = [];
    const of = readings(table, { keyed });
    const snapshots: Snapshot[] = [];
    const then: unknown[] = [];
    for (let n = 0; n < 20; n++) {
      table.push(...increment(n));
      const previous = snapshots.at(-1);
      const snapshot = await room.ingest(of, previous === undefined ? {} : { previous });
      snapshots.push(snapshot);
      then.push(await shown(snapshot, of, snapshot.asOf));
    }
    for (const [n, snapshot] of snapshots.entries()) expect(await shown(snapshot, of, snapshot.asOf)).toEqual(then[n]);
  }, 60_000);
});

test("whatever is delivered when and how often, increments hold each row as often as the table does", async () => {
  const row = fc.record({
    id: fc.integer({ min: 0, max: 2 }),
    value: fc.constantFrom(0, 1, null, "tall"),
    seen: fc.nat({ max: 9 }),
  });
  // Each batch is written between two increments; a row's time lies at most 11 minutes before the newest, and so does the overlap.
  const batches = fc.array(fc.array(row, { maxLength: 6 }), { minLength: 1, maxLength: 20 });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(batches, fc.boolean(), async (delivered, whole) => {
      run += 1;
      const table: DeliveredRow[] = [];
      const of = source.rows(`table-${run}`, {
        columns: { id: int32(), value: float64().nullable(), seen: timestamp() },
        watermark: { column: "seen", overlap: "11m" },
        rows: (since) =>
          table.filter(({ seen }) => whole || since === null || (seen instanceof Date && seen >= since)) as { id: number }[],
      });
      table.push({ id: -1, value: 0, seen: minute(0) });
      let previous = await room.ingest(of);
      for (const [n, batch] of delivered.entries()) {
        table.push(...batch.map((each) => ({ ...each, seen: minute(each.seen + (n % 3)) })));
        previous = await room.ingest(of, { previous });
      }
      const expected = await room.ingest(of);
      const rows = (snapshot: Snapshot) => room.read(snapshot, of, {}, "ORDER BY ALL");
      expect(await rows(previous)).toEqual(await rows(expected));
      expect(previous.report.quarantined).toBe(expected.report.quarantined);
    }),
    { numRuns: 6, seed: 11 },
  );
}, 120_000);

describe("which parts are merged", () => {
  const parts = (...rows: number[]) => rows.map((count) => ({ rows: count, quarantined: 0 }) as SnapshotPart);
  const small = Array.from({ length: 16 }, () => 100);

  test.each([
    ["none of few", [100, 100], 0],
    ["sixteen small ones", small, 16],
    ["those after a larger one", [50_000, ...small], 16],
    ["none where a larger one is among the last sixteen", [...small, 50_000, 100], 0],
    ["sixteen of the next size, and the small ones after them", [...Array.from({ length: 16 }, () => 50_000), 100], 17],
    ["none that are large", Array.from({ length: 40 }, () => 2_000_000), 0],
  ])("%s", (_, rows, expected) => {
    expect(partsToMerge(parts(...rows))).toHaveLength(expected);
  });

  test("makes few parts of many increments, and writes each row once for each size", () => {
    let list: SnapshotPart[] = [];
    let written = 0;
    for (let n = 0; n < 20_000; n++) {
      list.push(...parts(1000));
      for (let run = partsToMerge(list); run.length > 0; run = partsToMerge(list)) {
        const rows = run.reduce((sum, part) => sum + part.rows, 0);
        written += rows;
        list = [...list.slice(0, list.length - run.length), ...parts(rows)];
      }
    }
    expect(list.reduce((sum, part) => sum + part.rows, 0)).toBe(20_000_000);
    expect(list.length).toBeLessThan(65);
    expect(written / 20_000_000).toBeLessThan(4);
  });
});
