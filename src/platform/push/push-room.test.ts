import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backupSqlitePushLog } from "../../adapters/push/sqlite.ts";
import { ingest, type Snapshot, snapshotPaths, snapshotRelation } from "../../core/data/index.ts";
import { count, entity, type FeatureViewDefinition, featureView, source, string, sum } from "../../core/definitions/index.ts";
import { compileFeaturePlan, createExactReader, onlineChange, pushedStatistics } from "../../core/features/index.ts";
import { MINUTE } from "../../core/time.ts";
import { NOW, openRoom, payments, type RoomOptions, SCOPE, spending } from "./test-support/payments.ts";

let directory: string;
let open: Awaited<ReturnType<typeof openRoom>>[] = [];
const room = async (options?: RoomOptions) => {
  const opened = await openRoom(directory, options);
  open.push(opened);
  return opened;
};
const reopened = async (options?: RoomOptions) => {
  await open.pop()?.close();
  return room(options);
};
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "orrery-push-"));
});
afterEach(async () => {
  for (const each of open) await each.close();
  open = [];
  rmSync(directory, { recursive: true, force: true });
});

type Room = Awaited<ReturnType<typeof openRoom>>;
const at = (minutes: number) => new Date((NOW + minutes * MINUTE) / 1_000).toISOString();
const payment = (id: string, minutes: number, amount: number | null, more: Record<string, string | boolean> = {}) => ({
  id,
  user: "ann",
  amount,
  at: at(minutes),
  seen: at(minutes),
  ...more,
});
/** amount, paid, payments, newest. */
const read = async ({ online }: Room, user = "ann", view = spending) => {
  const reader = createExactReader(compileFeaturePlan({ name: "m", features: view.all() }), online, SCOPE);
  return (await reader.read([{ user }], NOW)).values[0];
};
const taken = (opened: Room, previous?: Snapshot): Promise<Snapshot> => {
  const { engine, artifacts, tmpDirectory, log } = opened;
  const times = { projectDirectory: directory, asOf: NOW, createdAt: NOW };
  const engines = { engine, artifacts, tmpDirectory, pushed: log };
  return ingest(engines, payments, previous === undefined ? times : { ...times, previous });
};
const ids = async ({ engine, artifacts }: Room, snapshot: Snapshot) => {
  const relation = snapshotRelation(snapshot, payments, await snapshotPaths(artifacts, snapshot));
  return (await engine.rows(`SELECT id FROM ${relation} ORDER BY id`)).map(({ id }) => id);
};

