/**
 * `node active-entity.ts [EVENTS…]`: what a commit of one row and a read cost for one entity with so many events in its longest window, in
 * processor time of this process, and what a commit writes. Rows are pushed, as they would be while they happen.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLmdb } from "../../src/adapters/online/lmdb.ts";
import { openSqlitePushLog } from "../../src/adapters/push/sqlite.ts";
import {
  count,
  countDistinct,
  entity,
  featureView,
  float64,
  int64,
  lastN,
  max,
  mean,
  min,
  source,
  std,
  sum,
  timestamp,
} from "../../src/core/definitions/index.ts";
import { applyPushed, compileFeaturePlan, createExactReader } from "../../src/core/features/index.ts";
import type { OnlineStore } from "../../src/core/ports/index.ts";
import { formatTimestamp, HOUR, MINUTE } from "../../src/core/time.ts";
import { openPushEngine } from "../../src/platform/push/push-engine.ts";

const BEGIN = 1_767_225_600_000_000;
const DAY = 24 * HOUR;
const APPENDED_AT_ONCE = 5_000;
const COMMITS = 40;
const READS = 400;

const events = source.parquet("payments", {
  path: "-",
  eventTime: "at",
  columns: { customer: int64(), amount: float64(), at: timestamp() },
});
const view = featureView("payments", {
  entity: entity("customer", { customer: int64() }),
  source: events,
  features: ["amount"],
  aggregate: {
    payments: count().over("1h", "24h"),
    total: sum("amount").over("1h", "24h"),
    average: mean("amount").over("24h"),
    least: min("amount").over("24h"),
    greatest: max("amount").over("24h"),
    scatter: std("amount").over("24h"),
    recent: lastN("amount", 5).over("24h"),
  },
});
/** How many are different is told by going through all rows. */
const distinct = featureView("amounts", {
  entity: entity("customer", { customer: int64() }),
  source: events,
  features: [],
  aggregate: { amounts: countDistinct("amount").over("24h") },
});
const scope = { workspace: "bench", project: "active" };

async function measure(folder: string, many: number) {
  const log = openSqlitePushLog(join(folder, `push-${many}`));
  const store = openLmdb(join(folder, `online-${many}`));
  let written = 0;
  const online: OnlineStore = {
    getMany: (keys) => store.getMany(keys),
    keys: (prefix) => store.keys(prefix),
    scrub: () => store.scrub(),
    close: () => store.close(),
    async putMany(entries) {
      for (const [, value] of entries) written += value?.length ?? 0;
      await store.putMany(entries);
    },
  };
  const engine = await openPushEngine(join(folder, "tmp"));
  let pushed = 0;
  const row = (at: number) => {
    const amount = (++pushed % 9_973) / 8;
    const text = JSON.stringify({ customer: "1", amount: String(amount), at: formatTimestamp(at) });
    return { row: text, key: null, problem: null, entities: [{ keys: '["customer"]', entity: "[1]" }] };
  };
  const apply = (of: typeof view.definition | typeof distinct.definition, now: number) =>
    applyPushed({ engine, online, log }, { scope, view: of, index: "1", now });
  const now = BEGIN + DAY;
  for (let first = 0; first < many; first += APPENDED_AT_ONCE) {
    const some = Math.min(APPENDED_AT_ONCE, many - first);
    await log.append(
      "payments",
      Array.from({ length: some }, (_, at) => row(BEGIN + MINUTE + Math.floor(((first + at) * (DAY - MINUTE)) / many))),
      { once: false, at: now },
    );
    await apply(view.definition, BEGIN + MINUTE + Math.floor(((first + some) * (DAY - MINUTE)) / many));
  }
  const commits = async (eventAt: (commit: number) => number) => {
    written = 0;
    const start = process.cpuUsage();
    for (let commit = 0; commit < COMMITS; commit++) {
      await log.append("payments", [row(eventAt(commit))], { once: false, at: now });
      await apply(view.definition, now);
    }
    const { user, system } = process.cpuUsage(start);
    return { ms: (user + system) / 1_000 / COMMITS, kilobytes: written / 1_024 / COMMITS };
  };
  const inTime = await commits((commit) => now + commit);
  const late = await commits((commit) => BEGIN + HOUR + Math.floor((commit * (DAY - 2 * HOUR)) / COMMITS));
  const reads = async (of: typeof view | typeof distinct, times: number) => {
    const reader = createExactReader(compileFeaturePlan({ name: "m", features: of.all() }), online, scope);
    await reader.read([{ customer: 1 }], now + COMMITS);
    const start = process.cpuUsage();
    for (let read = 0; read < times; read++) await reader.read([{ customer: 1 }], now + COMMITS + read);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / times;
  };
  const read = await reads(view, READS);
  let different: number | null = null;
  if (many <= 200_000) {
    await apply(distinct.definition, now);
    different = await reads(distinct, READS / 10);
  }
  await store.close();
  log.close();
  engine.close();
  return { many, inTime, late, read, different };
}

const given = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "orrery-bench-active-"));
console.log("events      commit: ms, kB written      late row: ms, kB written      read: us      distinct count: us");
try {
  for (const many of given.length > 0 ? given : [1_000, 10_000, 50_000, 200_000, 1_000_000]) {
    const { inTime, late, read, different } = await measure(folder, many);
    const figures = [inTime.ms, inTime.kilobytes, late.ms, late.kilobytes, read, different ?? Number.NaN];
    console.log([String(many).padEnd(10), ...figures.map((figure) => figure.toFixed(1).padStart(10))].join("  "));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
