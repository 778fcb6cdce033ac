import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, redisBinary, startRedis } from "../../../test/fixtures/redis-server.ts";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { openRedis } from "../../adapters/online/redis.ts";
import { snapshotPaths } from "../data/index.ts";
import { entity, featureView, float64, max, mean, source, string, timestamp } from "../definitions/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import { HOUR, MINUTE, type Micros } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { materializeEarlier } from "./earlier-versions.ts";
import { historicalFeatures } from "./historical-features.ts";
import { materialize } from "./materialize.ts";
import { readOnlineView } from "./online-entry.ts";
import { createExactReader } from "./online-reader.ts";
import { entityPrefix, ONLINE_RETENTION, viewKey } from "./online-view.ts";
import type { FeaturePlan } from "./plan.ts";
import { viewVersions } from "./standing-versions.ts";
import { openWorkbench, selectRows, snapshotOf, type Workbench } from "./test-support/snapshots.ts";

let bench: Workbench;
let redis: RedisServer | null = null;
const { bin } = redisBinary();
beforeAll(async () => {
  bench = await openWorkbench();
  if (bin !== null) redis = await startRedis(bin);
});
afterAll(async () => {
  await redis?.remove();
  bench.close();
});

const columns = { shop: string(), price: float64(), cost: float64().nullable(), at: timestamp() };
const sales = source.parquet("sales", { path: "-", columns, eventTime: "at" });
const shop = entity("shop", { shop: string() });
/** Three definitions of one view: the second computes `price_1h` otherwise, the third is without it. */
const first = featureView("shop_sales", {
  entity: shop,
  source: sales,
  features: ["cost"],
  aggregate: { price_1h: mean("price").over("1h") },
});
const second = featureView("shop_sales", {
  entity: shop,
  source: sales,
  features: ["cost"],
  aggregate: { price_1h: max("price").over("1h") },
});
const third = featureView("shop_sales", { entity: shop, source: sales, features: ["cost"] });
type View = typeof first | typeof second | typeof third;

const START: Micros = 1_767_225_600_000_000;
const rows = Array.from({ length: 60 }, (_, index) => ({
  shop: index % 3 === 0 ? "a" : "b",
  price: (index * 7) % 11,
  cost: index,
  at: START + index * 10 * MINUTE,
}));
const snapshot = () => snapshotOf(bench, sales, [rows], START + 12 * HOUR);
const scope = { workspace: "test", project: "versions" };
const planOf = (view: View) => compileFeaturePlan({ name: "m", features: view.all() });

/** Values of both shops, by feature. */
async function read(online: OnlineStore, plan: FeaturePlan, at: Micros) {
  const { values } = await createExactReader(plan, online, scope).read([{ shop: "a" }, { shop: "b" }], at);
  return values;
}

async function offline(view: View, at: Micros) {
  const taken = await snapshot();
  const { columns: found } = await historicalFeatures(bench, {
    features: view.all(),
    snapshots: new Map([["sales", { snapshot: taken, source: sales }]]),
    entityRows: selectRows({ shop: "string", at: "timestamp" }, [
      { shop: "a", at },
      { shop: "b", at },
    ]),
    asOf: START + 12 * HOUR,
  });
  return [0, 1].map((row) => [...found.values()].map(({ values }) => values[row]));
}

async function bring(online: OnlineStore, view: View, until: Micros, plans: readonly FeaturePlan[] = []) {
  const taken = await snapshot();
  const input = { scope, view: view.definition, snapshot: taken, source: sales, until };
  const paths = await snapshotPaths(bench.artifacts, taken);
  await materialize({ engine: bench.engine, online }, { ...input, paths });
  return materializeEarlier({ engine: bench.engine, online }, { ...input, paths, plans: () => plans });
}

const recordsOf = async (online: OnlineStore) => (await Array.fromAsync(online.keys(entityPrefix(scope, "shop_sales")))).length;
const hours = (count: number): Micros => START + count * HOUR;

