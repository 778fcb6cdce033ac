import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { snapshotPaths } from "../data/index.ts";
import {
  bool,
  count,
  countDistinct,
  entity,
  type FeatureReference,
  featureView,
  first,
  float64,
  int64,
  last,
  lastN,
  max,
  mean,
  min,
  onDemand,
  rate,
  requestField,
  type SourceDefinition,
  source,
  sql,
  std,
  string,
  sum,
  timestamp,
} from "../definitions/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import { HOUR, MINUTE } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { materialize } from "./materialize.ts";
import { createExactReader } from "./online-reader.ts";
import { type Ask, bothWays } from "./test-support/both-ways.ts";
import type { SourceRow } from "./test-support/oracle.ts";
import { openWorkbench, snapshotOf, type Workbench } from "./test-support/snapshots.ts";

let bench: Workbench & { readonly online: OnlineStore };
beforeAll(async () => {
  const opened = await openWorkbench();
  bench = { ...opened, online: openLmdb(join(opened.directory, "online")) };
});
afterAll(async () => {
  await bench.online.close();
  bench.close();
});

const visits = source.parquet("visits", {
  path: "-",
  key: ["visit"],
  eventTime: "at",
  availableTime: "seen",
  columns: {
    visit: string(),
    shop: string(),
    city: string(),
    paid: float64().nullable(),
    page: string().nullable(),
    receipt: int64().nullable(),
    opened: timestamp().nullable(),
    gone: bool().nullable(),
  },
});
const shop = entity("shop", { shop: string() });

let visitNumber = 0;
/** A visit of shop "a" at so many minutes, seen at once. */
const visit = (minutes: number, facts: SourceRow = {}): SourceRow => ({
  visit: `v${++visitNumber}`,
  shop: "a",
  city: "bern",
  at: minutes * MINUTE,
  seen: minutes * MINUTE,
  ...facts,
});
const ask = (minutes: number, keys: SourceRow = { shop: "a" }): Ask => ({ ...keys, at: minutes * MINUTE });
const of = (rows: readonly SourceRow[]) => new Map([["visits", rows]]);
const values = (features: readonly FeatureReference[], rows: readonly SourceRow[], asks: readonly Ask[]) =>
  bothWays(bench, features, of(rows), asks);

describe("windows", () => {
  const rows = [
    visit(0, { paid: 9, page: "x" }),
    visit(10, { paid: 4, page: "y" }),
    visit(20, { page: "y" }),
    visit(30, { paid: 1 }),
  ];

  test("hold the events after their first moment up to their last, each function over the values that there are", async () => {
    const view = featureView("v", {
      entity: shop,
      source: visits,
      aggregate: {
        n: count().over("30m"),
        dear: count("paid > 3").over("30m"),
        total: sum("paid").over("30m"),
        average: mean("paid").over("30m"),
        least: min("paid").over("30m"),
        most: max("paid").over("30m"),
        spread: std("paid").over("30m"),
        dear_rate: rate("paid > 3").over("30m"),
        pages: countDistinct("page").over("30m"),
        oldest: first("paid").over("30m"),
        newest: last("page", "string").over("30m"),
      },
    });
    expect(await values(view.all(), rows, [ask(-1), ask(29), ask(30), ask(60), ask(90)])).toEqual([
      [0, 0, null, null, null, null, null, null, 0, null, null],
      [3, 2, 13, 6.5, 4, 9, Math.sqrt(12.5), 2 / 3, 2, 9, "y"],
      // At 30 the visit at 0 has left: (0, 30].
      [3, 1, 5, 2.5, 1, 4, Math.sqrt(4.5), 1 / 3, 1, 4, "y"],
      [0, 0, null, null, null, null, null, null, 0, null, null],
      [0, 0, null, null, null, null, null, null, 0, null, null],
    ]);
  });

  test("of several lengths at once are features of their own", async () => {
    const view = featureView("v", {
      entity: shop,
      source: visits,
      aggregate: { n: count().over("5m", "15m", "1h"), paid: lastN("paid", 2).over("15m", "1h") },
    });
    expect(view.all().map(({ name }) => name)).toEqual([
      ...["n_5m", "n_15m", "n_1h", "paid_15m_1", "paid_15m_2", "paid_1h_1", "paid_1h_2"],
    ]);
    expect(await values(view.all(), rows, [ask(12), ask(30)])).toEqual([
      [1, 2, 2, 4, 9, 4, 9],
      [1, 2, 4, 1, null, 1, 4],
    ]);
  });

  test("order events of one moment by when they were seen, then by their place", async () => {
    const view = featureView("v", { entity: shop, source: visits, aggregate: { page: lastN("page", 4, "string").over("1h") } });
    const tied = [
      visit(10, { page: "late", seen: 14 * MINUTE }),
      visit(10, { page: "first" }),
      visit(10, { page: "second" }),
      visit(9, { page: "before", seen: 20 * MINUTE }),
    ];
    expect(await values(view.all(), tied, [ask(12), ask(14), ask(20)])).toEqual([
      ["second", "first", null, null],
      ["late", "second", "first", null],
      ["late", "second", "first", "before"],
    ]);
  });

  test("take every value of a type as it is", async () => {
    const view = featureView("v", {
      entity: shop,
      source: visits,
      aggregate: {
        opened: last("opened", "timestamp").over("1h"),
        gone: first("gone", "bool").over("1h"),
        openings: countDistinct("opened").over("1h"),
        day: last("CAST(opened AS DATE)", "timestamp").over("1h"),
        as_number: last("gone").over("1h"),
      },
    });
    const odd = [visit(1, { opened: -1, gone: false }), visit(2, { opened: 26 * HOUR + 1, gone: true }), visit(3)];
    expect(await values(view.all(), odd, [ask(3)])).toEqual([[26 * HOUR + 1, false, 2, 24 * HOUR, 1]]);
  });
});

