import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { charter, flights, lateArrival, planes, weather } from "../../../examples/flights/orrery.config.ts";
import { openDuckDb } from "../../adapters/tables/duckdb.ts";
import { quoteLiteral, type Snapshot } from "../data/index.ts";
import {
  baseline,
  byTime,
  count,
  defineCharter,
  defineModel,
  entity,
  featureView,
  float64,
  int64,
  labels,
  last,
  mean,
  onDemand,
  requestField,
  type SourceDefinition,
  source,
  sql,
  std,
  string,
  timestamp,
} from "../definitions/index.ts";
import { DAY, HOUR, MINUTE, type Micros, parseTimestamp } from "../time.ts";
import { rebuildTrainingSet } from "./rebuild-training-set.ts";
import type { SourceRow } from "./test-support/oracle.ts";
import { openWorkbench, snapshotOf, type Workbench } from "./test-support/snapshots.ts";
import { buildTrainingSet, type TrainingSetInput } from "./training-set.ts";
import { readTrainingSetRecord, recordTrainingSet, type TrainingSetRecord } from "./training-set-record.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const START = parseTimestamp("2026-03-01T00:00:00Z");
const LATER = START + 400 * DAY;

const visits = source.push("visits", {
  key: ["visit"],
  eventTime: "at",
  availableTime: "known_at",
  columns: { visit: int64(), shop: string(), spent: float64().nullable(), at: timestamp(), known_at: timestamp() },
});
const spending = featureView("spending", {
  entity: entity("shop", { shop: string() }),
  source: visits,
  features: ["spent"],
  expressions: { large: sql("spent > 50", "bool") },
  aggregate: {
    visits: count().over("1h", "7d"),
    spent_mean: mean("spent").over("1d"),
    spent_std: std("spent").over("1d"),
    before: last("spent", "float64").over("30d"),
  },
  ttl: "30d",
});
const elsewhere = spending.as("elsewhere", { shop: "other_shop" });
const orders = source.parquet("orders", {
  path: "orders.parquet",
  key: ["order_id"],
  eventTime: "at",
  columns: { order_id: int64(), shop: string(), other_shop: string(), amount: float64(), at: timestamp() },
});
const ratio = onDemand("ratio", {
  inputs: [spending.feature.spent_mean],
  request: { amount: float64() },
  returns: "float64",
  compute: (row) => (row.spent_mean === null ? null : row.amount / (1 + row.spent_mean)),
});
const twice = onDemand("twice", {
  inputs: [ratio],
  request: {},
  returns: "float64",
  // A method is no expression of its own: its text is put into one.
  compute(row) {
    return row.ratio === null ? null : row.ratio * 2;
  },
});
const model = defineModel("big-orders", {
  labels: labels(orders, { big: "amount > 40", at: "at", lead: "1h" }),
  features: [spending.all(), elsewhere.pick("spent", "visits_7d"), twice, requestField("amount", float64())],
  split: byTime({ test: "1d", validation: "1d" }),
  candidates: [baseline()],
  explain: { segments: ["shop", "spending.large"] },
});
const bigOrders = defineCharter({
  problem: "p",
  owner: "o",
  users: ["u"],
  target: { name: "big", type: "binary", groundTruthAfter: "1h", censored: "amount = 13" },
  decision: {
    act: "call",
    when: { kind: "threshold", at: 0.5 },
    payoff: { truePositive: 1, falsePositive: -1, falseNegative: 0 },
  },
  alternative: { kind: "rule", condition: "spending.spent > 20" },
  data: [],
  accept: [],
});

const visitRows: SourceRow[] = Array.from({ length: 900 }, (_, index) => ({
  visit: index,
  shop: `shop ${index % 7}`,
  spent: index % 11 === 0 ? null : ((index * 37) % 101) / 3,
  at: START + index * 13 * MINUTE,
  known_at: START + index * 13 * MINUTE + (index % 5) * MINUTE,
}));
const orderRows: SourceRow[] = Array.from({ length: 400 }, (_, index) => ({
  order_id: 9_007_199_254_740 + index,
  shop: `shop ${index % 9}`,
  other_shop: `shop ${(index * 5) % 8}`,
  amount: (index * 29) % 83,
  at: START + index * 31 * MINUTE,
}));

interface Saved {
  readonly record: TrainingSetRecord;
  readonly snapshots: ReadonlyMap<string, Snapshot>;
}

