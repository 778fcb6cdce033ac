import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { snapshotPaths } from "../data/index.ts";
import {
  count,
  entity,
  type FeatureReference,
  featureView,
  float64,
  int64,
  max,
  mean,
  onDemand,
  type SourceDefinition,
  source,
  string,
  timestamp,
} from "../definitions/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import { HOUR, MINUTE, type Micros } from "../time.ts";
import { compareWithOffline, type FeatureSample } from "./consistency.ts";
import { referencesOf } from "./feature-references.ts";
import { materialize } from "./materialize.ts";
import { entityPrefix } from "./online-view.ts";
import { sampleReads } from "./sample-reads.ts";
import type { SourceRow } from "./test-support/oracle.ts";
import { row, sourceKinds, sources, viewOver } from "./test-support/random-views.ts";
import { openWorkbench, snapshotOf, type Workbench } from "./test-support/snapshots.ts";

let bench: Workbench;
let online: OnlineStore;
let projects = 0;
beforeAll(async () => {
  bench = await openWorkbench();
  online = openLmdb(join(bench.directory, "online"));
});
afterAll(async () => {
  await online.close();
  bench.close();
});

const sales = source.parquet("sales", {
  path: "sales.parquet",
  key: ["sale"],
  eventTime: "at",
  availableTime: "published",
  columns: { sale: int64(), shop: string(), price: float64(), units: int64(), at: timestamp(), published: timestamp() },
});
const sold = featureView("sold", {
  entity: entity("shop", { shop: string() }),
  source: sales,
  features: ["price", "units"],
  aggregate: { sales: count().over("1h"), price_mean: mean("price").over("1h"), price_max: max("price").over("1h") },
});
const doubled = onDemand("doubled", {
  inputs: [sold.feature.price],
  request: { factor: float64(), asked_at: timestamp() },
  returns: "float64",
  compute: ({ price, factor }) => (price === null ? null : price * factor),
});

const START = 1_000 * HOUR;
const shops = ["a", "b", "c", "d'é\"", "e"];
const rows: SourceRow[] = Array.from({ length: 200 }, (_, sale) => ({
  sale,
  shop: shops[(sale * 7) % shops.length],
  price: Math.sin(sale) * 100,
  units: 9_007_199_254_740_993n + BigInt(sale),
  at: START + sale * MINUTE,
  published: START + sale * MINUTE,
}));

async function room(given: readonly SourceRow[], from: SourceDefinition = sales, view = sold.definition) {
  const scope = { workspace: "test", project: `consistency ${++projects}` };
  const snapshot = await snapshotOf(bench, from, [given], START + 10_000 * HOUR);
  const snapshots = new Map([[from.name, { snapshot, source: from }]]);
  const paths = await snapshotPaths(bench.artifacts, snapshot);
  const input = { scope, view, snapshot, source: from, paths };
  return {
    scope,
    until: (until: Micros) => materialize({ engine: bench.engine, online }, { ...input, until }),
    read: async (at: Micros, entities = 100) =>
      (await sampleReads({ ...bench, online }, { ...input, at, entities, seed: 1 })).samples,
    compare: (samples: readonly FeatureSample[], asOf: Micros, features: readonly FeatureReference[] = referencesOf(view)) =>
      compareWithOffline(bench, { features, snapshots, samples, asOf }),
  };
}

const figures = (found: Awaited<ReturnType<typeof compareWithOffline>>) =>
  Object.fromEntries(found.map(({ feature, compared, mismatched, stale }) => [feature, [compared, mismatched, stale]]));

