import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, redisBinary, startRedis } from "../../../test/fixtures/redis-server.ts";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { openRedis } from "../../adapters/online/redis.ts";
import { entity, featureView, int64, source, string } from "../definitions/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import { eraseOnline, fieldsMatcher, keyMatcher } from "./erase-online.ts";
import { entityKey, entityPrefix, progressKey, viewKey } from "./online-view.ts";

const scope = { workspace: "default", project: "p" };
const payments = source.csv("payments", { path: "x.csv", columns: { user: string(), org: int64(), n: int64() } });
const view = featureView("spending", {
  entity: entity("user in an org", { user: string(), org: int64() }),
  source: payments,
  features: ["n"],
}).definition;
const types = { user: "string", org: "int64" } as const;
const ann = { types, keys: [{ user: `a"[#]",[ł`, org: 9007199254740993n }] };
const own = { user: "user", org: "org" };

const { bin, reason } = redisBinary();
let redis: RedisServer | null = null;
let directory = "";
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "orrery-erase-online-"));
  redis = bin === null ? null : await startRedis(bin);
});
afterAll(() => {
  redis?.remove();
  rmSync(directory, { recursive: true });
});

const STORES: [string, () => OnlineStore][] = [
  ["LMDB", () => openLmdb(join(directory, "online"))],
  ...(bin === null ? [] : [["Redis", () => openRedis(redis?.url ?? "")] satisfies [string, () => OnlineStore]]),
];

describe.each(STORES)(`in %s ${reason}`, (_name, open) => {
  test("an entity's records of every generation go, and nobody else's", async () => {
    const online = open();
    const value = Uint8Array.of(1);
    const recordOf = (of: string, generation: string, user: string, org: bigint) =>
      entityKey(entityPrefix(scope, of, generation), [user, org]) ?? "";
    const long = "x".repeat(900);
    const gone = [
      recordOf("spending", "g1", ann.keys[0].user, ann.keys[0].org),
      recordOf("spending", "g2", ann.keys[0].user, ann.keys[0].org),
    ];
    const kept = [
      viewKey(scope, "spending"),
      progressKey(scope, "spending"),
      recordOf("spending", "g1", ann.keys[0].user, 9007199254740992n),
      recordOf("spending", "g1", "bob", ann.keys[0].org),
      recordOf("spending2", "g1", ann.keys[0].user, ann.keys[0].org),
      recordOf("spending", "g1", long, 1n),
    ];
    await online.putMany([...gone, ...kept].map((key) => [key, value]));
    const toErase = { scope, view, columns: own, entities: ann };
    expect(await eraseOnline(online, { ...toErase, dryRun: true })).toBe(2);
    expect(await online.getMany(gone)).toEqual([value, value]);
    expect(await eraseOnline(online, { ...toErase, dryRun: false })).toBe(2);
    expect(await online.getMany(gone)).toEqual([null, null]);
    expect(await online.getMany(kept)).toEqual(kept.map(() => value));
    const longer = { types, keys: [{ user: long, org: 1n }] };
    expect(await eraseOnline(online, { ...toErase, entities: longer, dryRun: false }), "a long key is there by its hash").toBe(1);
    const org = { types: { org: "int64" as const }, keys: [{ org: ann.keys[0].org }] };
    expect(
      await eraseOnline(online, { ...toErase, columns: { org: "org" }, entities: org, dryRun: false }),
      "one key of several",
    ).toBe(1);
    await online.close();
  });
});

test.each([
  [`,"gen",["ann",5]`, true],
  [`,"gen","v2",["ann",5]`, true],
  [`,"gen",["ann",5]:t:3`, true],
  [`,"gen",["ann",55]`, false],
  [`,"gen",["ann\\",5]",6]`, false],
  [`,"[\\"ann\\",5]",["bob",5]`, false],
  [`]:progress`, false],
])("the key %s is of the entity: %s", (rest, expected) => {
  expect(keyMatcher(["user", "org"], own, { types, keys: [{ user: "ann", org: 5n }] })(rest)).toBe(expected);
});

test("fields of a request are compared by value, in whichever way they came", () => {
  const matches = fieldsMatcher(
    { at: "seen", id: "id" },
    { types: { at: "timestamp", id: "int64" }, keys: [{ at: 1_000_000, id: 9007199254740993n }] },
  );
  expect(matches({ seen: "1970-01-01T00:00:01Z", id: "9007199254740993" })).toBe(true);
  expect(matches({ seen: 1_000_000, id: "9007199254740993" })).toBe(true);
  expect(matches({ seen: "1970-01-01T01:00:01+01:00", id: "9007199254740993" })).toBe(true);
  expect(matches({ seen: "1970-01-01T00:00:01Z", id: 9007199254740992 })).toBe(false);
  expect(matches({ seen: "nonsense", id: "9007199254740993" })).toBe(false);
  expect(matches({ id: "9007199254740993" })).toBe(false);
});