async function saved(
  tables: readonly (readonly [SourceDefinition, Snapshot])[],
  of: Pick<TrainingSetInput, "model" | "charter"> & { asOf: Micros; exclude?: readonly string[]; from?: Micros },
): Promise<Saved> {
  const snapshots = new Map(tables.map(([definition, snapshot]) => [definition.name, { source: definition, snapshot }]));
  const input = { ...of, snapshots };
  const set = await buildTrainingSet(bench, input);
  const record = await recordTrainingSet(bench, input, set);
  return {
    // As it is kept.
    record: readTrainingSetRecord(Buffer.from(JSON.stringify(record))),
    snapshots: new Map(tables.map(([definition, snapshot]) => [definition.name, snapshot])),
  };
}
const savedOrders = async (changes: { exclude?: readonly string[]; from?: Micros } = {}) =>
  saved(
    [
      [visits, await snapshotOf(bench, visits, [visitRows.slice(0, 500), visitRows.slice(500)], LATER)],
      [orders, await snapshotOf(bench, orders, [orderRows], LATER)],
    ],
    { model, charter: bigOrders, asOf: START + 8 * DAY, ...changes },
  );
const refused = (code: string, message: RegExp) => ({ code, message: expect.stringMatching(message) });

describe("a training set is built again from its record alone", () => {
  test("with the same bytes: windows, expressions, views under other names, on-demand features, rules and segments", async () => {
    const { record, snapshots } = await savedOrders();
    const rebuilt = await rebuildTrainingSet(bench, record, snapshots);
    expect(rebuilt).toEqual({ file: record.set.file, rows: record.set.rows });
    expect(record.set.rows).toBeGreaterThan(300);
  });

  test("without the features that were left out, and from the time that it began at", async () => {
    const { record, snapshots } = await savedOrders({ exclude: ["on-demand.twice"], from: START + DAY });
    const rebuilt = await rebuildTrainingSet(bench, record, snapshots);
    expect(rebuilt.file).toEqual(record.set.file);
    expect(record.set.columns).not.toContain("on-demand.twice");
  });

  test("of several sources, groups of columns that are known later among them", async () => {
    const departs = parseTimestamp("2013-11-05T12:00:00Z");
    const flight = (index: number): SourceRow => ({
      flight_id: `f${index}`,
      carrier: index % 2 === 0 ? "UA" : "DL",
      tailnum: `N${index % 3}`,
      origin: "EWR",
      dest: "ORD",
      distance: 719,
      departure_hour: 7,
      weekday: 2,
      scheduled_minutes: 180,
      scheduled_departure: departs + index * HOUR,
      published_at: departs - 30 * DAY,
      dep_delay: index % 4,
      cancelled: false,
      departed_at: departs + index * HOUR,
      arr_delay: (index * 7) % 40,
      air_time: 150,
      diverted: false,
      landed_at: departs + index * HOUR + 3 * HOUR,
    });
    const asOf = departs + 20 * DAY;
    const reading = (index: number): SourceRow => ({
      origin: "EWR",
      temp: 40 + index,
      visib: 10,
      observed_hour: departs + index * HOUR,
      published_at: departs + (index + 1) * HOUR,
    });
    const rows = (of: (index: number) => SourceRow) => Array.from({ length: 60 }, (_, index) => of(index));
    const { record, snapshots } = await saved(
      [
        [flights, await snapshotOf(bench, flights, [rows(flight)], asOf)],
        [weather, await snapshotOf(bench, weather, [rows(reading)], asOf)],
        [planes, await snapshotOf(bench, planes, [[{ tailnum: "N1", year: 2001, seats: 149 }]], asOf)],
      ],
      { model: lateArrival, charter, asOf },
    );
    expect((await rebuildTrainingSet(bench, record, snapshots)).file).toEqual(record.set.file);
  });

  test.each([1, 4])("in a process that has no project, with %i threads and several row groups", async (threads) => {
    const many = join(bench.tmpDirectory, `orders-${threads}.parquet`);
    await bench.engine.run(
      `COPY (SELECT i AS order_id, 'shop ' || i % 9 AS shop, 'shop ' || i % 8 AS other_shop, (i * 29 % 83)::DOUBLE AS amount,
         make_timestamp(${START} + i * 2000000) AS at FROM range(300000) AS t(i)) TO ${quoteLiteral(many)} (FORMAT parquet)`,
    );
    const file = await bench.artifacts.putFile(many, "application/vnd.apache.parquet");
    const [few, visited] = [
      await snapshotOf(bench, orders, [orderRows], LATER),
      await snapshotOf(bench, visits, [visitRows], LATER),
    ];
    const part = { ...few.parts[0], sha256: file.sha256, bytes: file.bytes, rows: 300_000 };
    const { record, snapshots } = await saved(
      [
        [visits, visited],
        [orders, { ...few, parts: [part], rows: 300_000, contentHash: file.sha256 }],
      ],
      { model, charter: bigOrders, asOf: START + 20 * DAY },
    );
    const options = {
      artifacts: join(bench.directory, "artifacts"),
      tmpDirectory: bench.tmpDirectory,
      record: JSON.stringify(record),
      snapshots: [...snapshots],
      threads,
    };
    const program = join(import.meta.dirname, "test-support", "rebuild-process.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(options)]);
    expect(stdout.trim()).toBe(record.set.file.sha256);
    expect(record.set.rows).toBe(300_000);
  });

  test("after its file was lost, which is there again then", async () => {
    const { record, snapshots } = await savedOrders({ from: START + 2 * DAY });
    await bench.artifacts.remove(record.set.file.sha256);
    await rebuildTrainingSet(bench, record, snapshots);
    expect(await bench.artifacts.has(record.set.file.sha256)).toBe(true);
  });
});

describe("a training set that cannot be built again says why", () => {
  test("a snapshot that is not on record, and one whose bytes are gone", async () => {
    const { record, snapshots } = await savedOrders();
    await expect(rebuildTrainingSet(bench, record, new Map([...snapshots, ["visits", null]]))).rejects.toMatchObject(
      refused("FEATURE_SET_DATA_GONE", /Snapshot .* of "visits" is not on record/),
    );
    const lost = await snapshotOf(bench, orders, [orderRows.slice(0, 350)], LATER);
    const of = await saved(
      [
        [visits, await snapshotOf(bench, visits, [visitRows], LATER)],
        [orders, lost],
      ],
      { model, charter: bigOrders, asOf: START + 8 * DAY },
    );
    await bench.artifacts.remove(lost.parts[0].sha256);
    await expect(rebuildTrainingSet(bench, of.record, of.snapshots)).rejects.toMatchObject(
      refused("FEATURE_SET_DATA_GONE", /part of snapshot .* of "orders"/),
    );
  });

  test("an erasure, of the snapshot or of its own file", async () => {
    const { record, snapshots } = await savedOrders();
    const visited = snapshots.get("visits");
    if (visited === undefined) throw new Error("visits were read");
    const mark = { erasure: "e1", at: LATER, rows: 3, contentHash: visited.contentHash };
    const without = { ...visited, contentHash: "another", erased: [mark] };
    await expect(rebuildTrainingSet(bench, record, new Map([...snapshots, ["visits", without]]))).rejects.toMatchObject(
      refused("FEATURE_SET_ERASED", /an erasure of 2027-04-05.* took 3 rows out of snapshot .* of "visits"/),
    );
    const marked = { ...record, erased: [{ erasure: "e1", at: LATER, rows: 2, sha256: record.set.file.sha256 }] };
    await expect(rebuildTrainingSet(bench, marked, snapshots)).rejects.toMatchObject(
      refused("FEATURE_SET_ERASED", /took 2 rows out of it/),
    );
  });

  test("other values, by column", async () => {
    const { record, snapshots } = await savedOrders();
    const other = await saved(
      [
        [visits, await snapshotOf(bench, visits, [visitRows.map((row) => ({ ...row, spent: 1 }))], LATER)],
        [orders, await snapshotOf(bench, orders, [orderRows], LATER)],
      ],
      { model, charter: bigOrders, asOf: START + 8 * DAY },
    );
    const mixed = { ...record, set: { ...record.set, file: other.record.set.file } };
    await expect(rebuildTrainingSet(bench, mixed, snapshots)).rejects.toMatchObject(
      refused("FEATURE_SET_DIFFERS", /other values of .*spending\.spent in \d+ of \d+ rows/),
    );
  });

  test("another version of the engine", async () => {
    const { record, snapshots } = await savedOrders();
    const elder = { ...record, engine: "v0.1.0", set: { ...record.set, file: { ...record.set.file, sha256: "0".repeat(64) } } };
    await expect(rebuildTrainingSet(bench, elder, snapshots)).rejects.toMatchObject(
      refused("FEATURE_SET_DIFFERS", /written by DuckDB v0\.1\.0, and this is v.*not there to be compared/),
    );
  });

  test("a record that is damaged or newer", () => {
    expect(() => readTrainingSetRecord(Buffer.from("{"))).toThrow(
      expect.objectContaining(refused("FEATURE_SET_RECORD_DAMAGED", /no JSON/)),
    );
    expect(() => readTrainingSetRecord(Buffer.from('{"formatVersion":2}'))).toThrow(
      expect.objectContaining(refused("FEATURE_SET_RECORD_DAMAGED", /format 2/)),
    );
  });

  test("a function whose text was changed", async () => {
    const { record, snapshots } = await savedOrders();
    const text = JSON.stringify(record).replace("row.ratio * 2", "row.ratio * 3");
    await expect(rebuildTrainingSet(bench, readTrainingSetRecord(Buffer.from(text)), snapshots)).rejects.toMatchObject(
      refused("FEATURE_ON_DEMAND_SOURCE", /"twice" is damaged/),
    );
  });
});

test("the number of threads does not change the bytes", async () => {
  const { record, snapshots } = await savedOrders();
  const engine = await openDuckDb({ threads: 4, tempDirectory: join(bench.tmpDirectory, "duckdb-4") });
  try {
    expect((await rebuildTrainingSet({ ...bench, engine }, record, snapshots)).file).toEqual(record.set.file);
  } finally {
    engine.close();
  }
});
