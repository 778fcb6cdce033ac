import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { snapshotPaths } from "../data/index.ts";
import { float64, onDemand, requestField, string, timestamp } from "../definitions/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import { HOUR, MINUTE, type Micros } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { historicalFeatures } from "./historical-features.ts";
import { materialize } from "./materialize.ts";
import { readOnlineView } from "./online-entry.ts";
import { createFeatureReader } from "./online-reader.ts";
import { ONLINE_RETENTION, viewKey } from "./online-view.ts";
import type { ExactValue } from "./plan.ts";
import { bruteForce, type SourceRow } from "./test-support/oracle.ts";
import { expressions, row, shop, sourceKinds, sources, viewOver } from "./test-support/random-views.ts";
import { openWorkbench, selectRows, snapshotOf, type Workbench } from "./test-support/snapshots.ts";

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

const freshScope = () => ({ workspace: "test", project: `project ${++projects}` });
const END = 1_000 * MINUTE;

/** Equal, or within 1e-7 of the greater of 1 and the expected size: values go up to a million and the oracle sums naively. */
const expectClose = (actual: ExactValue | undefined, expected: ExactValue, what: string) => {
  if (typeof actual === "number" && typeof expected === "number") {
    expect(Math.abs(actual - expected), `${what}: ${actual} for ${expected}`).toBeLessThanOrEqual(
      1e-7 * Math.max(1, Math.abs(expected)),
    );
  } else expect(actual, what).toBe(expected);
};

