import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ingest, quoteLiteral } from "../data/index.ts";
import {
  type EntityDefinition,
  entity,
  type FeatureReference,
  featureView,
  float64,
  int32,
  int64,
  type SourceDefinition,
  source,
  string,
} from "../definitions/index.ts";
import { MINUTE } from "../time.ts";
import { historicalFeatures } from "./historical-features.ts";
import type { JoinLimits } from "./join-tables.ts";
import type { SourceRow } from "./test-support/oracle.ts";
import { openWorkbench, selectRows, snapshotOf, type Workbench } from "./test-support/snapshots.ts";
import { valueAt } from "./view-rows.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const asOf = 1_000 * MINUTE;
const BIG = 9_007_199_254_740_993n;
const columns = { account: int64(), till: int32(), city: string(), balance: float64(), receipt: int64() };
const known = source.parquet("balances", { path: "x", eventTime: "at", columns });
const knownLater = source.parquet("late_balances", { path: "x", eventTime: "at", availableTime: "seen", columns });
const account = entity("account", { account: int64() });
const till = entity("till", { till: int32() });
const place = entity("place", { city: string(), account: int64() });

const never = { joinedFrom: Number.POSITIVE_INFINITY, passedFrom: Number.POSITIVE_INFINITY, mostMeetings: 0, sweptAtOnce: 2 };
const ways: Record<string, JoinLimits> = {
  "in one sweep": { ...never, sweptAtOnce: 1_000 },
  "in sweeps over some entities each": never,
  "by joins": { ...never, joinedFrom: 0, mostMeetings: Number.POSITIVE_INFINITY },
  "while rows pass": { ...never, passedFrom: 0 },
};

const row = (minutes: number, values: SourceRow): SourceRow => ({
  account: 1,
  till: 1,
  city: "a",
  at: minutes * MINUTE,
  ...values,
});
const ask = (minutes: number, keys: SourceRow = { account: 1 }): SourceRow => ({ ...keys, at: minutes * MINUTE });

