import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { openSqlitePushLog } from "../../adapters/push/sqlite.ts";
import { pushContract, textRow } from "../data/index.ts";
import type { SourceDefinition } from "../definitions/index.ts";
import type { OnlineStore, PushLog } from "../ports/index.ts";
import { formatTimestamp, MINUTE, type Micros } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { readOnlineView } from "./online-entry.ts";
import { createExactReader } from "./online-reader.ts";
import type { ExactValue } from "./plan.ts";
import { judgePushed, keySetsOf, pushIndexHash } from "./push-index.ts";
import { applyPushed } from "./push-online.ts";
import { bruteForce, type SourceRow } from "./test-support/oracle.ts";
import { columnTypes, expressions, moment, row, type SourceKind, shop, viewOver } from "./test-support/random-views.ts";
import { openWorkbench, type Workbench } from "./test-support/snapshots.ts";

let bench: Workbench;
let online: OnlineStore;
let log: PushLog;
beforeAll(async () => {
  bench = await openWorkbench();
  online = openLmdb(join(bench.directory, "online"));
  log = openSqlitePushLog(join(bench.directory, "push"));
});
afterAll(async () => {
  await online.close();
  log.close();
  bench.close();
});

/** As it would be delivered. */
const delivered = (source: SourceDefinition, given: SourceRow): string =>
  JSON.stringify(
    textRow(
      Object.fromEntries(
        Object.keys(source.contracts).map((column) => {
          const value = given[column] ?? null;
          return [column, columnTypes[column] === "timestamp" && value !== null ? formatTimestamp(Number(value)) : value];
        }),
      ),
      Object.keys(source.contracts),
    ),
  );

const kinds = [
  "versions, deletions and a late group",
  "versions by event",
  "versions in order of delivery",
  "own availability and a late group",
  "no time at all",
] as const satisfies readonly SourceKind[];

let projects = 0;

/** Sums of doubles depend on their order in the oracle, and so does which of two zeros is the least. */
function expectSame(found: ExactValue, wanted: ExactValue, what: string): void {
  if (found === wanted) return;
  if (typeof found === "number" && typeof wanted === "number")
    expect(Math.abs(found - wanted), what).toBeLessThan(1e-6 * Math.max(1, Math.abs(wanted)));
  else expect(found, what).toEqual(wanted);
}

describe("rows that are pushed", () => {
  test.each(kinds)(
    "give online what going through all of them gives, in whatever order they come: %s",
    async (kind) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(row(0, 60), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 }),
          fc.constantFrom("shop" as const, "till" as const, "number" as const),
          fc.integer({ min: 1, max: 20 }),
          fc.option(fc.integer({ min: 1, max: 40 }), { nil: null }),
          fc.array(fc.tuple(shop, fc.integer({ min: 1, max: 2 }), moment(0, 110)), { minLength: 3, maxLength: 6 }),
          fc.constantFrom(1, 2, 1_024),
          async (batches, of, window, ttl, asks, tileRows) => {
            const scope = { workspace: "test", project: `pushed ${++projects}` };
            const { view, features, names } = viewOver(kind, of, window, ttl);
            const source: SourceDefinition = { ...view.source, name: `sales ${projects}` };
            const definition = { ...view, source };
            const keySets = keySetsOf(source, [definition]);
            const contract = await pushContract(bench.artifacts, source, undefined);
            const index = pushIndexHash(source, keySets);
            const plan = compileFeaturePlan({ name: "m", features });
            const { definitions: _, ...planned } = plan.views[0] ?? expect.fail("a view");
            const reader = createExactReader({ ...plan, views: [planned] }, online, scope);
            const known: SourceRow[] = [];
            let now: Micros = 0;
            for (const batch of batches) {
              const judged = await judgePushed(
                bench.engine,
                source,
                contract,
                keySets,
                batch.map((each) => delivered(source, each)),
              );
              const isNew = await log.append(source.name, judged, { once: source.key.length > 0, at: now });
              known.push(...batch.filter((_, at) => isNew[at] && judged[at].problem === null));
              now += 20 * MINUTE;
              await applyPushed({ engine: bench.engine, online, log }, { scope, view: definition, index, now, tileRows });
              for (const [name, till, at] of asks) {
                if (at < now - 120 * MINUTE) continue;
                const keys = { shop: name, till };
                const { values } = await reader.read([keys], at);
                names.forEach((feature, slot) => {
                  const wanted = bruteForce(definition, feature, known, keys, at, expressions);
                  expectSame(values[0][slot], wanted, `${feature} at ${at / MINUTE}`);
                });
              }
            }
          },
        ),
        { numRuns: 10, endOnFailure: true },
      );
    },
    300_000,
  );
});

test("an event that is dated ahead does not make a view fresh", async () => {
  const scope = { workspace: "test", project: `pushed ${++projects}` };
  const { view } = viewOver("versions by event", "shop", 10, null);
  const source: SourceDefinition = { ...view.source, name: `sales ${projects}` };
  const definition = { ...view, source };
  const keySets = keySetsOf(source, [definition]);
  const contract = await pushContract(bench.artifacts, source, undefined);
  const [first] = fc.sample(row(0, 1), { numRuns: 1, seed: 1 });
  const push = async (at: Micros, now: Micros) => {
    const given = [delivered(source, { ...first, sale: at / MINUTE, shop: "a", at })];
    const judged = await judgePushed(bench.engine, source, contract, keySets, given);
    expect(judged[0].problem).toBeNull();
    await log.append(source.name, judged, { once: true, at: now });
    const input = { scope, view: definition, index: pushIndexHash(source, keySets), now };
    await applyPushed({ engine: bench.engine, online, log }, input);
    return (await readOnlineView(online, scope, view.name))?.newestEventAt;
  };
  expect(await push(1_000 * MINUTE, 20 * MINUTE)).toBeNull();
  expect(await push(15 * MINUTE, 21 * MINUTE)).toBe(15 * MINUTE);
  expect(await push(900 * MINUTE, 22 * MINUTE)).toBe(15 * MINUTE);
});