describe("a push", () => {
  test("is online and in the next snapshot", async () => {
    const opened = await room();
    const answer = await opened.push("payments", [payment("p1", -50, 5), payment("p2", -10, 7)], { online: true });
    expect(answer).toEqual({ accepted: 2, duplicates: 0, quarantined: 0, problems: [] });
    expect(await read(opened)).toEqual([7, 12, 2, "p2"]);
    const snapshot = await taken(opened);
    expect(await ids(opened, snapshot)).toEqual(["p1", "p2"]);
    await opened.push("payments", [payment("p3", -5, 1)], { online: true });
    const next = await taken(opened, snapshot);
    expect(await ids(opened, next)).toEqual(["p1", "p2", "p3"]);
    expect(await taken(opened, next), "nothing new makes the same parts").toMatchObject({ parts: next.parts });
  });

  test("that is repeated changes nothing, in the same call, later or after a correction", async () => {
    const opened = await room();
    const first = payment("p1", -50, 5);
    expect(await opened.push("payments", [first, first])).toMatchObject({ accepted: 1, duplicates: 1 });
    await opened.push("payments", [payment("p1", -50, 6, { seen: at(-40) })], { online: true });
    expect(await read(opened)).toEqual([6, 6, 1, "p1"]);
    expect(await opened.push("payments", [first], { online: true })).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await read(opened)).toEqual([6, 6, 1, "p1"]);
  });

  test("corrects, replaces, moves to another entity and deletes what was pushed before", async () => {
    const opened = await room();
    await opened.push("payments", [payment("p1", -50, 5), payment("p2", -30, 7)], { online: true });
    await opened.push("payments", [payment("p2", -30, 8)], { online: true });
    expect(await read(opened), "the same availability replaces").toEqual([8, 13, 2, "p2"]);
    await opened.push("payments", [payment("p2", -30, 8, { user: "bob", seen: at(-20) })], { online: true });
    expect(await read(opened)).toEqual([5, 5, 1, "p1"]);
    expect(await read(opened, "bob")).toEqual([8, 8, 1, "p2"]);
    await opened.push("payments", [{ id: "p2", void: true, at: at(-30), seen: at(-5) }], { online: true });
    expect(await read(opened, "bob")).toEqual([null, null, 0, null]);
  });

  test("is missed where the log was lost that a snapshot was made of, and the snapshot is not made smaller", async () => {
    const opened = await room();
    await opened.push("payments", [payment("p1", -50, 5), payment("p2", -10, 7)]);
    const snapshot = await taken(opened);
    await open.pop()?.close();
    rmSync(join(directory, "push"), { recursive: true });
    const again = await room();
    await again.push("payments", [payment("p3", -10, 7)]);
    await expect(taken(again, snapshot)).rejects.toMatchObject({ code: "DATA_LOG_LOST", kind: "conflict" });
  });

  test("is awaited with counts of 0 and an empty snapshot", async () => {
    const opened = await room();
    await opened.settle();
    expect(await read(opened)).toEqual([null, null, 0, null]);
    expect(await taken(opened)).toMatchObject({ rows: 0, parts: [{ rows: 0 }] });
  });
});

describe("when another process has taken the project over", () => {
  test("rows are refused, neither logged nor brought online, those under way as well", async () => {
    const claim = new AbortController();
    const opened = await room({ lost: claim.signal });
    await opened.push("payments", [payment("p1", -50, 5)], { online: true });
    const underWay = opened.push("payments", [payment("p2", -40, 7)]);
    claim.abort();
    await expect(underWay).rejects.toMatchObject({ code: "PUSH_CLAIM_LOST", kind: "unavailable" });
    const rows = [payment("p3", -30, 9)];
    await expect(opened.push("payments", rows, { online: true })).rejects.toMatchObject({ code: "PUSH_CLAIM_LOST" });
    expect(opened.log.rows("payments", { after: 0, upTo: opened.log.end("payments") }, 10)).toHaveLength(1);
    expect(await opened.settle()).toEqual([]);
    expect(await read(opened)).toEqual([5, 5, 1, "p1"]);
    await expect(opened.erase("payments", "true", { dryRun: false })).rejects.toMatchObject({ code: "PUSH_CLAIM_LOST" });
  });
});

