import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { orrery, type Up, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

const CALLS = `
const calls = source.push("calls", {
  key: ["call_id"],
  eventTime: "called_at",
  columns: { call_id: string(), customer_id: string(), minutes: float64().between(0, 600) },
});
const callsRecent = featureView("calls_recent", {
  entity: customer,
  source: calls,
  aggregate: { calls_7d: count().over("7d"), call_minutes_7d: mean("minutes").over("7d") },
});
export default defineProject({`;

describe("rows that are pushed over HTTP", { timeout: 180_000 }, () => {
  let root: string;
  let project: string;
  const running: Up[] = [];
  const start = async () => {
    const started = await up(project);
    running.push(started);
    return createClient({ baseUrl: started.url, workspace: "default", project: "churn" });
  };
  const call = (call_id: string, minutes: number) => ({
    call_id,
    customer_id: "C0034",
    minutes,
    called_at: "2025-01-01T10:00:00Z",
  });

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-push-"));
    project = join(root, "churn");
    expect((await orrery(["init", project])).code).toBe(0);
    const path = join(project, "orrery.config.ts");
    const text = readFileSync(path, "utf8")
      .replace("export default defineProject({", CALLS)
      .replace("sources: [", "sources: [calls, ")
      .replace(
        "features: [usageRecent, customerInfo],\n  models",
        "features: [callsRecent, usageRecent, customerInfo],\n  models",
      );
    expect(text).toContain("features: [callsRecent, ");
    writeFileSync(path, text);
  });
  afterAll(async () => {
    for (const each of running) await each.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it("are acknowledged, kept over kill -9 and known when they are sent again", async () => {
    const client = await start();
    const rows = [call("1", 5), call("2", -5)];
    expect(await client.sources.push({ name: "calls", rows, online: true })).toEqual({
      accepted: 1,
      duplicates: 0,
      quarantined: 1,
      problems: [{ row: 1, problem: "minutes: range" }],
    });
    await running.at(-1)?.stop("SIGKILL");
    const again = await start();
    expect(await again.sources.push({ name: "calls", rows: [call("1", 5), call("3", 7)], online: true })).toMatchObject({
      accepted: 1,
      duplicates: 1,
    });
    const { items } = await again.features.list();
    expect(items.find(({ name }) => name === "calls_recent")?.materializedUntil).not.toBeNull();
    const { views } = await again.features.materialize({});
    expect(views.map(({ view }) => view)).toContain("calls_recent");
    const { items: statistics } = await again.features.statistics({ name: "calls_recent" });
    expect(statistics).toMatchObject([{ from: null, rows: 2, entities: 1 }]);
  });

  it("are no mismatch where they come while online and offline values are compared", async () => {
    const client = createClient({ baseUrl: running.at(-1)?.url ?? "", workspace: "default", project: "churn" });
    const recent = new Date(Date.now() - 60_000).toISOString();
    let pushed = 0;
    const some = () =>
      Array.from({ length: 50 }, () => ({ ...call(`during-${pushed++}`, 1), customer_id: `C${pushed % 20}`, called_at: recent }));
    const push = () => client.sources.push({ name: "calls", rows: some(), online: true });
    await push();
    let isDone = false;
    const check = client.features.checkConsistency({}).finally(() => {
      isDone = true;
    });
    while (!isDone) await push();
    const found = (await check).online.find(({ feature }) => feature === "calls_recent.calls_7d");
    expect(found).toMatchObject({ mismatched: 0, stale: 0, examples: [] });
    expect(found?.compared).toBeGreaterThan(10);
  });

  it("are in a backup that is made while the control plane runs", async () => {
    const client = createClient({ baseUrl: running.at(-1)?.url ?? "", workspace: "default", project: "churn" });
    const before = { ...call("before-backup", 3), customer_id: "C0077" };
    await client.sources.push({ name: "calls", rows: [before], online: true });
    expect(await orrery(["-p", project, "backup", join(root, "copy")])).toMatchObject({ code: 0 });
    await running.at(-1)?.stop();
    rmSync(join(project, ".orrery"), { recursive: true });
    expect(await orrery(["-p", project, "restore", join(root, "copy")])).toMatchObject({ code: 0 });
    const again = await start();
    const after = { ...before, call_id: "after-restore" };
    expect(await again.sources.push({ name: "calls", rows: [before, after], online: true })).toMatchObject({
      accepted: 1,
      duplicates: 1,
    });
    const { online } = await again.features.checkConsistency({});
    expect(online.find(({ feature }) => feature === "calls_recent.calls_7d")).toMatchObject({ mismatched: 0 });
  });

  it("are refused with the reason where the source does not know them", async () => {
    const client = createClient({ baseUrl: running.at(-1)?.url ?? "", workspace: "default", project: "churn" });
    await expect(client.sources.push({ name: "customers", rows: [{ customer_id: "C1" }] })).rejects.toMatchObject({
      body: { code: "PUSH_SOURCE_UNKNOWN" },
    });
    await expect(client.sources.push({ name: "calls", rows: [{ id: "1" }] })).rejects.toMatchObject({
      body: { code: "PUSH_ROW_INVALID" },
    });
  });
});
