import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, redisBinary, startRedis } from "../../../test/fixtures/redis-server.ts";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { openRedis } from "../../adapters/online/redis.ts";
import { openSqlitePushLog } from "../../adapters/push/sqlite.ts";
import { pushContract, textRow } from "../data/index.ts";
import {
  count,
  countDistinct,
  entity,
  featureView,
  first,
  float64,
  int64,
  lastN,
  max,
  mean,
  min,
  type SourceDefinition,
  source,
  std,
  string,
  sum,
  timestamp,
} from "../definitions/index.ts";
import type { OnlineStore, PushLog } from "../ports/index.ts";
import { formatTimestamp, HOUR, type Micros, SECOND } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { isTiled } from "./entity-record.ts";
import { eraseOnline } from "./erase-online.ts";
import { readOnlineView } from "./online-entry.ts";
import { createExactReader } from "./online-reader.ts";
import { entityPrefix, ONLINE_RETENTION } from "./online-view.ts";
import { judgePushed, keySetsOf, pushIndexHash } from "./push-index.ts";
import { applyPushed } from "./push-online.ts";
import { bruteForce, type Expression, type SourceRow } from "./test-support/oracle.ts";
import { openWorkbench, type Workbench } from "./test-support/snapshots.ts";

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

const stores: [name: string, isThere: boolean, open: () => OnlineStore][] = [
  ["LMDB", true, () => openLmdb(join(bench.directory, `online-${randomUUID()}`))],
  ["Redis", bin !== null, () => openRedis(`${redis?.url}?prefix=${randomUUID()}:`)],
];

const START: Micros = 1_767_225_600_000_000;
const payments = source.parquet("payments", {
  path: "-",
  columns: { payment: int64(), customer: string(), amount: float64(), shop: string(), at: timestamp() },
  key: ["payment"],
  eventTime: "at",
});
const paid = featureView("paid", {
  entity: entity("customer", { customer: string() }),
  source: payments,
  features: ["amount", "shop"],
  aggregate: {
    payments: count().over("1h", "6h"),
    total: sum("amount").over("1h", "6h"),
    average: mean("amount").over("6h"),
    scatter: std("amount").over("6h"),
    least: min("amount").over("6h"),
    greatest: max("amount").over("6h"),
    shops: countDistinct("shop").over("6h"),
    opening: first("shop", "string").over("6h"),
    recent: lastN("amount", 3).over("1h", "6h"),
  },
});
const expressions: Readonly<Record<string, Expression>> = {
  amount: { columns: ["amount"], value: ({ amount }) => amount ?? null },
  shop: { columns: ["shop"], value: ({ shop }) => shop ?? null },
};
const plan = compileFeaturePlan({ name: "m", features: paid.all() });
const names = plan.features.map(({ id }) => id.slice("paid.".length));
const keySets = keySetsOf(payments, [paid.definition]);