const stores: [string, boolean, () => OnlineStore][] = [
  ["LMDB", true, () => openLmdb(join(bench.directory, randomUUID()))],
  ["Redis", bin !== null, () => openRedis(`${redis?.url}?prefix=${randomUUID()}:`)],
];
describe.each(stores)("a feature view that is defined otherwise, in %s", (_, isThere, open) => {
  const on = test.skipIf(!isThere);
  const withStore = (work: (online: OnlineStore) => Promise<void>) => async () => {
    const online = open();
    try {
      await work(online);
    } finally {
      await online.close();
    }
  };

  on(
    "serves both those who were trained on the one and on the other, with the offline values of each",
    withStore(async (online) => {
      const [old, now] = [planOf(first), planOf(second)];
      await bring(online, first, hours(3));
      const reader = createExactReader(old, online, scope);
      const asked = [{ shop: "a" }, { shop: "b" }];
      expect((await reader.read(asked, hours(3))).values).toEqual(await offline(first, hours(3)));
      await expect(read(online, now, hours(3))).rejects.toMatchObject({ code: "FEATURE_VIEW_CHANGED" });

      await bring(online, second, hours(4), [old]);
      expect((await reader.read(asked, hours(4))).values).toEqual(await offline(first, hours(4)));
      expect(await read(online, now, hours(4))).toEqual(await offline(second, hours(4)));

      expect(await bring(online, second, hours(6), [old])).toMatchObject([{ halted: null, entities: 2 }]);
      const { values, materializedUntil } = await reader.read(asked, hours(6));
      expect([values, materializedUntil]).toEqual([await offline(first, hours(6)), { shop_sales: hours(6) }]);
      expect(await read(online, now, hours(6))).toEqual(await offline(second, hours(6)));
    }),
  );

  on(
    "keeps what nothing reads for a retention, and then removes its records and what says of it",
    withStore(async (online) => {
      const old = planOf(first);
      await bring(online, first, hours(3));
      await bring(online, second, hours(4), [old]);
      expect(await recordsOf(online)).toBe(4);
      await bring(online, second, hours(5));
      expect(await viewVersions(online, scope, "shop_sales")).toMatchObject([
        { current: true, since: hours(4), unusedSince: null },
        { current: false, since: hours(3), materializedUntil: hours(4), unusedSince: hours(5) },
      ]);
      expect(await read(online, old, hours(4))).toEqual(await offline(first, hours(4)));
      await bring(online, second, hours(5) + ONLINE_RETENTION);
      expect(await recordsOf(online)).toBe(2);
      expect(await viewVersions(online, scope, "shop_sales")).toHaveLength(1);
      await expect(read(online, old, hours(7))).rejects.toMatchObject({ code: "FEATURE_VIEW_CHANGED" });
      const keys = await Array.fromAsync(online.keys(`${viewKey(scope, "shop_sales")}:`));
      expect(keys.map((key) => key.split(":")[1])).toEqual(["definition"]);
    }),
  );

  on(
    "is read by the version that has all a model asks for, the current one first",
    withStore(async (online) => {
      await bring(online, first, hours(3));
      await bring(online, third, hours(4), [planOf(first)]);
      const { until } = (await readOnlineView(online, scope, "shop_sales")) ?? {};
      expect(until).toBe(hours(4));
      // The column alone is defined as it was.
      const cost = compileFeaturePlan({ name: "m", features: [first.feature.cost] });
      await bring(online, third, hours(9));
      const reads = createExactReader(cost, online, scope).read([{ shop: "a" }], hours(9));
      expect((await reads).materializedUntil).toEqual({ shop_sales: hours(9) });
      const whole = createExactReader(planOf(first), online, scope).read([{ shop: "a" }], hours(9));
      expect((await whole).materializedUntil).toEqual({ shop_sales: hours(4) });
    }),
  );

  on(
    "has its earlier version again when it is defined as before, and makes no third",
    withStore(async (online) => {
      await bring(online, first, hours(3));
      const before = await readOnlineView(online, scope, "shop_sales");
      await bring(online, second, hours(4), [planOf(first)]);
      await bring(online, first, hours(5), [planOf(second)]);
      const again = await readOnlineView(online, scope, "shop_sales");
      expect([again?.generation, again?.since]).toEqual([before?.generation, hours(3)]);
      expect(await read(online, planOf(first), hours(5))).toEqual(await offline(first, hours(5)));
      expect(await read(online, planOf(second), hours(5))).toEqual(await offline(second, hours(5)));
      expect(await viewVersions(online, scope, "shop_sales")).toHaveLength(2);
      expect(await recordsOf(online)).toBe(4);
    }),
  );
});