describe("what is read online", () => {
  test("is what the join gives, of any view, at the time of its materialization and later", async () => {
    const cases = fc.record({
      kind: fc.constantFrom(...sourceKinds),
      of: fc.constantFrom("shop" as const, "till" as const, "number" as const),
      window: fc.integer({ min: 1, max: 200 }),
      ttl: fc.option(fc.integer({ min: 1, max: 300 }), { nil: null }),
      rows: fc.array(row(0, 1_000), { maxLength: 60 }),
      until: fc.integer({ min: 0, max: 1_000 }),
      later: fc.integer({ min: 0, max: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ kind, of, window, ttl, rows, until, later }) => {
        const { view } = viewOver(kind, of, window, ttl);
        const { until: bring, read, compare } = await room(rows, sources[kind], view);
        await bring(until * MINUTE);
        const samples = await read((until + later) * MINUTE);
        const found = await compare(samples, 2_000 * MINUTE);
        expect(found.filter(({ mismatched }) => mismatched > 0)).toEqual([]);
        if (later === 0) expect(found.filter(({ stale }) => stale > 0)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test("is stale where rows came after the materialization, however long they were known in advance", async () => {
    const announced = { ...rows[0], sale: 1_000, shop: "a", price: 7, at: START + 130 * MINUTE, published: START };
    const { until, read, compare } = await room([...rows, announced]);
    await until(START + 2 * HOUR);
    const found = figures(await compare(await read(START + 130 * MINUTE), START + 10 * HOUR));
    // In ten minutes each of the five shops has sold two times.
    expect(found["sold.price"]).toEqual([5, 0, 5]);
    expect(found["sold.sales"][1]).toBe(0);
  });

  test("is a mismatch, with who and what, where a record is another one than it should be", async () => {
    const { scope, until, read, compare } = await room(rows);
    await until(START + 2 * HOUR);
    const keys: string[] = [];
    for await (const key of online.keys(entityPrefix(scope, "sold"))) keys.push(key);
    const [a, b] = ["a", "b"].map((shop) => keys.find((key) => key.endsWith(JSON.stringify([shop]))) ?? "");
    const [bytes] = await online.getMany([b]);
    await online.putMany([[a, bytes]]);
    const found = await compare(await read(START + 2 * HOUR), START + 10 * HOUR);
    expect(figures(found)).toMatchObject({ "sold.price": [5, 1, 0], "sold.units": [5, 1, 0], "sold.sales": [5, 0, 0] });
    // Sale 115 was the last one of a, 119 that of b.
    const lastOf = (shop: string) => rows.filter(({ shop: of, at }) => of === shop && Number(at) <= START + 2 * HOUR).at(-1);
    expect(found.find(({ feature }) => feature === "sold.units")?.examples).toEqual([
      {
        at: START + 2 * HOUR,
        fields: { shop: "a" },
        prediction: null,
        got: String(lastOf("b")?.units),
        expected: String(lastOf("a")?.units),
      },
    ]);
  });

  test("is drawn evenly, the same with the same seed", async () => {
    const { until, read } = await room(rows);
    await until(START + 2 * HOUR);
    const drawn = await read(START + 2 * HOUR, 2);
    expect(drawn).toHaveLength(2);
    expect(await read(START + 2 * HOUR, 2)).toEqual(drawn);
  });
});

describe("what was logged", () => {
  const at = START + 2 * HOUR;
  const logged = (values: FeatureSample["values"], more: Partial<FeatureSample> = {}): FeatureSample => ({
    at,
    fields: { shop: "a", factor: 3, asked_at: "1970-02-11T18:00:00Z" },
    values,
    materialized: { sold: at },
    prediction: "p1",
    ...more,
  });
  const features = [sold.feature.price, sold.feature.units, doubled];
  // The last sale of "a" in the first two hours.
  const last = 120;

  test("agrees as models took it: 64-bit integers as doubles, on-demand features by their request", async () => {
    const { compare } = await room(rows);
    const price = Math.sin(last) * 100;
    const sample = logged({
      "sold.price": price,
      "sold.units": Number(9_007_199_254_740_993n + BigInt(last)),
      "on-demand.doubled": price * 3,
    });
    const found = figures(await compare([sample], at, features));
    expect(found).toEqual({ "sold.price": [1, 0, 0], "sold.units": [1, 0, 0], "on-demand.doubled": [1, 0, 0] });
  });

  test("differs by the last bit, by null and by what follows from it", async () => {
    const { compare } = await room(rows);
    const price = Math.sin(last) * 100;
    const off = logged({ "sold.price": price + 2 ** -46, "sold.units": null, "on-demand.doubled": price * 2 });
    const found = figures(await compare([off, logged({ "sold.price": price })], at, features));
    expect(found).toEqual({ "sold.price": [2, 1, 0], "sold.units": [1, 1, 0], "on-demand.doubled": [1, 1, 0] });
  });

  test("is a mismatch where nobody wrote down what had been materialized, and not compared from after the snapshots' time", async () => {
    const { compare } = await room(rows);
    const early = { "sold.price": Math.sin(115) * 100 };
    const stale = logged(early, { materialized: { sold: START + 116 * MINUTE } });
    const unknown = logged(early, { materialized: null });
    const later = logged(early, { at: at + HOUR });
    expect(figures(await compare([stale, unknown, later], at, [sold.feature.price]))).toEqual({ "sold.price": [2, 1, 1] });
  });

  test("shows nothing of personal columns", async () => {
    const people = source.parquet("people", {
      path: "people.parquet",
      key: ["sale"],
      eventTime: "at",
      columns: { sale: int64(), mail: string().personal(), age: float64().personal(), visits: float64(), at: timestamp() },
    });
    const person = featureView("person", {
      entity: entity("person", { mail: string() }),
      source: people,
      features: ["age", "visits"],
      aggregate: { age_max: max("age + 1").over("1d") },
    });
    const given = [{ sale: 1, mail: "x@y.z", age: 41, visits: 3, at: START }];
    const { compare } = await room(given, people, person.definition);
    const values = { "person.age": 40, "person.visits": 4, "person.age_max": 40 };
    const found = await compare([logged(values, { fields: { mail: "x@y.z" } })], at, person.all());
    const none = { at, fields: {}, prediction: "p1", got: null, expected: null };
    expect(found.map(({ examples }) => examples)).toEqual([[none], [{ ...none, got: "4", expected: "3" }], [none]]);
  });
});
