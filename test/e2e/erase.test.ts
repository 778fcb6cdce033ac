import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDuckDb } from "../../src/adapters/tables/duckdb.ts";
import { createClient } from "../../src/client/index.ts";
import { CLI, eventually, orrery, type Up, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

const MORE = `
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
const lastCall = featureView("last_call", { source: calls, features: ["customer_id"] });
const played = source.joined("played", { base: usage, features: [customerInfo.feature.country] });
const playedAt = featureView("played_in", { entity: customer, source: played, features: ["country"] });
export default defineProject({`;

/** Nobody else's name has this in it. */
const MARK = "ZQXUNMISTAKABLE";
/** Quotes of every kind, and letters that SQL, CSV and JSON write in ways of their own. */
const ANN = `${MARK} O'Łüc "7"`;
const BOB = `${MARK}-bob`;
const OTHER = "C0034";
const DAY_MS = 86_400_000;

interface Place {
  readonly what: string;
  readonly where: string;
  readonly rows: number;
}
interface Told {
  readonly id: string | null;
  readonly state: string;
  readonly places: readonly Place[];
}

describe("erasing a person", { timeout: 240_000 }, () => {
  let root: string;
  let project: string;
  const running: Up[] = [];
  const start = async () => {
    const started = await up(project);
    running.push(started);
    return createClient({ baseUrl: started.url, workspace: "default", project: "churn" });
  };
  const stop = async () => running.at(-1)?.stop();
  const cli = (...args: string[]) => orrery(["-p", project, ...args]);
  const erase = async (key: string, ...more: string[]) => {
    const done = await cli("--json", "erase", "customer", "--key", `customer_id=${key}`, ...more);
    expect(done.err).toBe("");
    return JSON.parse(done.out) as Told;
  };
  const counted = ({ places }: Told) => Object.fromEntries(places.map(({ what, where, rows }) => [`${what} ${where}`, rows]));
  const predict = async (customer_id: string, reference: string) => {
    const asked = await cli("predict", "churn", JSON.stringify({ customer_id, amount: 9.99, reference }));
    expect(asked.err).toBe("");
    const { predictions } = JSON.parse(asked.out) as { predictions: { id: string; missing: string[] }[] };
    return predictions[0];
  };
  const call = (call_id: string, customer_id: string, minutes = 5) => ({
    ...{ call_id, customer_id, minutes },
    called_at: new Date(Date.now() - 3_600_000).toISOString(),
  });
  /** Files below the state folder in which a text stands, Parquet read as such too. */
  const filesWith = async (text: string) => {
    const engine = await openDuckDb({ memoryLimit: "256MB", threads: 1 });
    const state = join(project, ".orrery");
    const found: string[] = [];
    for (const name of readdirSync(state, { recursive: true, encoding: "utf8" })) {
      const path = join(state, name);
      if (!statSync(path).isFile()) continue;
      const bytes = readFileSync(path);
      if (bytes.includes(text)) found.push(name);
      if (bytes.subarray(0, 4).toString() !== "PAR1") continue;
      const rows = `read_parquet('${path}', hive_partitioning = false)`;
      const [row] = await engine.rows(`SELECT count(*) AS n FROM ${rows} AS t WHERE contains(t::VARCHAR, '${text}')`);
      if (row?.n !== 0) found.push(`rows of ${name}`);
    }
    engine.close();
    return found.filter((name) => !/owner\.lock/.test(name));
  };

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-erase-"));
    project = join(root, "churn");
    expect((await orrery(["init", project])).code).toBe(0);
    const path = join(project, "orrery.config.ts");
    const text = readFileSync(path, "utf8")
      .replace("export default defineProject({", MORE)
      .replace("sources: [customers", "sources: [calls, played, customers")
      .replace(
        "features: [usageRecent, customerInfo],\n  models",
        "features: [callsRecent, lastCall, playedAt, usageRecent, customerInfo],\n  models",
      );
    expect(text).toContain("lastCall, playedAt");
    writeFileSync(path, text);
    for (const name of [ANN, BOB]) {
      const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;
      const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
      const add = (file: string, lines: readonly string[]) =>
        appendFileSync(join(project, "data", file), `${lines.join("\n")}\n`);
      add("customers.csv", [`${quoted(name)},single,NO`]);
      add("usage.csv", [
        ...Array.from({ length: 40 }, (_, day) => `${quoted(name)},${ago(day + 1)},12.5`),
        `${quoted(name)},${ago(1)},99999`,
      ]);
      add(
        "renewals.csv",
        Array.from(
          { length: 6 },
          (_, n) =>
            `${quoted(`${name}-${n}`)},${quoted(name)},${ago(30 * n + 70)},${ago(30 * n + 40)},${ago(30 * n + 39)},9.99,${n === 0}`,
        ),
      );
    }
    expect((await cli("train", "churn")).out).toContain("succeeded deploy");
  });
  afterAll(async () => {
    await stop();
    rmSync(root, { recursive: true, force: true });
  });

  it("of whom nothing is known says so: an unknown entity, a key of another name, and nobody's key", async () => {
    expect((await cli("erase", "custmer", "--key", "customer_id=1", "--dry-run")).err).toMatch(
      /did you mean "customer"\?.*ERASE_ENTITY_UNKNOWN/,
    );
    expect((await cli("erase", "customer", "--key", "customerid=1", "--dry-run")).err).toMatch(
      /did you mean "customer_id"\?.*ERASE_KEY_INVALID/,
    );
    expect((await cli("erase", "customer", "--dry-run")).err).toContain("CLI_ARGUMENT_MISSING");
    expect((await cli("erase", "customer", "--key", "customer_id=1")).err).toContain("CLI_CONFIRMATION_MISSING");
    const nobody = await erase("nobody", "--yes");
    expect(nobody.state).toBe("done");
    expect(nobody.places.every(({ rows }) => rows === 0)).toBe(true);
  });

  it("is told before it is done, and leaves nothing of them in the state folder while everything runs on", async () => {
    const client = await start();
    expect(
      await client.sources.push({
        name: "calls",
        rows: [call("1", ANN), call("2", ANN), call("3", ANN, -5), call("4", OTHER), call("b", BOB)],
        online: true,
      }),
    ).toMatchObject({ accepted: 4, quarantined: 1 });
    await eventually(
      async () => ((await cli("predict", "churn", "{}")).err.includes("NOT_RUNNING") ? null : true),
      "the endpoint",
    );
    await predict(ANN, `${ANN}-0`);
    const kept = await predict(OTHER, "C0034-1");
    expect((await cli("run", "daily")).out).toContain("succeeded monitor");
    await predict(ANN, `${ANN}-1`);
    await client.features.checkConsistency({ sample: 900 });
    await eventually(
      async () => ((await filesWith(MARK)).some((name) => name.endsWith(".open.ndjson")) ? true : null),
      "the log",
    );

    const planned = await erase(ANN, "--dry-run");
    expect(counted(planned)).toMatchObject({
      "snapshot part customers": 1,
      "snapshot part usage": 40,
      "quarantine usage": 1,
      "snapshot part renewals": 6,
      "snapshot part played": 40,
      "snapshot part calls": 2,
      "quarantine calls": 1,
      "pushed row calls": 3,
      "prediction churn": 2,
      "online record usage_recent": 1,
      "online record customer_info": 1,
      "online record calls_recent": 1,
      "online record played_in": 1,
    });
    expect(planned.places.some(({ what, rows }) => what === "row of a model's sample" && rows > 0)).toBe(true);
    expect(planned.places.filter(({ what }) => what === "training set").map(({ rows }) => rows)).toEqual([6]);
    expect(planned.id, "nothing was changed").toBeNull();

    let pushed = 0;
    let isErased = false;
    const pushing = (async () => {
      for (; !isErased; pushed++) {
        const answer = await client.sources.push({
          name: "calls",
          rows: [call(`during-${pushed}`, OTHER)],
          online: pushed % 7 === 0,
        });
        expect(answer).toMatchObject({ accepted: 1 });
      }
    })();
    const done = await erase(ANN, "--yes").finally(() => (isErased = true));
    await pushing;
    expect(done).toMatchObject({ state: "done", places: planned.places.map(({ what, where }) => ({ what, where })) });
    expect(pushed).toBeGreaterThan(5);

    expect(await filesWith(`${MARK} O`), "while everything runs").toEqual([]);

    expect((await predict(ANN, "x")).missing).toEqual(["usage_recent", "customer_info"]);
    expect((await predict(BOB, "x")).missing, "who has the same letters is another").toEqual([]);
    expect((await client.predictions.explain({ id: kept.id })).model).toBe("churn");
    const blocked = await client.sources.push({
      name: "calls",
      rows: [call("1", ANN), call("new", ANN), call("5", OTHER)],
      online: true,
    });
    expect(blocked).toEqual({ accepted: 1, duplicates: 0, quarantined: 0, problems: [], blocked: 2 });
    const [{ id }] = (await client.data.history({ name: "calls", limit: 1 })).items;
    await client.pipelines.start({ name: "daily", reason: "what was pushed meanwhile" });
    const taken = await eventually(async () => {
      const [newest] = (await client.data.history({ name: "calls", limit: 1 })).items;
      return newest.id === id ? null : newest;
    }, "the next snapshot");
    expect(taken.rows, "whatever was pushed while it was erased is there: ours, Bob's and two of the other's").toBe(pushed + 3);
  });

  it("keeps them out when a file that still has them is delivered again", async () => {
    appendFileSync(join(project, "data/usage.csv"), `${OTHER},${new Date(Date.now() - DAY_MS).toISOString()},33\n`);
    const before = JSON.parse((await cli("--json", "data", "snapshots")).out) as {
      source: string;
      rows: number;
      erased: { rows: number }[];
    }[];
    expect(before.find(({ source }) => source === "usage")?.erased).toMatchObject([{ rows: 41 }]);
    expect((await cli("run", "daily")).out).toContain("succeeded monitor");
    const after = JSON.parse((await cli("--json", "data", "snapshots")).out) as { source: string; rows: number }[];
    const rowsOf = (all: readonly { source: string; rows: number }[]) => all.find(({ source }) => source === "usage")?.rows ?? 0;
    expect(rowsOf(after)).toBe(rowsOf(before) + 1);
  });

  it("says of what was made from their rows that it cannot be made again, and of who did it without naming them", async () => {
    const shown = (await cli("--json", "models", "show", "churn@1")).out;
    expect(shown).toMatch(/No longer reproducible: erasure erasure-\S+ of 20\d\d-\d\d-\d\d took \d+ rows/);
    expect((await cli("models", "lineage", "churn@1")).out).toMatch(
      /no longer reproducible: an erasure of 20\d\d-\d\d-\d\d took \d+ rows/,
    );
    const trail = (await cli("--json", "audit")).out;
    expect(trail).toContain("erasures.create");
    expect(trail).not.toContain(MARK);
    const sets = (await cli("--json", "training-sets")).out;
    expect(sets).toContain("erasure-");
    expect((await cli("training-sets")).out).toMatch(/no: an erasure of 20\d\d-\d\d-\d\d took \d+ rows/);
  });

  it("is finished after kill -9 wherever it was, with or without a control plane", async () => {
    await stop();
    // What the project has no more is reached all the same.
    const config = join(project, "orrery.config.ts");
    const text = readFileSync(config, "utf8");
    writeFileSync(
      config,
      text.replace("lastCall, playedAt, ", "lastCall, ").replace("sources: [calls, played, ", "sources: [calls, "),
    );
    expect(counted(await erase(BOB, "--dry-run"))).toMatchObject({ "snapshot part played": 80, "online record played_in": 1 });
    for (const wait of [600, 1_200, 1_700, 2_400, 3_300]) {
      const child = spawn(process.execPath, [CLI, "-p", project, "erase", "customer", "--key", `customer_id=${BOB}`, "--yes"], {
        stdio: "ignore",
      });
      const gone = once(child, "close");
      await new Promise((resolve) => setTimeout(resolve, wait));
      child.kill("SIGKILL");
      await gone;
    }
    await start();
    const erasures = JSON.parse((await cli("--json", "erase")).out) as Told[];
    expect(erasures.every(({ state }) => state === "done")).toBe(true);
    await erase(BOB, "--yes");
    // Asking for them after they were erased has left a prediction.
    expect(counted(await erase(ANN, "--yes"))).toMatchObject({
      "prediction churn": 1,
      "pushed row calls": 0,
      "snapshot part usage": 0,
    });
    const left = await erase(BOB, "--dry-run");
    expect(left.places.filter(({ rows }) => rows > 0)).toEqual([]);
    await stop();
    expect(await filesWith(MARK)).toEqual([]);
  });
});
