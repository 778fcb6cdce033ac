import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findPostgres, type TestSchema, testSchema } from "../../../test/fixtures/postgres.ts";
import { type PostgresCluster, postgresBinaries, startCluster } from "../../../test/fixtures/postgres-cluster.ts";
import { OrreryError } from "../../core/errors.ts";
import { type MetadataStore, systemClock } from "../../core/ports/index.ts";
import { ROWS_OF_A_BATCH } from "./fixtures/write-batches.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";

const { url, reason } = await findPostgres();

interface Engine {
  readonly name: string;
  target(): string;
  open(): Promise<MetadataStore>;
}

let folder: string;
let schema: TestSchema | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-faults-"));
  schema = url === null ? null : testSchema(url);
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await schema?.drop();
});

const engines: readonly Engine[] = [
  {
    name: "SQLite",
    target: () => join(folder, "metadata.db"),
    open: () => openSqlite({ path: join(folder, "metadata.db"), clock: systemClock }),
  },
  {
    name: "PostgreSQL",
    target: () => schema?.url ?? "",
    open: () => openPostgres({ url: schema?.url ?? "", clock: systemClock }),
  },
];

/** Starts a process that writes, kills it after as many acknowledged batches, and gives back which those were. */
async function killedAfter(target: string, first: number, batches: number): Promise<readonly number[]> {
  const script = new URL("./fixtures/write-batches.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, target, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length === batches) child.kill("SIGKILL");
  }
  if (child.signalCode === null) await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
  return acknowledged;
}

describe.each(url === null ? engines.slice(0, 1) : engines)(
  `a process that is killed while it writes, on $name ${reason}`,
  (engine) => {
    test("leaves every batch it acknowledged, and none by half", { timeout: 60_000 }, async () => {
      await (await engine.open()).close();
      const acknowledged: number[] = [];
      for (const batches of [3, 11, 20])
        acknowledged.push(...(await killedAfter(engine.target(), acknowledged.length * 10, batches)));
      const store = await engine.open();
      const counts = await store.db
        .selectFrom("effects")
        .select(({ fn }) => ["at", fn.countAll<number>().as("rows")])
        .groupBy("at")
        .execute();
      expect(counts.filter(({ rows }) => rows !== ROWS_OF_A_BATCH)).toEqual([]);
      const stored = new Set(counts.map(({ at }) => at));
      expect(acknowledged.filter((batch) => !stored.has(batch))).toEqual([]);
      expect(acknowledged.length).toBeGreaterThanOrEqual(34);
      // At most the one under way when each was killed was done and not yet told.
      expect(stored.size - acknowledged.length).toBeLessThanOrEqual(3);
      await store.close();
    });
  },
);

const cluster = postgresBinaries();

describe.skipIf(cluster.bin === null)(`PostgreSQL restarted under load ${cluster.reason}`, () => {
  let server: PostgresCluster;
  beforeAll(async () => {
    server = await startCluster(cluster.bin ?? "");
  }, 60_000);
  afterAll(() => server?.remove());

  test.each(["immediate", "fast"])("by %s stop loses nothing that was acknowledged", { timeout: 120_000 }, async (mode) => {
    const own = testSchema(server.url);
    const stores = [
      await openPostgres({ url: own.url, clock: systemClock }),
      await openPostgres({ url: own.url, clock: systemClock }),
    ];
    const acknowledged: string[] = [];
    const undone: string[] = [];
    const unknown: string[] = [];
    const other: unknown[] = [];
    let reads = 0;
    let stop = false;
    const effect = (key: string, part: number) => ({
      workspace: "w",
      project: key,
      idempotency_key: `${part}`,
      result: "",
      at: 0,
    });
    const writer = async (store: MetadataStore, name: string, alone: boolean) => {
      for (let index = 0; !stop; index++) {
        const key = `${name}-${index}`;
        try {
          if (alone)
            await store.db
              .insertInto("effects")
              .values([effect(key, 1), effect(key, 2)])
              .execute();
          else
            await store.transaction(async (db) => {
              await db.insertInto("effects").values(effect(key, 1)).execute();
              await db.insertInto("effects").values(effect(key, 2)).execute();
            });
          acknowledged.push(key);
        } catch (error) {
          const code = error instanceof OrreryError ? error.code : "";
          if (code === "STATE_UNREACHABLE") undone.push(key);
          else if (code === "STATE_OUTCOME_UNKNOWN") unknown.push(key);
          else other.push(error);
        }
      }
    };
    const reader = async (store: MetadataStore) => {
      while (!stop) {
        await store.db.selectFrom("effects").select("at").limit(10).execute();
        reads++;
        await sleep(5);
      }
    };
    const load = stores.flatMap((store, at) => [
      reader(store),
      ...Array.from({ length: 8 }, (_, index) => writer(store, `${at}-${index}`, index % 2 === 1)),
    ]);
    const seen: number[] = [];
    for (let restart = 0; restart < 3; restart++) {
      await sleep(700);
      seen.push(acknowledged.length);
      await server.pgCtl("-m", mode, "restart");
    }
    await sleep(700);
    seen.push(acknowledged.length);
    stop = true;
    await Promise.all(load);

    const rows = await stores[0]?.db
      .selectFrom("effects")
      .select(({ fn }) => ["project", fn.countAll<number>().as("parts")])
      .groupBy("project")
      .execute();
    const stored = new Map(rows?.map(({ project, parts }) => [project, parts]));
    console.log(
      `${mode}: ${acknowledged.length} acknowledged, ${undone.length} failed, ${unknown.length} unknown, ${reads} reads, ${stored.size} stored`,
    );
    expect(other).toEqual([]);
    expect([...stored.values()].filter((parts) => parts !== 2)).toEqual([]);
    expect(acknowledged.filter((key) => !stored.has(key))).toEqual([]);
    expect(undone.filter((key) => stored.has(key))).toEqual([]);
    // A write alone is repeated until it is known to be done.
    expect([...undone, ...unknown].filter((key) => Number(key.split("-")[1]) % 2 === 1)).toEqual([]);
    expect(seen.every((count, index) => count > (seen[index - 1] ?? 0))).toBe(true);
    for (const store of stores) await store.close();
    await own.drop();
  });

  test("and away for good: what waits is told so when the patience ends", async () => {
    const own = testSchema(server.url);
    const store = await openPostgres({ url: own.url, clock: systemClock, patience: 1_000 });
    await server.pgCtl("-m", "fast", "stop");
    const read = store.db.selectFrom("meta").selectAll().execute();
    const write = store.transaction((db) => db.deleteFrom("effects").execute());
    await expect(read).rejects.toMatchObject({ code: "STATE_UNREACHABLE", kind: "unavailable" });
    await expect(write).rejects.toMatchObject({ code: "STATE_UNREACHABLE" });
    await server.pgCtl("start");
    expect(await store.db.selectFrom("effects").selectAll().execute()).toEqual([]);
    await store.close();
    await own.drop();
  });
});
