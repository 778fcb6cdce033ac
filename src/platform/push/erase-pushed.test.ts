import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ingest, snapshotPaths, snapshotRelation } from "../../core/data/index.ts";
import { featureView, last } from "../../core/definitions/index.ts";
import { compileFeaturePlan, createExactReader } from "../../core/features/index.ts";
import { MINUTE } from "../../core/time.ts";
import { NOW, openRoom, payments, SCOPE, spending } from "./test-support/payments.ts";

let directory: string;
let opened: Awaited<ReturnType<typeof openRoom>>;
/** What everybody's last payment was: a view of no entity has rows of all. */
const lastPaid = featureView("last_paid", { source: payments, aggregate: { by: last("user", "string").over("1h") } });
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "orrery-erase-pushed-"));
  opened = await openRoom(directory, {
    views: [spending.definition, lastPaid.definition],
    blocked: async () => () => (isBlocked ? ANN : null),
  });
  isBlocked = false;
});
afterEach(async () => {
  await opened.close();
  rmSync(directory, { recursive: true });
});

const ANN = `coalesce("user" = 'ZZANN', false)`;
let isBlocked = false;
const at = (minutes: number) => new Date((NOW + minutes * MINUTE) / 1_000).toISOString();
const payment = (id: string, user: string, minutes: number, amount: number | null = 5) => ({
  ...{ id, user, amount },
  ...{ at: at(minutes), seen: at(minutes) },
});
const read = async (view: typeof spending | typeof lastPaid, keys: Readonly<Record<string, string>>) => {
  const reader = createExactReader(compileFeaturePlan({ name: "m", features: view.all() }), opened.online, SCOPE);
  return (await reader.read([keys], NOW)).values[0];
};
const taken = () =>
  ingest(
    { engine: opened.engine, artifacts: opened.artifacts, tmpDirectory: opened.tmpDirectory, pushed: opened.log },
    payments,
    { projectDirectory: directory, asOf: NOW, createdAt: NOW },
  );
const logged = () =>
  readdirSync(join(directory, "push"))
    .map((name) => readFileSync(join(directory, "push", name), "latin1"))
    .join("");

test("somebody's rows go from the log and from every view, with their deletions and what was kept apart", async () => {
  const rows = [
    payment("p1", "bob", -50, 7),
    payment("p2", "ZZANN", -40),
    payment("p3", "ZZANN", -30, -1),
    payment("p4", "ZZANN", -20),
    { id: "p2", void: true, at: at(-40), seen: at(-35) },
    { id: "p9", void: true, at: at(-40), seen: at(-35) },
  ];
  await opened.push("payments", rows, { online: true });
  expect(await read(lastPaid, {})).toEqual(["ZZANN"]);
  expect(await opened.erase("payments", ANN, { dryRun: true })).toBe(4);
  expect(await read(spending, { user: "ZZANN" })).toEqual([5, 5, 1, "p4"]);

  expect(await opened.erase("payments", ANN, { dryRun: false })).toBe(4);
  expect(logged()).not.toContain("ZZANN");
  expect(await read(spending, { user: "ZZANN" })).toEqual([null, null, 0, null]);
  expect(await read(spending, { user: "bob" })).toEqual([7, 7, 1, "p1"]);
  expect(await read(lastPaid, {}), "windows of everybody lose them, too").toEqual(["bob"]);
  const after = await taken();
  const relation = snapshotRelation(after, payments, await snapshotPaths(opened.artifacts, after));
  expect(await opened.engine.rows(`SELECT id FROM ${relation}`)).toEqual([{ id: "p1" }]);
  expect(await opened.erase("payments", ANN, { dryRun: false }), "there is nothing left").toBe(0);
  expect(await opened.erase("refunds", ANN, { dryRun: false }), "nor where nothing is pushed to").toBe(0);
  await opened.push("payments", [payment("p5", "bob", -1, 2)], { online: true });
  expect(await read(spending, { user: "bob" })).toEqual([2, 9, 2, "p5"]);
});

test("rows that are pushed meanwhile are kept, and those of who is blocked are not", async () => {
  await opened.push("payments", [payment("p0", "ZZANN", -50)], { online: true });
  isBlocked = true;
  const pushing = Array.from({ length: 40 }, (_, n) =>
    opened.push("payments", [payment(`b${n}`, "bob", -30, 1), payment(`a${n}`, "ZZANN", -30, 1)], { online: true }),
  );
  const erasing = opened.erase("payments", ANN, { dryRun: false });
  const more = Array.from({ length: 40 }, (_, n) =>
    opened.push("payments", [payment(`c${n}`, "bob", -20, 1), payment(`d${n}`, "ZZANN", -20, 1)]),
  );
  await erasing;
  await Promise.all(pushing);
  for (const answer of await Promise.all(more)) expect(answer).toMatchObject({ accepted: 1, blocked: 1, duplicates: 0 });
  await opened.settle();
  expect((await read(spending, { user: "bob" })).slice(1, 3)).toEqual([80, 80]);
  expect(await read(spending, { user: "ZZANN" })).toEqual([null, null, 0, null]);
  expect(logged()).not.toContain("ZZANN");
});