describe("rows that break the contract", () => {
  test("are kept apart with what they broke, online and offline", async () => {
    const opened = await room();
    const rows = [payment("p1", -50, 5), payment("p2", -40, -1), { ...payment("p3", -30, 1), id: null }];
    expect(await opened.push("payments", rows, { online: true })).toEqual({
      accepted: 1,
      duplicates: 0,
      quarantined: 2,
      problems: [
        { row: 1, problem: "amount: range" },
        { row: 2, problem: "id: null; id: key" },
      ],
    });
    expect(await read(opened)).toEqual([5, 5, 1, "p1"]);
    expect((await taken(opened)).report).toMatchObject({ rows: 1, quarantined: 2 });
  });

  test("count from when the contract allows them", async () => {
    const opened = await room();
    await opened.push("payments", [payment("p1", -50, 5), payment("p2", -40, 2_000)], { online: true });
    const contracts = {
      ...payments.contracts,
      amount: { ...payments.contracts.amount, max: 5_000 },
    } as typeof payments.contracts;
    const wider = { ...payments, contracts };
    const again = await reopened({ sources: [wider], views: [{ ...spending.definition, source: wider }] });
    await again.settle();
    expect(await read(again)).toEqual([2_000, 2_005, 2, "p2"]);
  });

  test("refuse the whole push where the contract says so, and no other", async () => {
    const strict = source.push("payments", {
      key: ["id"],
      eventTime: "at",
      columns: { id: string(), user: string().onViolation("stop") },
    });
    const opened = await room({ sources: [strict], views: [] });
    const bad = opened.push("payments", [
      { id: "p1", user: "ann", at: at(0) },
      { id: "p2", user: null, at: at(0) },
    ]);
    const good = opened.push("payments", [{ id: "p3", user: "bob", at: at(0) }]);
    await expect(bad).rejects.toMatchObject({ code: "PUSH_CONTRACT_STOPPED" });
    expect(await good).toMatchObject({ accepted: 1 });
    expect(opened.log.rows("payments", { after: 0, upTo: opened.log.end("payments") }, 10)).toHaveLength(1);
  });

  test.each([
    [[{ id: "p1", usr: "ann" }], "PUSH_ROW_INVALID"],
    [["p1"], "PUSH_ROW_INVALID"],
    [[null], "PUSH_ROW_INVALID"],
  ])("are refused where they are no rows: %j", async (rows, code) => {
    const opened = await room();
    await expect(opened.push("payments", rows as never)).rejects.toMatchObject({ code });
    expect(opened.log.end("payments")).toBe(0);
  });

  test("are refused where nothing is pushed to", async () => {
    await expect((await room()).push("refunds", [])).rejects.toMatchObject({ code: "PUSH_SOURCE_UNKNOWN" });
  });
});

describe("a view", () => {
  test("that is new has the rows of before", async () => {
    const opened = await room();
    await opened.push("payments", [payment("p1", -50, 5), payment("p2", -30, 7, { user: "bob" })], { online: true });
    const all = featureView("all", { source: payments, aggregate: { n: count().over("1h") } });
    const again = await reopened({ views: [spending.definition, all.definition] });
    await again.settle();
    const reader = createExactReader(compileFeaturePlan({ name: "m", features: all.all() }), again.online, SCOPE);
    expect((await reader.read([{}], NOW)).values).toEqual([[2]]);
  });

  test("that knows more than the log, of which an earlier copy was put back, is made of the log anew", async () => {
    const opened = await room();
    await opened.push("payments", [payment("p1", -50, 5)], { online: true });
    backupSqlitePushLog(join(directory, "push"), join(directory, "copy"));
    await opened.push("payments", [payment("p2", -40, 7), payment("p3", -30, 9)], { online: true });
    await open.pop()?.close();
    rmSync(join(directory, "push"), { recursive: true });
    cpSync(join(directory, "copy"), join(directory, "push"), { recursive: true });
    const again = await room();
    await again.settle();
    expect(await read(again)).toEqual([5, 5, 1, "p1"]);
    await again.push("payments", [payment("p4", -20, 1)], { online: true });
    expect(await read(again)).toEqual([1, 6, 2, "p4"]);
  });

  test("is another one only where it, its source or what its rows are found by is", async () => {
    const opened = await room();
    await opened.push("payments", [payment("p1", -50, 5)], { online: true });
    const change = (...views: FeatureViewDefinition[]) =>
      onlineChange(opened.engine, opened.online, SCOPE, views[0] ?? spending.definition, views);
    expect(await change(spending.definition)).toBe("same");
    const all = featureView("all", { source: payments, aggregate: { n: count().over("1h") } });
    expect(await change(spending.definition, all.definition)).toBe("changed");
    const longer = featureView("spending", {
      entity: entity("user", { user: string() }),
      source: payments,
      aggregate: { paid: sum("amount").over("2h") },
    });
    expect(await change(longer.definition)).toBe("changed");
  });

  test("goes online later, and by itself, where the online store refuses", async () => {
    const opened = await room();
    await opened.settle();
    const { putMany } = opened.online;
    opened.online.putMany = () => Promise.reject(new Error("the disk is full"));
    await expect(opened.push("payments", [payment("p1", -50, 5)], { online: true })).rejects.toMatchObject({
      code: "PUSH_NOT_ONLINE",
    });
    opened.online.putMany = putMany;
    await expect.poll(() => read(opened), { timeout: 20_000 }).toEqual([5, 5, 1, "p1"]);
    expect(opened.said.join()).toContain("the disk is full");
  });
});

