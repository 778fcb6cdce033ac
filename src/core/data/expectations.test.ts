import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, type DataRoom, NOW, openDataRoom } from "../../../test/fixtures/data-room.ts";
import {
  bool,
  type ExpectOptions,
  float64,
  int32,
  type SourceDefinition,
  source,
  string,
  timestamp,
} from "../definitions/index.ts";
import { checkContract } from "./index.ts";
import type { ExpectationVerdict, Snapshot } from "./snapshot.ts";

let room: DataRoom;
beforeEach(async () => {
  room = await openDataRoom();
});
afterEach(() => room.close());

const csv = (text: string, file = "days/1.csv") => room.write(file, text);
type Column = "id" | "x" | "s" | "b" | "at";
const days = (expected: ExpectOptions<Column>, key?: ["id"]) =>
  source.csv("days", {
    path: "days/*.csv",
    ...(key === undefined ? {} : { key }),
    eventTime: "at",
    columns: {
      id: int32().nullable(),
      x: float64().nullable(),
      s: string().nullable(),
      b: bool().nullable(),
      at: timestamp(),
    },
    expect: expected,
  });
/** Rows of "id,x,s,b,at". */
const rows = (...cells: string[]) => csv(`id,x,s,b,at\n${cells.join("\n")}\n`);
const verdicts = ({ report }: Snapshot): readonly ExpectationVerdict[] => report.expectations ?? [];
const stopped = { code: "DATA_CONTRACT_STOPPED" };

describe("the number of rows", () => {
  test("stops the ingestion where it is out of bounds, and says by how much", async () => {
    rows("1,1,a,true,2020-01-01");
    expect(verdicts(await room.ingest(days({ rows: { min: 1, max: 1 } })))).toEqual([
      { rule: "rows", column: null, severity: "stop", kept: true, observed: 1, says: "1 row, at least 1, at most 1" },
    ]);
    await expect(room.ingest(days({ rows: { min: 2 } }))).rejects.toMatchObject({
      ...stopped,
      message: "Source days is not as expected: 1 row, at least 2",
      details: { expectations: [{ rule: "rows", observed: 1 }] },
    });
  });

  test("can be a warning, which is kept in the report", async () => {
    rows("1,1,a,true,2020-01-01");
    const [verdict] = verdicts(await room.ingest(days({ rows: { max: 0, onViolation: "warn" } })));
    expect(verdict).toMatchObject({ severity: "warn", kept: false, observed: 1 });
  });

  test("is of the rows that can be known, not of those that were delivered", async () => {
    rows("1,1,a,true,2020-01-01", "2,1,a,true,2030-01-01");
    await expect(room.ingest(days({ rows: { min: 2 } }))).rejects.toMatchObject(stopped);
  });
});

describe("freshness", () => {
  test("is the age of the newest event that has happened", async () => {
    rows("1,1,a,true,2023-12-30T12:00:00Z", "2,1,a,true,2024-06-01");
    const [late] = verdicts(await room.ingest(days({ freshWithin: "1d" })));
    expect(late).toEqual({
      rule: "freshness",
      column: "at",
      severity: "warn",
      kept: false,
      observed: NOW - at("2023-12-30T12:00:00Z"),
      says: "the newest at is 1d 12h old, at most 1d",
    });
    expect(verdicts(await room.ingest(days({ freshWithin: "36h" })))[0]?.kept).toBe(true);
    await expect(room.ingest(days({ freshWithin: { atMost: "1h", onViolation: "stop" } }))).rejects.toMatchObject(stopped);
  });

  test("is not there where every event is still to come", async () => {
    const all = source.csv("all", {
      path: "days/*.csv",
      eventTime: "at",
      availableTime: "known",
      columns: { id: int32() },
      expect: { freshWithin: "1d" },
    });
    csv("id,at,known\n1,2030-01-01,2020-01-01\n");
    expect(verdicts(await room.ingest(all))).toMatchObject([{ kept: false, observed: null }]);
  });
});

