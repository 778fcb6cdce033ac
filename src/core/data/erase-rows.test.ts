import { afterEach, beforeEach, expect, test } from "vitest";
import { at, type DataRoom, NOW, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { bool, float64, int64, source, string, timestamp } from "../definitions/index.ts";
import { blockedCondition, entityCondition, hashKeys, type KeyedEntities } from "./entity-keys.ts";
import { erasedSnapshot, eraseRows } from "./erase-rows.ts";
import { ingest } from "./ingest.ts";
import type { Snapshot } from "./snapshot.ts";
import { snapshotPaths } from "./snapshot-relation.ts";

let room: DataRoom;
beforeEach(async () => {
  room = await openDataRoom();
});
afterEach(() => room.close());

const MARK = { erasure: "erasure-1", at: NOW };
const erase = async (snapshot: Snapshot, condition: string) => {
  const files = new Map();
  for (const { sha256, quarantine } of snapshot.parts)
    for (const hash of [sha256, quarantine]) {
      const erased = hash === null ? null : await eraseRows(room, hash, condition, Object.keys(snapshot.parts[0].nulls));
      if (erased !== null) files.set(hash, erased);
    }
  return erasedSnapshot(snapshot, files, MARK);
};
const conditionOf = (entities: KeyedEntities, columns: Readonly<Record<string, string>>, snapshot: Snapshot) =>
  entityCondition(entities, columns, snapshot.columns) ?? "";

const payments = source.csv("payments", {
  path: "payments.csv",
  key: ["id"],
  eventTime: "at",
  columns: { id: string(), user: string(), amount: float64().between(0, 100).nullable({ atMost: 0.5 }) },
});
const ann: KeyedEntities = { types: { user: "string" }, keys: [{ user: `O'Łüc "7"` }] };

test("a snapshot without somebody's rows is read as before, keeps its id, and says what was taken out", async () => {
  const quoted = '"O\'Łüc ""7"""';
  room.write(
    "payments.csv",
    `id,user,amount,at\n1,${quoted},5,2023-01-01\n2,bob,6,2023-01-02\n3,${quoted},,2023-01-03\n4,${quoted},-1,2023-01-04\n5,bob,-2,2023-01-05\n`,
  );
  const before = await room.ingest(payments);
  expect(before.report.violations).toMatchObject([{ column: "amount", rule: "range", samples: ["-1.0", "-2.0"] }]);
  const after = await erase(before, conditionOf(ann, { user: "user" }, before));
  expect(after).toMatchObject({
    id: before.id,
    rows: 1,
    parts: [{ rows: 1, quarantined: 1, inputHash: before.parts[0].inputHash, nulls: { amount: 0 } }],
    report: { rows: 1, quarantined: 1, violations: [{ column: "amount", rule: "range", samples: [] }] },
    erased: [{ erasure: "erasure-1", at: NOW, rows: 3, contentHash: before.contentHash }],
  });
  if (after === null) return;
  expect(after.contentHash).not.toBe(before.contentHash);
  expect(await room.read(after, payments)).toMatchObject([{ id: "2", user: "bob" }]);
  const again = await erase(after, conditionOf(ann, { user: "user" }, after));
  expect(again, "there is nothing left to take out").toBeNull();
  const next = await room.ingest(payments, { previous: after });
  expect(next.parts, "the file has not changed, and is not read again").toEqual(after.parts);
});

test("rows of who is blocked are not taken in, by files that changed and by increments", async () => {
  room.write("payments.csv", `id,user,amount,at\n1,ann,5,2023-01-01\n2,bob,6,2023-01-02\n`);
  const entities = { types: { user: "string" as const }, keys: [{ user: "ann" }] };
  const hashes = await hashKeys(room.engine, entities, "salt");
  expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
  const condition = blockedCondition(entities.types, { user: "user" }, { salt: "salt", hashes });
  const engines = { ...room, blocked: () => condition };
  const snapshot = await ingest(engines, payments, { projectDirectory: room.directory, asOf: NOW, createdAt: NOW });
  expect(await room.read(snapshot, payments)).toMatchObject([{ user: "bob" }]);
});

test("a source of nothing but rows of who is blocked has no rows, and no error, when it is read and when it is read again", async () => {
  const hashes = await hashKeys(room.engine, { types: { user: "string" }, keys: [{ user: "ann" }] }, "salt");
  const condition = blockedCondition({ user: "string" }, { user: "user" }, { salt: "salt", hashes });
  const engines = { ...room, blocked: () => condition };
  const options = { projectDirectory: room.directory, asOf: NOW, createdAt: NOW };
  room.write("payments.csv", "id,user,amount,at\n1,ann,5,2023-01-01\n");
  const snapshot = await ingest(engines, payments, options);
  expect(snapshot.rows).toBe(0);
  expect(await room.read(snapshot, payments)).toEqual([]);
  expect((await ingest(engines, payments, { ...options, previous: snapshot })).parts).toEqual(snapshot.parts);
  const before = await room.ingest(payments);
  const erased = await erase(
    before,
    conditionOf({ types: { user: "string" }, keys: [{ user: "ann" }] }, { user: "user" }, before),
  );
  expect((await ingest(engines, payments, { ...options, previous: erased ?? before })).rows, "the same file, erased from").toBe(
    0,
  );
  room.write("payments.csv", "id,user,amount,at\n");
  await expect(ingest(engines, payments, options)).rejects.toMatchObject({ code: "DATA_EMPTY" });
});

test("keys are matched by value in every type, whatever is in them", async () => {
  const types = { user: "string", org: "int64", since: "timestamp", share: "float64", paid: "bool" } as const;
  const table = source.parquet("table", {
    path: "table.parquet",
    columns: { user: string(), org: int64(), since: timestamp(), share: float64(), paid: bool(), n: int64() },
  });
  const row = (user: string, org: string, since: string, share: string, paid: boolean, n: number) =>
    `('${user.replaceAll("'", "''")}', ${org}::BIGINT, TIMESTAMP '${since}', ${share}::DOUBLE, ${paid}, ${n}::BIGINT)`;
  const rows = [
    row("'; DROP TABLE x; --", "9007199254740993", "2023-01-01 00:00:00.000001", "0.1", true, 0),
    row("'; DROP TABLE x; --", "9007199254740992", "2023-01-01 00:00:00.000001", "0.1", true, 1),
    row("'; DROP TABLE x; --", "9007199254740993", "2023-01-01 00:00:00.000002", "0.1", true, 2),
    row("'; DROP TABLE x; --", "9007199254740993", "2023-01-01 00:00:00.000001", "0.1", false, 3),
    row("12", "3", "2023-01-01", "1", true, 4),
    row("1", "23", "2023-01-01", "1", true, 5),
  ];
  await room.parquet("table.parquet", `SELECT * FROM (VALUES ${rows.join(", ")}) AS t(user, org, since, share, paid, n)`);
  const snapshot = await room.ingest(table);
  const own = Object.fromEntries(Object.keys(types).map((key) => [key, key]));
  const entities: KeyedEntities = {
    types,
    keys: [
      { user: "'; DROP TABLE x; --", org: 9007199254740993n, since: at("2023-01-01T00:00:00.000001Z"), share: 0.1, paid: true },
      { user: "1", org: 23n, since: at("2023-01-01T00:00:00Z"), share: 1, paid: true },
    ],
  };
  const left = await erase(snapshot, conditionOf(entities, own, snapshot));
  const rest = async (of: Snapshot) => (await room.read(of, table, {}, "ORDER BY n")).map(({ n }) => Number(n));
  expect(left === null ? [] : await rest(left)).toEqual([1, 2, 3, 4]);
  const hashes = await hashKeys(room.engine, entities, "s");
  const [path] = (await snapshotPaths(room.artifacts, snapshot)).values();
  const blocked = await room.engine.rows(
    `SELECT n FROM read_parquet('${path}') WHERE ${blockedCondition(types, own, { salt: "s", hashes })} ORDER BY n`,
  );
  expect(
    blocked.map(({ n }) => Number(n)),
    "the salted hash tells the same rows",
  ).toEqual([0, 5]);
  expect(entityCondition(entities, { ...own, org: "absent" }, snapshot.columns)).toBeNull();
});