const step = fc.record({
  /** Minutes since the last materialization; less than nothing must change nothing. */
  advance: fc.integer({ min: -30, max: 200 }),
  full: fc.boolean(),
  newRows: fc.boolean(),
  /** In one go, or a few rows after the other. */
  inShares: fc.boolean(),
  /** Writes after which it is cut off and done again. */
  cutAfter: fc.option(fc.nat({ max: 6 }), { nil: null }),
  reads: fc.array(
    fc.record({
      shop: fc.option(shop, { nil: null, freq: 10 }),
      till: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null, freq: 10 }),
      later: fc.integer({ min: -ONLINE_RETENTION / MINUTE, max: 300 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

/** A store whose process dies at one of its writes. */
function dying(store: OnlineStore, after: number): OnlineStore {
  let writes = 0;
  return {
    getMany: (keys) => store.getMany(keys),
    keys: (prefix) => store.keys(prefix),
    scrub: () => store.scrub(),
    close: () => store.close(),
    async putMany(entries) {
      if (writes++ === after) throw new Error("killed");
      await store.putMany(entries);
    },
  };
}

describe.each(sourceKinds)("online values over a source with %s", (kind) => {
  test("are at every time what going through the rows known at the last materialization gives", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row(-60, 500), { maxLength: 40 }),
        fc.array(row(-60, 500), { maxLength: 10 }),
        fc.array(step, { minLength: 1, maxLength: 6 }),
        fc.constantFrom("shop" as const, "till" as const, "number" as const),
        fc.integer({ min: 1, max: 120 }),
        fc.option(fc.integer({ min: 1, max: 150 }), { nil: null }),
        fc.constantFrom(1, 2, 1_024),
        async (first, second, steps, of, window, ttl, tileRows) => {
          const { view, features, names } = viewOver(kind, of, window, ttl);
          const source = sources[kind];
          const scope = freshScope();
          const reader = createFeatureReader(compileFeaturePlan({ name: "m", features }), online, scope);
          let parts = [first];
          let until = -60 * MINUTE;
          let stands: Micros | null = null;
          for (const { advance, full, newRows, inShares, cutAfter, reads } of steps) {
            until = Math.max(until, until + advance * MINUTE);
            if (newRows && parts.length === 1) parts = [first, second];
            const snapshot = await snapshotOf(bench, source, parts, END);
            const paths = await snapshotPaths(bench.artifacts, snapshot);
            const asked = until + Math.min(0, advance) * MINUTE;
            const anew: boolean = full && asked === until;
            const input = {
              scope,
              view,
              snapshot,
              source,
              paths,
              until: asked,
              full: anew,
              tileRows,
              ...(inShares && { valuesAtOnce: 300 }),
            };
            if (cutAfter !== null)
              await materialize({ engine: bench.engine, online: dying(online, cutAfter) }, input).catch((error) => {
                if (error.message !== "killed") throw error;
              });
            const done = await materialize({ engine: bench.engine, online }, input);
            stands = Math.max(stands ?? asked, asked);
            if (view.source.eventTime !== undefined) expect(done.until).toBe(stands);
            const { values } = await reader.read(
              reads.map(({ shop: name, till }) => ({ shop: name, till })),
              reads.map(({ later }) => until + later * MINUTE),
            );
            const all = parts.flat();
            reads.forEach(({ later, ...keys }, index) => {
              names.forEach((name, slot) => {
                const expected = bruteForce(view, name, all, keys, until + later * MINUTE, expressions, stands ?? until);
                expectClose(values[index][slot], expected, `${name} of read ${index}`);
              });
            });
          }
        },
      ),
      { numRuns: 25, endOnFailure: true },
    );
  }, 120_000);
});

test.each(["own availability and a late group", "versions, deletions and a late group"] as const)(
  "over a source with %s, the online value at t equals the offline value at t, to the last bit but for standard deviations",
  async (kind) => {
    const { view, features } = viewOver(kind, "till", 90, 60);
    const age = onDemand("minutes", {
      inputs: [],
      request: { asked_at: timestamp() },
      returns: "float64",
      compute: ({ asked_at }) => asked_at.getTime() / 60_000,
    });
    const all = [...features, age, requestField("channel", string()), requestField("amount", float64())];
    const source = sources[kind];
    const request = fc.record({
      shop,
      till: fc.integer({ min: 1, max: 2 }),
      channel: fc.option(fc.constantFrom("web", "shop"), { nil: null }),
      // Text has no negative zero, and SQL reads the entity rows from text.
      amount: fc.double({ noNaN: true, noDefaultInfinity: true }).map((amount) => amount + 0),
      asked_at: fc.integer({ min: -100, max: 1_000 }).map((minutes) => minutes * MINUTE),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row(-60, 400), { minLength: 30, maxLength: 80 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }),
        fc.array(request, { minLength: 5, maxLength: 20 }),
        fc.constantFrom(1, 3, 1_024),
        async (rows, advances, requests, tileRows) => {
          const scope = freshScope();
          const snapshot = await snapshotOf(bench, source, [rows], END);
          const paths = await snapshotPaths(bench.artifacts, snapshot);
          let until = 0;
          for (const advance of advances) {
            until += advance * MINUTE;
            await materialize({ engine: bench.engine, online }, { scope, view, snapshot, source, paths, until, tileRows });
          }
          const times = requests.map((_, index) => until - (index % 3) * 40 * MINUTE);
          const { values } = await createFeatureReader(compileFeaturePlan({ name: "m", features: all }), online, scope).read(
            requests,
            times,
          );
          const types = {
            shop: "string",
            till: "int32",
            channel: "string",
            amount: "float64",
            asked_at: "timestamp",
            at: "timestamp",
          } as const;
          const { columns } = await historicalFeatures(bench, {
            features: all,
            snapshots: new Map([["sales", { snapshot, source }]]),
            entityRows: selectRows(
              types,
              requests.map((each, index): SourceRow => ({ ...each, at: times[index] })),
            ),
            asOf: END,
          });
          [...columns].forEach(([id, column], slot) => {
            requests.forEach((_, index) => {
              const offline = column.values[index];
              const missing = offline === null || Number.isNaN(offline);
              const expected = missing ? null : column.type === "bool" ? offline === 1 : offline;
              // Prices go up to a million: 1e-9 is 1e-15 of that.
              if (id === "sold.price_std" && expected !== null)
                expect(Math.abs(Number(values[index][slot]) - Number(expected))).toBeLessThan(1e-9);
              else expect(values[index][slot], id).toBe(expected);
            });
          });
        },
      ),
      { numRuns: 15, endOnFailure: true },
    );
  },
);