describe("values that several columns have together", () => {
  test("stand in one row: of equal ones the last is kept, the others are set apart, and null is like no other null", async () => {
    rows(
      "1,1,a,true,2020-01-01",
      "1,2,a,true,2020-01-01",
      "1,3,b,true,2020-01-01",
      ",4,a,true,2020-01-01",
      ",5,a,true,2020-01-01",
    );
    const snapshot = await room.ingest(days({ unique: [["id", "s"]] }));
    expect((await room.read(snapshot, days({}), {}, "ORDER BY x")).map(({ x }) => x)).toEqual([2, 3, 4, 5]);
    expect(snapshot.report.violations).toEqual([
      { column: "id, s", rule: "unique", severity: "quarantine", rows: 1, samples: ["1, a"] },
    ]);
  });

  test("may come again in a later version of their row, and not in a row of another key", async () => {
    rows("1,1,a,true,2020-01-01", "1,1,a,true,2020-01-02", "2,1,a,true,2020-01-03");
    const { report } = await room.ingest(days({ unique: [{ columns: ["s", "x"], onViolation: "warn" }] }, ["id"]));
    expect(report.violations).toMatchObject([{ column: "s, x", rule: "unique", severity: "warn", rows: 2 }]);
    rows("1,1,a,true,2020-01-01", "1,1,a,true,2020-01-02");
    expect((await room.ingest(days({ unique: [["s", "x"]] }, ["id"]))).report.violations).toEqual([]);
  });

  test("can stop the ingestion, and show nothing of personal columns", async () => {
    const people = source.csv("people", {
      path: "days/1.csv",
      columns: { name: string().personal(), born: int32() },
      expect: { unique: [{ columns: ["name", "born"], onViolation: "stop" }] },
    });
    csv("name,born\nAda,1815\nAda,1815\n");
    await expect(room.ingest(people)).rejects.toMatchObject({
      ...stopped,
      details: { violations: [{ column: "name, born", rows: 1, samples: [] }] },
    });
  });

  test("are looked for over all parts too, where they can only be told", async () => {
    rows("1,1,a,true,2020-01-01");
    csv("id,x,s,b,at\n1,2,a,true,2020-01-02\n2,2,b,true,2020-01-02\n", "days/2.csv");
    const snapshot = await room.ingest(days({ unique: [["id", "s"]] }));
    expect(snapshot.rows).toBe(3);
    expect(verdicts(snapshot)).toEqual([
      { rule: "unique", column: "id, s", severity: "warn", kept: false, observed: 1, says: "1 row repeats id, s of others" },
    ]);
    await expect(room.ingest(days({ unique: [{ columns: ["id", "s"], onViolation: "stop" }] }))).rejects.toMatchObject(stopped);
    expect(verdicts(await room.ingest(days({ unique: [["id", "s"]] }, ["id"])))).toEqual([]);
  });

  test("make their parts anew when they change", async () => {
    rows("1,1,a,true,2020-01-01", "1,1,a,true,2020-01-01");
    const previous = await room.ingest(days({}));
    const now = await room.ingest(days({ unique: [["id"]] }), { previous });
    expect([previous.rows, now.rows]).toEqual([2, 1]);
  });
});

describe("the distribution of a column", () => {
  const day = (file: string, count: number, row: (i: number) => string) =>
    csv(`id,x,s,b,at\n${Array.from({ length: count }, (_, i) => row(i)).join("\n")}\n`, file);
  const uniform = (i: number, from = 0) => `${i},${from + ((i * 37) % 100)},${"abcd"[i % 4]},${i % 2 === 0},2020-01-01`;
  const expected = {
    distribution: { x: { psi: 0.1, mean: 0.5, nullShare: 0.1 }, s: { psi: 0.1 }, b: { psi: 0.1, nullShare: 0.05 } },
  } as const;

  test("is not judged before the first snapshot", async () => {
    day("days/1.csv", 100, uniform);
    const found = verdicts(await room.ingest(days(expected)));
    expect(found.map(({ kept }) => kept)).toEqual([null, null, null, null, null, null]);
    expect(found[0]?.says).toBe("PSI of x: no earlier rows to compare with");
  });

  test("is that of the new rows beside the earlier ones: PSI, means and null shares equal their formulas", async () => {
    day("days/1.csv", 1000, uniform);
    const previous = await room.ingest(days(expected));
    // x moves by 30, one text takes half of the rows, and a fifth of the bools is gone.
    day(
      "days/2.csv",
      500,
      (i) => `${i},${30 + ((i * 37) % 100)},${i % 2 === 0 ? "a" : "e"},${i % 5 === 0 ? "" : i % 2 === 0},2020-01-02`,
    );
    const snapshot = await room.ingest(days(expected), { previous });
    const by = new Map(verdicts(snapshot).map((verdict) => [`${verdict.column} ${verdict.rule}`, verdict]));
    // Sample standard deviation of ten times each whole number from 0 to 99.
    const std = Math.sqrt(((100 * 100 - 1) / 12) * (1000 / 999));
    expect(by.get("x mean")?.observed).toBeCloseTo(30 / std, 9);
    expect(by.get("b null-share")?.observed).toBeCloseTo(0.2, 12);
    const psi = (p: number[], q: number[]) =>
      p.reduce((sum, _, i) => {
        const [a, b] = [p[i] || 1e-4, q[i] || 1e-4];
        return sum + (a - b) * Math.log(a / b);
      }, 0);
    // a, b, c, d and everything else.
    expect(by.get("s psi")?.observed).toBeCloseTo(psi([0.25, 0.25, 0.25, 0.25, 0], [0.5, 0, 0, 0, 0.5]), 12);
    // Ten bins of ten numbers each (deciles lie between two of them), below and above.
    const tenths = (from: number) => Array.from({ length: 10 }, (_, k) => (k * 10 >= from ? 0.1 : 0));
    expect(by.get("x psi")?.observed).toBeCloseTo(psi([0, ...tenths(0), 0], [0, ...tenths(30), 0.3]), 9);
    expect([...by].map(([name, { kept }]) => [name, kept])).toEqual([
      ["x psi", false],
      ["x mean", false],
      ["x null-share", true],
      ["s psi", false],
      ["b psi", true],
      ["b null-share", false],
    ]);
  });

  test("is not accused of what a few rows do by chance", async () => {
    day("days/1.csv", 1000, uniform);
    const previous = await room.ingest(days(expected));
    day("days/2.csv", 4, (i) => uniform(i, 20));
    const [psi] = verdicts(await room.ingest(days(expected), { previous }));
    expect(psi).toMatchObject({
      kept: true,
      says: expect.stringMatching(/^PSI of x is .+, at most 0.1 \(no more than chance\)$/),
    });
    expect(psi?.observed).toBeGreaterThan(0.1);
  });

  test("can stop the ingestion, and is said again while nothing is new", async () => {
    day("days/1.csv", 1000, uniform);
    const previous = await room.ingest(days(expected));
    day("days/2.csv", 500, (i) => uniform(i, 1000));
    const stops = days({ distribution: { x: { mean: 1, onViolation: "stop" } } });
    await expect(room.ingest(stops, { previous })).rejects.toMatchObject(stopped);
    const moved = await room.ingest(days(expected), { previous });
    const again = await room.ingest(days(expected), { previous: moved, asOf: NOW + 1 });
    expect(verdicts(again)).toEqual(verdicts(moved));
    expect(verdicts(again).some(({ kept }) => kept === false)).toBe(true);
  });

  test("of nothing but nulls, infinities or one value has an answer", async () => {
    day("days/1.csv", 100, (i) => `${i},7,,true,2020-01-01`);
    const previous = await room.ingest(days(expected));
    day("days/2.csv", 100, (i) => `${i},${i === 0 ? "inf" : 8},,true,2020-01-02`);
    const found = verdicts(await room.ingest(days(expected), { previous }));
    expect(found.map(({ column, rule, kept }) => `${column} ${rule} ${kept}`)).toEqual([
      "x psi false",
      "x mean false",
      "x null-share true",
      "s psi null",
      "b psi true",
      "b null-share true",
    ]);
    expect(found[1]).toMatchObject({ observed: null, says: "mean of x moved by more than any standard deviations, at most 0.5" });
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });
});