/** The same numbers in every run. */
function randomNumbers() {
  let state = 7;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const payment = (number: number, at: Micros, amount: number, customer = "ann"): SourceRow => ({
  payment: number,
  customer,
  amount,
  shop: `shop ${number % 7}`,
  at,
});

/** A log, and a store that follows it. */
async function openPushes(online: OnlineStore, tileRows = 1_024) {
  const scope = { workspace: "w", project: randomUUID() };
  const log: PushLog = openSqlitePushLog(join(bench.directory, `push-${randomUUID()}`));
  const contract = await pushContract(bench.artifacts, payments, undefined);
  const index = pushIndexHash(payments, keySets);
  const definition: SourceDefinition = payments;
  return {
    scope,
    known: [] as SourceRow[],
    async push(rows: readonly SourceRow[], now: Micros) {
      const texts = rows.map((row) =>
        JSON.stringify(textRow({ ...row, at: formatTimestamp(Number(row.at)) }, Object.keys(definition.contracts))),
      );
      const judged = await judgePushed(bench.engine, payments, contract, keySets, texts);
      const isNew = await log.append("payments", judged, { once: true, at: now });
      this.known.push(...rows.filter((_, at) => isNew[at]));
      await applyPushed({ engine: bench.engine, online, log }, { scope, view: paid.definition, index, now, tileRows });
    },
    /** Holds every feature at some times against going through all rows. */
    async expectRight(times: readonly Micros[], customer = "ann") {
      const { values } = await createExactReader(plan, online, scope).read(
        times.map(() => ({ customer })),
        times,
      );
      times.forEach((at, row) => {
        names.forEach((name, slot) => {
          const wanted = bruteForce(paid.definition, name, this.known, { customer }, at, expressions);
          const what = `${name} at ${formatTimestamp(at)}`;
          if (name === "scatter") expect(values[row][slot], what).toBeCloseTo(Number(wanted), 9);
          else expect(values[row][slot], what).toBe(wanted);
        });
      });
    },
    async keys() {
      const generation = (await readOnlineView(online, scope, "paid"))?.generation;
      return Array.fromAsync(online.keys(entityPrefix(scope, "paid", generation)));
    },
    close: () => log.close(),
  };
}

describe.each(stores)("an entity with very many rows, in %s", (_, isThere, open) => {
  test.skipIf(!isThere)(
    "has right values, whatever comes late, twice, or corrected, and leaves no tile behind",
    async () => {
      const online = open();
      const pushes = await openPushes(online, 50);
      const random = randomNumbers();
      let now = START;
      let next = 0;
      for (let batch = 0; batch < 12; batch++) {
        const rows = Array.from({ length: 150 }, () => {
          const isLate = random(20) === 0;
          const at = isLate ? now - random(5 * HOUR) : now + random(30 * 60 * SECOND);
          return payment(next++, at, random(10_000) / 8, random(15) === 0 ? "bob" : "ann");
        });
        now += 30 * 60 * SECOND;
        await pushes.push(rows, now);
        if (batch % 3 !== 2) continue;
        const again = rows[5] ?? expect.fail("a row");
        await pushes.push([again, again, { ...again, amount: -5, at: now }], now);
        await pushes.expectRight([now, now - ONLINE_RETENTION, now - HOUR + 1, now + 3 * HOUR, now + 7 * HOUR]);
        await pushes.expectRight([now], "bob");
      }
      const entities = (await pushes.keys()).filter((key) => key.endsWith("]"));
      const records = await online.getMany(entities);
      expect(records.map((bytes) => bytes !== null && isTiled(bytes)).sort()).toEqual([false, true]);

      // A day later all of it is out of every window, and one row makes the record as small as any.
      now += 24 * HOUR;
      await pushes.push([payment(next++, now, 1), payment(next++, now - 3 * HOUR, 2, "bob")], now);
      await pushes.expectRight([now, now - HOUR]);
      expect(await pushes.keys()).toHaveLength(2);
      pushes.close();
      await online.close();
    },
    120_000,
  );

  test.skipIf(!isThere)(
    "is written by its newest rows, however many there are",
    async () => {
      const online = open();
      let written = 0;
      const counted: OnlineStore = {
        getMany: (keys) => online.getMany(keys),
        keys: (prefix) => online.keys(prefix),
        scrub: () => online.scrub(),
        close: () => online.close(),
        async putMany(entries) {
          for (const [, value] of entries) written += value?.length ?? 0;
          await online.putMany(entries);
        },
      };
      const pushes = await openPushes(counted);
      const rows = Array.from({ length: 30_000 }, (_, at) => payment(at, START + Math.floor((at * HOUR) / 10_000), at / 8));
      const now = START + 3 * HOUR;
      await pushes.push(rows, now);
      const all = written;
      written = 0;
      await pushes.push([payment(30_000, now, 1)], now);
      expect(written).toBeLessThan(all / 5);
      written = 0;
      await pushes.push([payment(30_001, START + HOUR, 1)], now);
      expect(written).toBeLessThan(all / 5);
      await pushes.expectRight([now]);
      pushes.close();
      await counted.close();
    },
    60_000,
  );

  test.skipIf(!isThere)(
    "is read whole while it is written, and a tile that is lost is an error",
    async () => {
      const online = open();
      const pushes = await openPushes(online);
      const rows = Array.from({ length: 9_000 }, (_, at) => payment(at, START + at * SECOND, at / 8));
      const now = START + 9_000 * SECOND;
      await pushes.push(rows, now);
      const tiles = (await pushes.keys()).filter((key) => !key.endsWith("]"));
      expect(tiles.length).toBeGreaterThan(2);

      let trips = 0;
      const meanwhile: OnlineStore = {
        keys: (prefix) => online.keys(prefix),
        putMany: (entries) => online.putMany(entries),
        scrub: () => online.scrub(),
        close: () => online.close(),
        async getMany(keys) {
          trips++;
          // Late rows change the tiles between the reading of the record and that of its tiles.
          if (keys.some((key) => tiles.includes(key)))
            await pushes.push(
              [0, 1, 2, 3, 4].map((part) => payment(10_000 + part, START + (part * 1_500 + 0.5) * SECOND, 3)),
              now,
            );
          return online.getMany(keys);
        },
      };
      const { values } = await createExactReader(plan, meanwhile, pushes.scope).read([{ customer: "ann" }], now);
      expect(values[0][names.indexOf("payments_6h")]).toBe(9_005);
      expect(trips).toBeGreaterThan(3);

      const left = (await pushes.keys()).filter((key) => !key.endsWith("]"));
      await online.putMany(left.map((key) => [key, null]));
      await expect(createExactReader(plan, online, pushes.scope).read([{ customer: "ann" }], now)).rejects.toMatchObject({
        code: "FEATURE_RECORD_CORRUPT",
      });
      pushes.close();
      await online.close();
    },
    60_000,
  );

  test.skipIf(!isThere)(
    "is erased with its tiles",
    async () => {
      const online = open();
      const pushes = await openPushes(online);
      const now = START + 9_000 * SECOND;
      const rows = Array.from({ length: 9_000 }, (_, at) =>
        payment(at, START + at * SECOND, at / 8, at % 9 === 0 ? "an" : "ann"),
      );
      await pushes.push(rows, now);
      const erased = await eraseOnline(online, {
        scope: pushes.scope,
        view: paid.definition,
        columns: { customer: "customer" },
        entities: { types: { customer: "string" }, keys: [{ customer: "ann" }] },
        dryRun: false,
      });
      expect(erased).toBeGreaterThan(2);
      expect(await pushes.keys()).toHaveLength(1);
      await pushes.expectRight([now], "an");
      pushes.close();
      await online.close();
    },
    60_000,
  );
});