test("an earlier version is read in one round trip, and an increment of either costs no second", async () => {
  const online = openLmdb(join(bench.directory, "counted"));
  let trips = 0;
  const counted: OnlineStore = {
    putMany: (entries) => online.putMany(entries),
    keys: (prefix) => online.keys(prefix),
    scrub: () => online.scrub(),
    close: () => online.close(),
    async getMany(keys) {
      trips++;
      return online.getMany(keys);
    },
  };
  const plan = planOf(first);
  await bring(online, first, hours(3));
  const reader = createExactReader(plan, counted, scope);
  await reader.read([{ shop: "a" }], hours(3));
  await bring(online, second, hours(4), [plan]);
  await reader.read([{ shop: "a" }], hours(4));
  const before = trips;
  await bring(online, second, hours(5), [plan]);
  await reader.read([{ shop: "a" }], hours(5));
  expect(trips).toBe(before + 1);
  await online.close();
});

test("a version whose column is gone stays readable as it is, and says why", async () => {
  const online = openLmdb(join(bench.directory, "gone"));
  const plan = planOf(first);
  await bring(online, first, hours(3));
  const { cost: _, ...left } = columns;
  const without = source.parquet("sales", { path: "-", columns: left, eventTime: "at" });
  const fewer = featureView("shop_sales", { entity: shop, source: without, aggregate: { price_1h: max("price").over("1h") } });
  const taken = await snapshotOf(bench, without, [rows.map(({ cost: _, ...row }) => row)], hours(12));
  const paths = await snapshotPaths(bench.artifacts, taken);
  const input = { scope, view: fewer.definition, snapshot: taken, source: without, paths, until: hours(5) };
  await materialize({ engine: bench.engine, online }, input);
  const halted = 'Feature view "shop_sales" reads "cost", which source "sales" does not have';
  const earlier = () => materializeEarlier({ engine: bench.engine, online }, { ...input, plans: () => [plan] });
  expect(await earlier()).toMatchObject([{ halted }]);
  expect(await earlier()).toMatchObject([{ halted }]);
  expect(await viewVersions(online, scope, "shop_sales")).toMatchObject([
    { current: true, halted: null },
    { current: false, halted, materializedUntil: hours(3) },
  ]);
  expect(await read(online, plan, hours(3))).toEqual(await offline(first, hours(3)));
  await online.close();
});

test("what was written before there were versions is read on, and becomes an earlier version with the first change", async () => {
  const online = openLmdb(join(bench.directory, "before"));
  const plan = planOf(first);
  await bring(online, first, hours(3));
  const keys = await Array.fromAsync(online.keys(`${viewKey(scope, "shop_sales")}:`));
  const { since: _, ...entry } = (await readOnlineView(online, scope, "shop_sales")) ?? {};
  await online.putMany([
    [viewKey(scope, "shop_sales"), Buffer.from(JSON.stringify(entry))],
    ...keys.map((key) => [key, null] as const),
  ]);
  const reader = createExactReader(plan, online, scope);
  await reader.read([{ shop: "a" }], hours(3));
  expect(await bring(online, second, hours(4), [plan])).toMatchObject([{ halted: "it was made before definitions were kept" }]);
  const { values } = await reader.read([{ shop: "a" }, { shop: "b" }], hours(3));
  expect(values).toEqual(await offline(first, hours(3)));
  await online.close();
});
