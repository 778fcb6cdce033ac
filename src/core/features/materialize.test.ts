import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { ingest, quoteLiteral, type Snapshot, snapshotPaths } from "../data/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import { HOUR } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { materialize } from "./materialize.ts";
import { readOnlineView } from "./online-entry.ts";
import { createFeatureReader } from "./online-reader.ts";
import { entityPrefix } from "./online-view.ts";
import { sales, scope, sold, soldOtherwise } from "./test-support/materialize-process.ts";
import { openWorkbench, type Workbench } from "./test-support/snapshots.ts";

const SHOPS = 4_000;
const MORNING = 1_767_225_600_000_000;
/** Rows over four hours: the first two are taken whole, the others as an increment. */
const UNTIL = [MORNING + 2 * HOUR, MORNING + 4 * HOUR];
const VALUES_AT_ONCE = 15_000;

let bench: Workbench;
let snapshot: Snapshot;
beforeAll(async () => {
  bench = await openWorkbench();
  const path = join(bench.directory, "sales.parquet");
  await bench.engine.run(
    `COPY (SELECT range AS sale, hash(range) % ${SHOPS} AS shop, (hash(range + 7) % 1000) / 8.0 AS price,
       make_timestamp(${MORNING} + range * ${HOUR} // 5000) AS at FROM range(20000)) TO ${quoteLiteral(path)} (FORMAT parquet)`,
  );
  snapshot = await ingest(bench, sales, { projectDirectory: bench.directory, asOf: UNTIL[1], createdAt: UNTIL[1] });
});
afterAll(() => bench.close());

const plan = compileFeaturePlan({ name: "m", features: sold.all() });
const requests = Array.from({ length: SHOPS }, (_, shop) => ({ shop }));
const valuesOf = async (online: OnlineStore, at: number) =>
  (await createFeatureReader(plan, online, scope).read(requests, at)).values;

/** Everything that a process said which was killed again and again until it came to its end, each line once. */
async function killedAgainAndAgain(online: string, more: object): Promise<string[]> {
  const artifacts = join(bench.directory, "artifacts");
  const options = JSON.stringify({ artifacts, online, snapshot, valuesAtOnce: VALUES_AT_ONCE, ...more });
  const program = join(import.meta.dirname, "test-support/materialize-process.ts");
  const seen = new Set<string>();
  let kills = 0;
  for (let wait = 150; ; wait += 40) {
    const child = spawn(process.execPath, [program, options], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (text) => {
      said += text;
    });
    // What it has written is what tells how far it is: a clock would not.
    const killed = setTimeout(() => child.kill("SIGKILL"), wait);
    const [, signal] = await once(child, "exit");
    clearTimeout(killed);
    for (const line of said.trim().split("\n")) if (line !== "") seen.add(line);
    if (signal !== "SIGKILL") break;
    kills++;
  }
  expect(kills).toBeGreaterThan(1);
  return [...seen];
}

test("killed again and again, a materialization goes on where it was, and ends with what an undisturbed one gives", async () => {
  const online = join(bench.directory, "online");
  expect(await killedAgainAndAgain(online, { until: UNTIL })).toEqual(UNTIL.map((until) => `until ${until}`));

  const store = openLmdb(online);
  const fresh = openLmdb(join(bench.directory, "fresh"));
  const paths = await snapshotPaths(bench.artifacts, snapshot);
  for (const until of UNTIL)
    await materialize(
      { engine: bench.engine, online: fresh },
      { scope, view: sold.definition, snapshot, source: sales, paths, until },
    );
  for (const at of [UNTIL[1], UNTIL[1] - HOUR, UNTIL[1] + HOUR / 2])
    expect(await valuesOf(store, at)).toEqual(await valuesOf(fresh, at));
  expect((await readOnlineView(store, scope, "sold"))?.leftovers).toBe(false);
  const keys = await Array.fromAsync(store.keys(""));
  expect(keys).toHaveLength((await Array.fromAsync(fresh.keys(""))).length);
  await store.close();
  await fresh.close();
}, 180_000);

test("killed again and again, a view that is defined otherwise ends with both of its versions whole", async () => {
  const online = join(bench.directory, "otherwise");
  const said = await killedAgainAndAgain(online, { until: UNTIL.slice(0, 1), otherwise: UNTIL[1] });
  expect(said).toEqual([`until ${UNTIL[0]}`, "otherwise", "both"]);

  const store = openLmdb(online);
  const paths = await snapshotPaths(bench.artifacts, snapshot);
  let records = 0;
  for (const view of [sold, soldOtherwise]) {
    const fresh = openLmdb(join(bench.directory, view === sold ? "whole" : "whole otherwise"));
    const input = { scope, view: view.definition, snapshot, source: sales, paths, until: UNTIL[1] };
    await materialize({ engine: bench.engine, online: fresh }, input);
    const reads = compileFeaturePlan({ name: "m", features: view.all() });
    for (const at of [UNTIL[1], UNTIL[1] - HOUR, UNTIL[1] + HOUR / 2])
      expect((await createFeatureReader(reads, store, scope).read(requests, at)).values).toEqual(
        (await createFeatureReader(reads, fresh, scope).read(requests, at)).values,
      );
    records += (await Array.fromAsync(fresh.keys(entityPrefix(scope, "sold")))).length;
    await fresh.close();
  }
  expect((await readOnlineView(store, scope, "sold"))?.leftovers).toBe(false);
  expect(await Array.fromAsync(store.keys(entityPrefix(scope, "sold")))).toHaveLength(records);
  await store.close();
}, 180_000);

test("however many entities and views, a read is one round trip once the views are known", async () => {
  const store = openLmdb(join(bench.directory, "counted"));
  const paths = await snapshotPaths(bench.artifacts, snapshot);
  const input = { scope, view: sold.definition, snapshot, source: sales, paths };
  await materialize({ engine: bench.engine, online: store }, { ...input, until: UNTIL[0] });
  let trips = 0;
  const counted: OnlineStore = {
    putMany: (entries) => store.putMany(entries),
    keys: (prefix) => store.keys(prefix),
    scrub: () => store.scrub(),
    close: () => store.close(),
    async getMany(keys) {
      trips++;
      return store.getMany(keys);
    },
  };
  const reader = createFeatureReader(plan, counted, scope);
  await reader.read(requests, UNTIL[0]);
  expect(trips).toBe(2);
  await reader.read(requests, UNTIL[0]);
  expect(trips).toBe(3);
  await materialize({ engine: bench.engine, online: store }, { ...input, until: UNTIL[1] });
  await reader.read(requests, UNTIL[1]);
  expect(trips).toBe(4);
  await materialize({ engine: bench.engine, online: store }, { ...input, until: UNTIL[1], full: true });
  const { values } = await reader.read(requests, UNTIL[1]);
  expect(trips).toBe(6);
  expect(values.flat().filter((value) => value !== null && value !== 0).length).toBeGreaterThan(SHOPS);
  await store.close();
});