describe("corrections and deletions", () => {
  const view = featureView("v", {
    entity: shop,
    source: { ...visits, deleted: "gone" },
    features: ["paid"],
    aggregate: {
      n: count().over("1h"),
      total: sum("paid").over("1h"),
      most: max("paid").over("1h"),
      page: lastN("page", 2, "string").over("1h"),
    },
  });

  test("take the place of what they correct from when they are known, and not before", async () => {
    const wrong = visit(10, { paid: 100, page: "x" });
    const rows = [visit(5, { paid: 1, page: "w" }), wrong, { ...wrong, paid: 2, page: "y", seen: 20 * MINUTE }];
    expect(await values(view.all(), rows, [ask(19), ask(20), ask(69), ask(70)])).toEqual([
      [100, 2, 101, 100, "x", "w"],
      [2, 2, 3, 2, "y", "w"],
      [2, 1, 2, 2, "y", null],
      [2, 0, null, null, null, null],
    ]);
  });

  test("that move an event leave nothing at its old time", async () => {
    const early = visit(10, { paid: 7, page: "x" });
    const moved = { ...early, at: 30 * MINUTE, seen: 20 * MINUTE };
    // Known from 20 on that it will be at 30, so that between the two there is no such visit.
    expect(await values(view.all(), [early, moved], [ask(19), ask(20), ask(30)])).toEqual([
      [7, 1, 7, 7, "x", null],
      [null, 0, null, null, null, null],
      [7, 1, 7, 7, "x", null],
    ]);
  });

  test("bring an older row to the front again, and may be taken back", async () => {
    const older = visit(5, { paid: 1, page: "w" });
    const newer = visit(10, { paid: 2, page: "x" });
    const deleted = { ...newer, gone: true, seen: 20 * MINUTE };
    const restored = { ...newer, paid: 3, seen: 30 * MINUTE };
    expect(await values(view.all(), [older, newer, deleted, restored], [ask(15), ask(20), ask(30)])).toEqual([
      [2, 2, 3, 2, "x", "w"],
      [1, 1, 1, 1, "w", null],
      [3, 2, 4, 3, "x", "w"],
    ]);
  });

  test("known before the event itself mean that it was never there", async () => {
    const planned = visit(30, { paid: 5, seen: 0 });
    expect(await values(view.all(), [planned, { ...planned, gone: true, seen: 10 * MINUTE }], [ask(9), ask(30)])).toEqual([
      [null, 0, null, null, null, null],
      [null, 0, null, null, null, null],
    ]);
  });

  test("of the same moment are the one delivered last", async () => {
    const once = visit(10, { paid: 5, page: "x" });
    expect(await values(view.all(), [once, { ...once, paid: 6, page: "y" }], [ask(10)])).toEqual([[6, 1, 6, 6, "y", null]]);
  });
});

