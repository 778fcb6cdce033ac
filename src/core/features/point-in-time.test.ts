import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MINUTE } from "../time.ts";
import { historicalFeatures } from "./historical-features.ts";
import { bruteForce, type SourceRow } from "./test-support/oracle.ts";
import { expressions, moment, row, shop, sourceKinds, sources, viewOver } from "./test-support/random-views.ts";
import { openWorkbench, selectRows, snapshotOf, type Workbench } from "./test-support/snapshots.ts";
import type { FeatureArray } from "./view-rows.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const ask = fc.record({
  shop: fc.option(shop, { nil: null, freq: 10 }),
  till: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null, freq: 10 }),
  at: moment(-12, 50),
});

const valueAt = (column: FeatureArray | undefined, index: number) => {
  const value = column?.values[index] ?? null;
  if (value === null || Number.isNaN(value)) return null;
  return column?.type === "bool" ? value === 1 : value;
};

/** Equal, or within 1e-7 of the greater of 1 and the expected size: values go up to a million and the oracle sums naively. */
const expectClose = (actual: unknown, expected: unknown, what: string) => {
  if (typeof actual === "number" && typeof expected === "number") {
    expect(Math.abs(actual - expected), `${what}: ${actual} for ${expected}`).toBeLessThanOrEqual(
      1e-7 * Math.max(1, Math.abs(expected)),
    );
  } else expect(actual, what).toBe(expected);
};

const never = { joinedFrom: Number.POSITIVE_INFINITY, passedFrom: Number.POSITIVE_INFINITY, mostMeetings: 0, sweptAtOnce: 7 };
const ways = {
  "by one sweep": {},
  "by sweeps over some entities each": { joinLimits: never },
  "latest values by joins": { joinLimits: { ...never, joinedFrom: 0, mostMeetings: Number.POSITIVE_INFINITY } },
  "latest values while rows pass": { joinLimits: { ...never, passedFrom: 0 } },
};

describe.each(sourceKinds)("the point-in-time join over a source with %s", (kind) => {
  test.each(Object.entries(ways))("%s gives what going through all rows gives", async (_, limits) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(row(-10, 30), { maxLength: 25 }), { minLength: 1, maxLength: 2 }),
        fc.array(ask, { minLength: 1, maxLength: 25 }),
        fc.constantFrom("shop" as const, "till" as const, "number" as const),
        fc.integer({ min: 1, max: 12 }),
        fc.option(fc.integer({ min: 1, max: 15 }), { nil: null }),
        async (parts, asks, of, window, ttl) => {
          const { view, features, names } = viewOver(kind, of, window, ttl);
          const asOf = 60 * MINUTE;
          const snapshot = await snapshotOf(bench, sources[kind], parts, asOf);
          const { columns, rows } = await historicalFeatures(
            { ...bench, ...limits },
            {
              features,
              snapshots: new Map([["sales", { snapshot, source: sources[kind] }]]),
              entityRows: selectRows({ shop: "string", till: "int32", at: "timestamp" }, asks),
              asOf,
            },
          );
          expect(rows).toBe(asks.length);
          const all = parts.flat();
          asks.forEach((each: SourceRow, index) => {
            for (const name of names) {
              const expected = bruteForce(view, name, all, each, Number(each.at), expressions);
              expectClose(valueAt(columns.get(`sold.${name}`), index), expected, `${name} of ask ${index}`);
            }
          });
        },
      ),
      { numRuns: 25, endOnFailure: true },
    );
  });
});

test("a window holds an event of its last moment and none of its first", async () => {
  const { features } = viewOver("known when it happens", "shop", 10, null);
  const source = sources["known when it happens"];
  const sale = (minutes: number, price: number): SourceRow => ({ shop: "a", price, at: minutes * MINUTE });
  const snapshot = await snapshotOf(bench, source, [[sale(0, 1), sale(10, 5), sale(11, 9)]], 60 * MINUTE);
  const { columns } = await historicalFeatures(bench, {
    features,
    snapshots: new Map([["sales", { snapshot, source }]]),
    entityRows: selectRows(
      { shop: "string", at: "timestamp" },
      [9, 10, 21].map((minutes) => ({ shop: "a", at: minutes * MINUTE })),
    ),
    asOf: 60 * MINUTE,
  });
  expect(columns.get("sold.price_min")?.values).toEqual(Float64Array.of(1, 5, Number.NaN));
  expect(columns.get("sold.sales")?.values).toEqual(Float64Array.of(1, 1, 0));
});
