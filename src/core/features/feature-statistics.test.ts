import { afterAll, beforeAll, expect, test } from "vitest";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { snapshotPaths } from "../data/index.ts";
import { count, entity, featureView, float64, int64, source, string, timestamp } from "../definitions/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import { HOUR, MINUTE } from "../time.ts";
import { materialize } from "./materialize.ts";
import { openWorkbench, snapshotOf, type Workbench } from "./test-support/snapshots.ts";

const visits = source.parquet("visits", {
  path: "visits.parquet",
  eventTime: "at",
  columns: { person: int64(), spent: float64().nullable(), city: string().nullable(), at: timestamp() },
});
const person = entity("person", { person: int64() });
const seen = featureView("seen", {
  entity: person,
  source: visits,
  features: ["spent", "city"],
  aggregate: { visits: count().over("1h") },
});
const scope = { workspace: "w", project: "p" };

let bench: Workbench;
let online: OnlineStore;
beforeAll(async () => {
  bench = await openWorkbench();
  online = openLmdb(`${bench.directory}/online`);
});
afterAll(async () => {
  await online.close();
  bench.close();
});

test("a materialization tells the figures of what it wrote, as of its time", async () => {
  const rows = [
    { person: 1, spent: 2, city: "Bern", at: 0 },
    { person: 2, spent: 4, city: "Basel", at: 30 * MINUTE },
    { person: 3, spent: null, city: "Bern", at: 40 * MINUTE },
    { person: 4, spent: 9, city: null, at: 3 * HOUR },
  ];
  const snapshot = await snapshotOf(bench, visits, [rows], 4 * HOUR);
  const paths = await snapshotPaths(bench.artifacts, snapshot);
  const input = { scope, view: seen.definition, snapshot, source: visits, paths };
  const first = await materialize({ engine: bench.engine, online }, { ...input, until: HOUR });
  expect(first.statistics).toEqual([
    { feature: "spent", entities: 3, nulls: 1, min: 2, max: 4, mean: 3, std: Math.SQRT2, distinct: null },
    { feature: "city", entities: 3, nulls: 0, min: null, max: null, mean: null, std: null, distinct: 2 },
    // The first visit is an hour old and has left the window.
    {
      feature: "visits",
      entities: 3,
      nulls: 0,
      min: 0,
      max: 1,
      mean: expect.closeTo(2 / 3, 12),
      std: expect.closeTo(Math.sqrt(1 / 3), 12),
      distinct: null,
    },
  ]);
  const second = await materialize({ engine: bench.engine, online }, { ...input, until: 4 * HOUR });
  expect(second.statistics[0]).toEqual({
    feature: "spent",
    entities: 1,
    nulls: 0,
    min: 9,
    max: 9,
    mean: 9,
    std: null,
    distinct: null,
  });
  expect((await materialize({ engine: bench.engine, online }, { ...input, until: 4 * HOUR })).statistics).toEqual([]);
});

test("of many entities some are looked at, spread over all of them", async () => {
  await bench.engine.run(
    `COPY (SELECT range AS person, range / 1.0 AS spent, 'x' AS city, make_timestamp(0) AS at FROM range(50000)) TO '${bench.directory}/many.parquet' (FORMAT parquet)`,
  );
  const { sha256, bytes } = await bench.artifacts.putFile(`${bench.directory}/many.parquet`, "application/vnd.apache.parquet");
  const [part] = (await snapshotOf(bench, visits, [[]], HOUR)).parts;
  const empty = await snapshotOf(bench, visits, [[]], HOUR);
  const snapshot = { ...empty, contentHash: sha256, parts: [{ ...part, sha256, bytes, rows: 50_000 }], rows: 50_000 };
  const paths = await snapshotPaths(bench.artifacts, snapshot);
  const input = {
    scope: { workspace: "w", project: "many" },
    view: seen.definition,
    snapshot,
    source: visits,
    paths,
    until: HOUR,
  };
  const { statistics } = await materialize({ engine: bench.engine, online }, input);
  expect(statistics[0]).toMatchObject({ feature: "spent", entities: 10_000, nulls: 0 });
  expect(Math.abs((statistics[0].mean ?? 0) - 24_999.5)).toBeLessThan(1_000);
});