describe("latest values", () => {
  test("are too old after their ttl, to the microsecond", async () => {
    const view = featureView("v", {
      entity: shop,
      source: visits,
      features: ["paid"],
      expressions: { dear: sql("paid > 3", "bool") },
      ttl: "10m",
    });
    const at = (micros: number): Ask => ({ shop: "a", at: 10 * MINUTE + micros });
    expect(await values(view.all(), [visit(0, { paid: 4 })], [at(-1), at(0), at(1)])).toEqual([
      [4, true],
      [4, true],
      [null, null],
    ]);
  });

  test("of SQL expressions are of the latest row, null where it is", async () => {
    const view = featureView("v", {
      entity: shop,
      source: visits,
      expressions: {
        dear: sql("paid > 3", "bool"),
        label: sql("page || '''' || city", "string"),
        cents: sql("CAST(paid * 100 AS BIGINT)", "int64"),
        'größe "select"': sql("paid / 2", "float64"),
        day: sql("opened::DATE", "timestamp"),
      },
    });
    const rows = [visit(1, { paid: 5, page: "x", opened: 26 * HOUR }), visit(2, { page: "y" })];
    expect(await values(view.all(), rows, [ask(1), ask(2)])).toEqual([
      [true, "x'bern", 500, 2.5, 24 * HOUR],
      [null, "y'bern", null, null, null],
    ]);
  });

  test.each([
    ["paid > 3", "float64", "BOOLEAN and no float64"],
    ["receipt", "int32", "BIGINT and no int32"],
    ["page", "bool", "VARCHAR and no bool"],
    ["paid", "int64", "DOUBLE and no int64"],
  ] as const)("of the expression %s are refused as %s", async (expression, type, message) => {
    const view = featureView("v", { entity: shop, source: visits, expressions: { x: sql(expression, type) } });
    await expect(values(view.all(), [visit(1)], [ask(1)])).rejects.toMatchObject({
      code: "FEATURE_EXPRESSION_TYPE",
      message: expect.stringContaining(message),
    });
  });
});

describe("keys", () => {
  test("may be none: the features describe everything at once", async () => {
    const view = featureView("all_visits", {
      source: visits,
      features: ["shop"],
      aggregate: { shops: countDistinct("shop").over("1h") },
    });
    const rows = [visit(1), visit(2, { shop: "b" }), visit(3, { shop: "b" })];
    expect(await values(view.all(), rows, [ask(0, {}), ask(1, {}), ask(3, {})])).toEqual([
      [null, 0],
      ["a", 1],
      ["b", 2],
    ]);
  });

  test("may be several, which are not run into one another", async () => {
    const place = entity("place", { city: string(), shop: string() });
    const view = featureView("v", { entity: place, source: visits, aggregate: { n: count().over("1h") } });
    const rows = [visit(1, { city: "1", shop: "23" }), visit(1, { city: "12", shop: "3" }), visit(2, { city: "12", shop: "3" })];
    expect(
      await values(view.all(), rows, [
        ask(5, { city: "1", shop: "23" }),
        ask(5, { city: "12", shop: "3" }),
        ask(5, { city: "12", shop: null }),
      ]),
    ).toEqual([[1], [2], [0]]);
  });

  test("of one view are asked for by several fields of one row", async () => {
    const view = featureView("v", { entity: shop, source: visits, features: ["paid"], aggregate: { n: count().over("1h") } });
    const [here, there] = [view.as("here", { shop: "from" }), view.as("there", { shop: "to" })];
    const rows = [visit(1, { paid: 1 }), visit(2, { shop: "b", paid: 2 }), visit(3, { shop: "b", paid: 3 })];
    expect(
      await values([...view.all(), ...here.all(), there.feature.n], rows, [
        { shop: "a", from: "b", to: "a", at: 5 * MINUTE },
        { shop: "b", from: "c", to: null, at: 5 * MINUTE },
      ]),
    ).toEqual([
      [1, 1, 3, 2, 1],
      [3, 2, null, 0, 0],
    ]);
  });

  test("of a view that is asked for by another name must be the view's", () => {
    const view = featureView("v", { entity: shop, source: visits, features: ["paid"] });
    const code = expect.objectContaining({ code: "DEFINITION_KEY_UNKNOWN" });
    // @ts-expect-error no key of the view
    expect(() => view.as("w", { city: "town" })).toThrow(code);
    const place = featureView("p", {
      entity: entity("place", { city: string(), shop: string() }),
      source: visits,
      features: ["paid"],
    });
    expect(() => place.as("w", { city: "x", shop: "x" })).toThrow(code);
  });
});