describe("statistics of a view", () => {
  const asked = { scope: SCOPE, view: spending.definition, now: NOW };

  test("are of the entities that rows came of since the last ones, as they can be read", async () => {
    const opened = await room();
    await opened.settle();
    expect(await pushedStatistics(opened, asked, null)).toMatchObject({ from: null, rows: 0, entities: 0 });
    await opened.push("payments", [payment("p1", -50, 5), payment("p2", -30, 7, { user: "bob" })], { online: true });
    const first = await pushedStatistics(opened, asked, null);
    expect(first).toMatchObject({ view: "spending", from: null, until: NOW, rows: 2, entities: 2 });
    const paid = first?.statistics.find(({ feature }) => feature === "paid");
    expect(paid).toMatchObject({ entities: 2, nulls: 0, min: 5, max: 7, mean: 6, std: Math.SQRT2 });
    await opened.push("payments", [payment("p3", -10, 1), payment("p4", -10, -1)], { online: true });
    const second = await pushedStatistics(opened, asked, first);
    expect(second).toMatchObject({ from: NOW, rows: 1, entities: 1 });
    expect(second?.statistics.find(({ feature }) => feature === "paid")).toMatchObject({ entities: 1, min: 6, max: 6 });
    expect(await pushedStatistics(opened, asked, second)).toMatchObject({ from: NOW, rows: 0, entities: 0 });
  });

  test("are of all entities again where the view was written anew, and of none before it is online", async () => {
    const opened = await room();
    await opened.push("payments", [payment("p1", -50, 5), payment("p2", -30, 7, { user: "bob" })], { online: true });
    const first = await pushedStatistics(opened, asked, null);
    const wider = { ...spending.definition, ttl: 90 * MINUTE };
    const again = await reopened({ views: [wider] });
    await again.settle();
    expect(await pushedStatistics(again, { ...asked, view: wider }, first)).toMatchObject({ from: null, rows: 2, entities: 2 });
    const unknown = featureView("unknown", { source: payments, aggregate: { n: count().over("1h") } });
    expect(await pushedStatistics(again, { ...asked, view: unknown.definition }, null)).toBeNull();
  });
});

test("what was acknowledged is there after kill -9, once, online and offline", async () => {
  const acknowledged = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const program = join(import.meta.dirname, "test-support/push-process.ts");
    const child: ChildProcess = spawn(process.execPath, [program, directory, String(round)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    await new Promise<void>((resolve) => {
      child.stdout?.on("data", (chunk: Buffer) => {
        said += chunk;
        // Some hundred rows later, in the middle of whatever it does then.
        if (said.length > 1_000 + 700 * round) resolve();
      });
    });
    const gone = once(child, "close");
    child.kill("SIGKILL");
    await gone;
    for (const id of said.split("\n").slice(0, -1)) acknowledged.add(id);
  }
  const opened = await room();
  await opened.settle();
  const logged = opened.log.rows("payments", { after: 0, upTo: opened.log.end("payments") }, 1e6);
  const there = logged.map(({ row }) => (JSON.parse(row) as { id: string }).id);
  expect(acknowledged.size).toBeGreaterThan(200);
  expect(new Set(there).isSupersetOf(acknowledged)).toBe(true);
  expect(new Set(there).size).toBe(there.length);
  const counts = await Promise.all(Array.from({ length: 7 }, (_, user) => read(opened, `u${user}`)));
  expect(counts.reduce((sum, values) => sum + Number(values[2]), 0)).toBe(there.length);
  expect(await taken(opened)).toMatchObject({ rows: there.length });
}, 240_000);