describe("expectations that nothing can keep", () => {
  const refused = async (definition: SourceDefinition, message: string) =>
    await expect(checkContract(room.engine, definition)).rejects.toMatchObject({ code: "DATA_CONTRACT_INVALID", message });
  /** As a project file without types may say it. */
  const loose = (expected: object) => days(expected as ExpectOptions<Column>);

  test("are refused before anything is read", async () => {
    await refused(
      loose({ unique: [["id", "xx"]] }),
      'days expects unique values of "xx", which it does not declare; did you mean "x"?',
    );
    await refused(loose({ unique: [[]] }), "days expects unique values of no column");
    await refused(
      loose({ distribution: { y: { psi: 1 } } }),
      'days expects a distribution of "y", which it does not declare; did you mean "x"?',
    );
    await refused(loose({ distribution: { s: { mean: 1 } } }), "days expects a mean of s, which is a string");
    await refused(
      loose({ distribution: { x: {} } }),
      "days expects a distribution of x without a limit: give psi, mean or nullShare",
    );
    await refused(
      loose({ distribution: { x: { psi: Number.NaN } } }),
      "days expects psi of x to be at most NaN: give a number above 0",
    );
    await refused(loose({ rows: { min: 3, max: 2 } }), "days expects at least 3 and at most 2 rows: no number is both");
    await refused(loose({ rows: { min: 0.5 } }), "days expects 0.5 rows, which is no number of rows");
    await refused(
      source.csv("table", { path: "t.csv", columns: { x: int32() }, expect: { freshWithin: "1d" } }),
      "table expects to be fresh, and has neither eventTime nor availableTime",
    );
    expect(() => loose({ freshWithin: "soon" })).toThrow(expect.objectContaining({ code: "TIME_DURATION_INVALID" }));
  });

  test("among a column's own rules are refused too", async () => {
    const of = (x: ReturnType<typeof float64>) => source.csv("t", { path: "t.csv", columns: { x } });
    await refused(of(float64().between(5, 1)), "t.x cannot lie between 5 and 1: no number does");
    await refused(of(float64().in([1, 2]).between(5, 6)), "t.x has no value in its set that lies between 5 and 6");
    await refused(
      of(float64().in([Number.NaN])),
      "t.x is a float64 and cannot have a set with something else in it than numbers",
    );
    await refused(of(float64().nullable({ atMost: 2 })), "t.x may be null in a share of 2, which is not between 0 and 1");
  });
});