describe("reading features online", () => {
  const { view, features } = viewOver("known when it happens", "shop", 60, null);
  const source = sources["known when it happens"];
  const plan = compileFeaturePlan({ name: "m", features });
  const sale = (name: string | null, minutes: number, price: number): SourceRow => ({ shop: name, price, at: minutes * MINUTE });
  const write = async (
    scope: { workspace: string; project: string },
    rows: readonly SourceRow[],
    until: Micros,
    full = false,
  ) => {
    const snapshot = await snapshotOf(bench, source, [rows], END);
    return materialize(
      { engine: bench.engine, online },
      { scope, view, snapshot, source, paths: await snapshotPaths(bench.artifacts, snapshot), until, full },
    );
  };
  const slot = (name: string) => plan.features.findIndex(({ id }) => id === `sold.${name}`);

  test("an unknown entity gives nulls and zero counts, and is named", async () => {
    const scope = freshScope();
    await write(scope, [sale("a", 10, 5)], HOUR);
    const { values, unknownEntities } = await createFeatureReader(plan, online, scope).read(
      [{ shop: "nobody" }, { shop: "a" }, { shop: null }, {}],
      HOUR,
    );
    expect(unknownEntities).toEqual([["sold"], [], ["sold"], ["sold"]]);
    expect(values[0][slot("price")]).toBeNull();
    expect(values[0][slot("price_mean")]).toBeNull();
    expect(values[0][slot("sales")]).toBe(0);
    expect(values[1][slot("sales")]).toBe(1);
  });

  test("a view that was never materialized is an error, not a row of nulls", async () => {
    await expect(createFeatureReader(plan, online, freshScope()).read([{ shop: "a" }], HOUR)).rejects.toMatchObject({
      code: "FEATURE_VIEW_NOT_MATERIALIZED",
      kind: "unavailable",
    });
  });

  test("a model trained on another definition of a feature is refused", async () => {
    const scope = freshScope();
    await write(scope, [sale("a", 10, 5)], HOUR);
    const other = compileFeaturePlan({ name: "m", features: viewOver("known when it happens", "shop", 30, null).features });
    await expect(createFeatureReader(other, online, scope).read([{ shop: "a" }], HOUR)).rejects.toMatchObject({
      code: "FEATURE_VIEW_CHANGED",
    });
  });

  test("a time from which values are no longer kept is refused", async () => {
    const scope = freshScope();
    await write(scope, [sale("a", 10, 5)], 10 * HOUR);
    const reader = createFeatureReader(plan, online, scope);
    await expect(reader.read([{ shop: "a" }], 8 * HOUR - 1)).rejects.toMatchObject({ code: "FEATURE_READ_TOO_EARLY" });
    await expect(reader.read([{ shop: "a" }], 8 * HOUR)).resolves.toBeDefined();
  });

  test("a damaged record is reported as such", async () => {
    const scope = freshScope();
    await write(scope, [sale("a", 10, 5)], HOUR);
    const [key] = await Array.fromAsync(online.keys(`${viewKey(scope, "sold").slice(0, -1)},`));
    await online.putMany([[key, Uint8Array.of(1, 2, 3)]]);
    await expect(createFeatureReader(plan, online, scope).read([{ shop: "a" }], HOUR)).rejects.toMatchObject({
      code: "FEATURE_RECORD_CORRUPT",
    });
  });

  test("a reader sees what is materialized after it was made", async () => {
    const scope = freshScope();
    const rows = [sale("a", 10, 5), sale("a", 130, 7)];
    await write(scope, rows, HOUR);
    const reader = createFeatureReader(plan, online, scope);
    expect((await reader.read([{ shop: "a" }], 2 * HOUR + 10 * MINUTE)).values[0][slot("price")]).toBe(5);
    await write(scope, rows, 3 * HOUR);
    const { values, newestEventAt } = await reader.read([{ shop: "a" }], 3 * HOUR);
    expect(values[0][slot("price")]).toBe(7);
    expect(newestEventAt).toEqual({ sold: 130 * MINUTE });
  });

  test("an event that no window reaches any more is still the newest that was seen", async () => {
    const { view } = viewOver("known when it happens", "shop", 10, null);
    const windowed = { ...view, features: [], expressions: {} };
    const scope = freshScope();
    const source = sources["known when it happens"];
    const snapshot = await snapshotOf(bench, source, [[sale("a", 10, 5)]], END);
    const paths = await snapshotPaths(bench.artifacts, snapshot);
    const until = 20 * HOUR;
    await materialize({ engine: bench.engine, online }, { scope, view: windowed, snapshot, source, paths, until });
    expect((await readOnlineView(online, scope, "sold"))?.newestEventAt).toBe(10 * MINUTE);
  });

  test("projects and views do not see one another's values", async () => {
    const [one, other] = [freshScope(), { workspace: 'test","project 1', project: "x" }];
    await write(one, [sale("a", 10, 5)], HOUR);
    await write(other, [sale("b", 10, 5)], HOUR);
    expect((await createFeatureReader(plan, online, other).read([{ shop: "a" }], HOUR)).unknownEntities).toEqual([["sold"]]);
  });

  test("an entity whose key is longer than a store's keys is kept", async () => {
    const scope = freshScope();
    const long = "ü".repeat(3_000);
    await write(scope, [sale(long, 10, 5)], HOUR);
    expect((await createFeatureReader(plan, online, scope).read([{ shop: long }], HOUR)).values[0][slot("price")]).toBe(5);
  });
});