describe("integers of 64 bits", () => {
  const ids = [-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n, 9_007_199_254_740_991n, -1n];
  const receipts: SourceDefinition = { ...visits, key: [] };
  const rows = ids.map((receipt, index) => visit(index, { receipt }));
  const exact = (integer: bigint) => (Number.isSafeInteger(Number(integer)) ? Number(integer) : integer);

  test("keep all their digits as latest values, in windows and through functions", async () => {
    const made = featureView("v", {
      entity: shop,
      source: receipts as typeof visits,
      features: ["receipt"],
      expressions: { next: sql("receipt // 2", "int64") },
      aggregate: { seen: lastN("receipt", 2, "int64").over("1h"), different: countDistinct("receipt").over("1h") },
    });
    const passed = onDemand("passed", {
      inputs: [made.feature.receipt],
      request: {},
      returns: "int64",
      compute: ({ receipt }) => receipt,
    });
    const found = await values(
      [...made.all(), passed],
      rows,
      ids.map((_, index) => ask(index)),
    );
    expect(found).toEqual(
      ids.map((id, index) => [
        exact(id),
        exact(id / 2n),
        exact(id),
        index === 0 ? null : exact(ids[index - 1]),
        index + 1,
        exact(id),
      ]),
    );
  });

  test("are keys and request fields, in quotes where JSON would lose them", async () => {
    const receipt = entity("receipt", { receipt: int64() });
    const made = featureView("v", { entity: receipt, source: visits, features: ["paid"] });
    const big = 2n ** 53n + 1n;
    const near = [
      visit(1, { receipt: big, paid: 1 }),
      visit(2, { receipt: big - 1n, paid: 2 }),
      visit(3, { receipt: 7, paid: 3 }),
    ];
    const features = [...made.all(), requestField("receipt", int64())];
    expect(
      await values(features, near, [ask(5, { receipt: big }), ask(5, { receipt: big - 1n }), ask(5, { receipt: 7 })]),
    ).toEqual([
      [1, big],
      [2, big - 1n],
      [3, 7],
    ]);
  });
});

test("a value that is not there says why: null in its row, no row, or a row that is too old", async () => {
  const view = featureView("v", {
    entity: shop,
    source: visits,
    features: ["paid", "page"],
    aggregate: { spread: std("paid").over("20m"), n: count().over("20m") },
    ttl: "10m",
  });
  const snapshot = await snapshotOf(bench, visits, [[visit(5, { paid: 3 })]], HOUR);
  const scope = { workspace: "test", project: "why not" };
  await materialize(
    { engine: bench.engine, online: bench.online },
    {
      scope,
      view: view.definition,
      snapshot,
      source: visits,
      paths: await snapshotPaths(bench.artifacts, snapshot),
      until: 5 * MINUTE,
    },
  );
  const reader = createExactReader(compileFeaturePlan({ name: "m", features: view.all() }), bench.online, scope);
  const asked = [5, 16, 26, 5].map((minutes) => minutes * MINUTE);
  const { values, details } = await reader.read([{ shop: "a" }, { shop: "a" }, { shop: "a" }, { shop: "b" }], asked);
  expect(values).toEqual([
    [3, null, null, 1],
    [null, null, null, 1],
    [null, null, null, 0],
    [null, null, null, 0],
  ]);
  expect(details.map(({ statuses }) => statuses)).toEqual([
    ["present", "null", "null", "present"],
    ["expired", "expired", "null", "present"],
    ["expired", "expired", "missing", "present"],
    ["missing", "missing", "missing", "missing"],
  ]);
  expect(details[1].eventAt).toEqual([5 * MINUTE, 5 * MINUTE, null, null]);
});
