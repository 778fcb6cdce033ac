import { join } from "node:path";
import { FilesystemArtifactStore } from "../../src/adapters/artifacts/filesystem.ts";
import { openLmdb } from "../../src/adapters/online/lmdb.ts";
import { openSqlitePushLog } from "../../src/adapters/push/sqlite.ts";
import { systemClock } from "../../src/core/ports/index.ts";
import { count, entity, featureView, float64, int64, source, sum } from "../../src/index.ts";
import { openPushEngine } from "../../src/platform/push/push-engine.ts";
import { openPushRoom } from "../../src/platform/push/push-room.ts";

/** `node push-ours.ts OPTIONS`: how fast rows are acknowledged and how long after the call they are online. */
export interface PushOptions {
  readonly folder: string;
  readonly rowsAtOnce: number;
  readonly pushers: number;
  readonly seconds: number;
  readonly entities: number;
  readonly features: number;
}

const options = JSON.parse(process.argv[2] ?? "") as PushOptions;
const names = Array.from({ length: options.features }, (_, feature) => `f${feature}`);
const events = source.push("events", {
  key: ["event_id"],
  eventTime: "event_timestamp",
  columns: { event_id: int64(), entity_id: int64(), ...Object.fromEntries(names.map((name) => [name, float64()])) },
});
const view = featureView("wide", {
  entity: entity("customer", { entity_id: int64() }),
  // What stands in a variable is not in the types.
  source: events as never,
  features: names as never,
  aggregate: { events_1h: count().over("1h"), f0_1h: sum("f0").over("1h") },
});
const home = join(options.folder, `push-${process.pid}`);
const log = openSqlitePushLog(join(home, "push"));
const online = openLmdb(join(home, "online"));
const engine = await openPushEngine(join(home, "tmp"));
const room = openPushRoom({
  sources: [events],
  views: [view.definition],
  scope: { workspace: "bench", project: "push" },
  clock: systemClock,
  log,
  engine,
  online,
  artifacts: new FilesystemArtifactStore(join(home, "artifacts")),
  references: async () => new Map(),
  journal: { info() {}, warn() {}, error: console.error },
});
let event = 0;
const rowsOf = (count: number) =>
  Array.from({ length: count }, () => ({
    event_id: event++,
    entity_id: (event * 7_919) % options.entities,
    event_timestamp: new Date().toISOString(),
    ...Object.fromEntries(names.map((name, at) => [name, at + (event % 1_000) / 8])),
  }));

const acknowledged: number[] = [];
const stale: number[] = [];
let rows = 0;
const until = performance.now() + options.seconds * 1_000;
async function pushOn(waits: boolean): Promise<void> {
  while (performance.now() < until) {
    const given = rowsOf(options.rowsAtOnce);
    const start = performance.now();
    await room.push("events", given, { online: waits });
    (waits ? stale : acknowledged).push(performance.now() - start);
    rows += given.length;
  }
}
await room.push("events", rowsOf(options.rowsAtOnce), { online: true });
const start = performance.now();
// One of them waits for the online store too, and so says how stale it is under this load.
await Promise.all([pushOn(true), ...Array.from({ length: options.pushers - 1 }, () => pushOn(false))]);
const seconds = (performance.now() - start) / 1_000;
const beforeOnline = performance.now();
await room.settle();
const behind = (performance.now() - beforeOnline) / 1_000;
const at = (times: number[], share: number) => times.sort((a, b) => a - b)[Math.floor(share * (times.length - 1))];
console.log(
  JSON.stringify({
    rowsPerSecond: rows / seconds,
    onlineRowsPerSecond: rows / (seconds + behind),
    acknowledgedMs: [at(acknowledged, 0.5), at(acknowledged, 0.99)],
    onlineMs: [at(stale, 0.5), at(stale, 0.99)],
  }),
);
await room.close();
engine.close();
log.close();
await online.close();