test("a row that became known late leaves its window by its event and not by when it was known", async () => {
  const { view, features } = viewOver("own availability and a late group", "shop", 10, null);
  const source = sources["own availability and a late group"];
  const scope = freshScope();
  const late: SourceRow = { shop: "a", price: 1.5, at: 0, seen: 5 * MINUTE };
  const snapshot = await snapshotOf(bench, source, [[late]], END);
  const paths = await snapshotPaths(bench.artifacts, snapshot);
  await materialize({ engine: bench.engine, online }, { scope, view, snapshot, source, paths, until: 20 * MINUTE });
  const plan = compileFeaturePlan({
    name: "m",
    features: features.filter(({ name }) => name === "price_min" || name === "sales"),
  });
  const times = [4, 5, 9, 10].map((minutes) => minutes * MINUTE);
  const { values } = await createFeatureReader(plan, online, scope).read(
    times.map(() => ({ shop: "a" })),
    times,
  );
  expect(values).toEqual([
    [0, null],
    [1, 1.5],
    [1, 1.5],
    [0, null],
  ]);
});

describe("materializing", () => {
  const { view } = viewOver("known when it happens", "shop", 60, null);
  const source = sources["known when it happens"];
  const sale = (minutes: number): SourceRow => ({ shop: "a", price: 1, at: minutes * MINUTE });

  test("writes only what became visible since the last time, and nothing the second time", async () => {
    const scope = freshScope();
    const snapshot = await snapshotOf(bench, source, [[sale(10), sale(70), sale(80), sale(200)]], END);
    const input = { scope, view, snapshot, source, paths: await snapshotPaths(bench.artifacts, snapshot) };
    const deps = { engine: bench.engine, online };
    expect(await materialize(deps, { ...input, until: HOUR })).toMatchObject({
      view: "sold",
      from: null,
      until: HOUR,
      rows: 1,
      entities: 1,
    });
    expect(await materialize(deps, { ...input, until: 2 * HOUR })).toMatchObject({
      view: "sold",
      from: HOUR,
      until: 2 * HOUR,
      rows: 2,
      entities: 1,
    });
    expect(await materialize(deps, { ...input, until: 2 * HOUR })).toMatchObject({ rows: 0, entities: 0, until: 2 * HOUR });
    expect(await materialize(deps, { ...input, until: HOUR })).toMatchObject({ rows: 0, entities: 0, until: 2 * HOUR });
    expect(await materialize(deps, { ...input, until: HOUR, full: true })).toMatchObject({ from: null, rows: 1, until: HOUR });
  });

  test("goes on from the watermark when a part with later rows was added, and starts anew when older rows were", async () => {
    const scope = freshScope();
    const deps = { engine: bench.engine, online };
    const run = async (parts: SourceRow[][], until: Micros) => {
      const snapshot = await snapshotOf(bench, source, parts, END);
      return materialize(deps, { scope, view, snapshot, source, paths: await snapshotPaths(bench.artifacts, snapshot), until });
    };
    await run([[sale(10)]], HOUR);
    expect(await run([[sale(10)], [sale(70)]], 2 * HOUR)).toMatchObject({ from: HOUR, rows: 1 });
    expect(await run([[sale(10)], [sale(70)], [sale(20)]], 3 * HOUR)).toMatchObject({ from: null, rows: 3 });
    expect(await run([[sale(10)], [sale(70)]], 3 * HOUR)).toMatchObject({ from: null, rows: 2, until: 3 * HOUR });
  });

  test("an entity that is gone from the source is gone from the store after a full run", async () => {
    const scope = freshScope();
    const deps = { engine: bench.engine, online };
    for (const name of ["a", "b"]) {
      const snapshot = await snapshotOf(bench, source, [[{ ...sale(10), shop: name }]], END);
      await materialize(deps, {
        scope,
        view,
        snapshot,
        source,
        paths: await snapshotPaths(bench.artifacts, snapshot),
        until: HOUR,
      });
    }
    expect(await Array.fromAsync(online.keys(`${viewKey(scope, "sold").slice(0, -1)},`))).toHaveLength(1);
  });
});