describe.each(Object.entries(ways))("latest values joined %s", (_, joinLimits) => {
  async function joined(
    from: SourceDefinition,
    features: readonly FeatureReference[],
    parts: readonly (readonly SourceRow[])[],
    asks: readonly SourceRow[],
  ) {
    const snapshot = await snapshotOf(bench, from, parts, asOf);
    const found = await historicalFeatures(
      { ...bench, joinLimits },
      {
        features,
        snapshots: new Map([[from.name, { snapshot, source: from }]]),
        entityRows: selectRows({ account: "int64", till: "int32", city: "string", at: "timestamp" }, asks),
        asOf,
      },
    );
    expect(found.rows, "one row for each that was asked").toBe(asks.length);
    const values = features.map(({ id }) => found.columns.get(id));
    return asks.map((_, index) => values.map((column) => (column === undefined ? undefined : valueAt(column, index))));
  }
  const balance = (options: { ttl?: "10m" } = {}, of: EntityDefinition = account, from = known) =>
    featureView("of", { entity: of, source: from, features: ["balance"], ...options }).all();

  test("hold from the moment of the event on, that moment included", async () => {
    const asks = [9, 10, 11, 19, 20].map((minutes) => ask(minutes));
    const rows = [row(10, { balance: 1 }), row(20, { balance: 2 })];
    expect(await joined(known, balance(), [rows], asks)).toEqual([[null], [1], [1], [1], [2]]);
  });

  test("end after the ttl, which is included, and no row that was asked is dropped for it", async () => {
    const asks = [10, 20, 21, 500].map((minutes) => ask(minutes));
    expect(await joined(known, balance({ ttl: "10m" }), [[row(10, { balance: 1 })]], asks)).toEqual([[1], [1], [null], [null]]);
  });

  test("do not go back to a row that is still within its ttl behind one that is null", async () => {
    const rows = [row(10, { balance: 1 }), row(12, { balance: null })];
    expect(await joined(known, balance({ ttl: "10m" }), [rows], [ask(11), ask(12), ask(20)])).toEqual([[1], [null], [null]]);
  });

  test("of rows of one moment are the last delivered, within a part and across parts", async () => {
    const rows = [row(10, { balance: 1 }), row(10, { balance: 2 }), row(10, { account: 2, balance: 8 })];
    expect(await joined(known, balance(), [rows], [ask(10)])).toEqual([[2]]);
    expect(await joined(known, balance(), [rows, [row(10, { balance: 3 }), row(5, { balance: 4 })]], [ask(10)])).toEqual([[3]]);
  });

  test("of rows of one moment are those known last, and never one that is not known at all", async () => {
    const rows = [
      row(10, { balance: 1, seen: 12 * MINUTE }),
      row(10, { balance: 2, seen: 11 * MINUTE }),
      row(10, { balance: 3, seen: null }),
    ];
    const asks = [10, 11, 12, 30].map((minutes) => ask(minutes));
    expect(await joined(knownLater, balance({}, account, knownLater), [rows], asks)).toEqual([[null], [2], [1], [1]]);
  });

  test("match no null key, on either side", async () => {
    const rows = [row(10, { account: null, balance: 1 }), row(10, { account: 0, balance: 2 })];
    expect(await joined(known, balance(), [rows], [ask(20, { account: null }), ask(20, { account: 0 })])).toEqual([[null], [2]]);
  });

  test("do not fan out over rows that stand twice, nor collapse what was asked twice; the order asked in is kept", async () => {
    const rows = [row(10, { balance: 1 }), row(10, { balance: 1 }), row(10, { balance: 1 }), row(30, { account: 2, balance: 5 })];
    const asks = [ask(40, { account: 2 }), ask(20), ask(20), ask(5), ask(40, { account: 3 }), ask(20)];
    expect(await joined(known, balance(), [rows], asks)).toEqual([[5], [1], [1], [null], [null], [1]]);
  });

  test("tell keys apart by all their bits, and by their sign", async () => {
    const keys = [1n, -1n, 2n ** 32n, 2n ** 32n + 1n, -(2n ** 63n), BIG, BIG - 1n];
    const rows = keys.map((key, index) => row(index, { account: key, balance: index }));
    const asks = [...keys, 0n, 2n ** 33n].map((key) => ask(100, { account: key }));
    expect(await joined(known, balance(), [rows], asks)).toEqual([...keys.map((_, index) => [index]), [null], [null]]);
    const tills = [row(1, { till: -1, balance: 4 }), row(2, { till: 2_147_483_647, balance: 5 })];
    const asked = [-1, 2_147_483_647, -2_147_483_648, null].map((key) => ask(100, { till: key }));
    expect(await joined(known, balance({}, till), [tills], asked)).toEqual([[4], [5], [null], [null]]);
  });

  test("keep all digits of an integer, and its null", async () => {
    const receipts = featureView("of", { entity: account, source: known, features: ["receipt", "balance"] }).all();
    const rows = [row(1, { receipt: BIG, balance: 0.1 }), row(2, { account: 2, receipt: null, balance: 0 })];
    const asks = [ask(5, { account: 2 }), ask(5), ask(5, { account: 3 })];
    expect(await joined(known, receipts, [rows], asks)).toEqual([
      [null, 0],
      [BIG, 0.1],
      [null, null],
    ]);
  });

  test("of composite keys are found by each part, not by what they read like together", async () => {
    const rows = [row(1, { city: "1", account: 23, balance: 1 }), row(1, { city: "12", account: 3, balance: 2 })];
    const asks = [ask(5, { city: "12", account: 3 }), ask(5, { city: "1", account: 23 }), ask(5, { city: "", account: 123 })];
    expect(await joined(known, balance({}, place), [rows], asks)).toEqual([[2], [1], [null]]);
  });

  test("of rows whose event is null are not there", async () => {
    const rows = [row(1, { balance: 1 }), row(0, { at: null, balance: 2 })];
    expect(await joined(known, balance(), [rows], [ask(5)])).toEqual([[1]]);
  });

  test("are not seen while nobody knows when their group of columns becomes known", async () => {
    const availableTime = { default: "seen", outcome: { columns: ["balance"], at: "settled" } } as const;
    const grouped = source.parquet("settled_balances", { path: "x", eventTime: "at", availableTime, columns });
    expect(grouped.contracts).toMatchObject({
      at: { nullable: false },
      seen: { nullable: false },
      settled: { nullable: { atMost: 1 } },
    });
    const rows = [
      row(1, { balance: 1, seen: MINUTE, settled: 2 * MINUTE }),
      row(3, { balance: null, seen: 3 * MINUTE, settled: null }),
      row(3, { account: 2, balance: 7, seen: 3 * MINUTE, settled: null }),
    ];
    const asks = [ask(1), ask(5), ask(5, { account: 2 })];
    expect(await joined(grouped, balance({}, account, grouped), [rows], asks)).toEqual([[null], [1], [null]]);
  });

  test("are null where there is no row at all, and there is nothing where nobody asks", async () => {
    expect(await joined(known, balance(), [[]], [ask(5)])).toEqual([[null]]);
    expect(await joined(known, balance(), [[row(1, { balance: 1 })]], [])).toEqual([]);
  });

  test("are those of more rows than pass at once", async () => {
    const path = join(bench.directory, "many.parquet");
    const minutes = (sql: string) => `make_timestamp(((${sql}) % 900)::BIGINT * ${MINUTE})`;
    await bench.engine.run(
      `COPY (SELECT (hash(range) % 500)::BIGINT AS account, 1::INTEGER AS till, 'a' AS city, range::DOUBLE AS balance,
         range AS receipt, ${minutes("hash(range + 7)")} AS at FROM range(100000)) TO ${quoteLiteral(path)} (FORMAT parquet)`,
    );
    const from = source.parquet("balances", { path, eventTime: "at", columns });
    const snapshot = await ingest(bench, from, { projectDirectory: bench.directory, asOf, createdAt: asOf });
    const entityRows = `SELECT (hash(range + 3) % 520)::BIGINT AS account, ${minutes("hash(range + 5)")} AS at FROM range(3000)`;
    const snapshots = new Map([[from.name, { snapshot, source: from }]]);
    const features = balance({ ttl: "10m" }, account, from);
    const limits = { ...joinLimits, sweptAtOnce: 40_000 };
    const found = await historicalFeatures({ ...bench, joinLimits: limits }, { features, snapshots, entityRows, asOf });
    const expected = await bench.engine.query(
      `SELECT best.balance FROM (SELECT row_number() OVER () AS place, * FROM (${entityRows})) AS asked
       LEFT JOIN LATERAL (SELECT balance FROM read_parquet(${quoteLiteral(path)}) AS seen
         WHERE seen.account = asked.account AND seen.at <= asked.at AND seen.at >= asked.at - INTERVAL 10 MINUTE
         ORDER BY seen.at DESC, seen.receipt DESC LIMIT 1) AS best ON true ORDER BY asked.place`,
    );
    const [column] = expected.columns.values();
    if (column?.type !== "float64") throw new TypeError("no balances");
    const right = column.values.map((value, index) => (column.nulls?.[index] === 1 ? Number.NaN : value));
    expect(right.filter(Number.isFinite).length).toBeGreaterThan(1_000);
    expect(found.columns.get("of.balance")?.values).toEqual(right);
  });
});

test("features of one name are refused before anything is read", async () => {
  const view = featureView("of", { entity: account, source: known, features: ["balance"] });
  const input = { features: [...view.all(), ...view.all()], snapshots: new Map(), entityRows: "SELECT 1", asOf };
  await expect(historicalFeatures(bench, input)).rejects.toMatchObject({ code: expect.stringMatching(/^(FEATURE|DEFINITION)_/) });
});
