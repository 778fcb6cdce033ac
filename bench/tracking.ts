import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { readPostgresUrl } from "../src/adapters/metadata/postgres-address.ts";
import { findPostgres } from "../test/fixtures/postgres.ts";
import type { BenchCase } from "./run.ts";
import { median } from "./tracking/http-load.ts";
import { largeArtifact } from "./tracking/large-artifact.ts";
import { fillByApi, fillPostgres, fillSqlite } from "./tracking/many-runs.ts";
import { metricHistory } from "./tracking/metric-history.ts";
import { searching } from "./tracking/searching.ts";
import { type Contestant, mlflow, orrery, type RunningServer, sleep } from "./tracking/servers.ts";
import { smallWrites } from "./tracking/small-writes.ts";

const STARTS = 3;
/** `mlflow server` and `orrery server`, each as it starts by default; then both on the same PostgreSQL, where one runs. */
export default async function tracking(): Promise<BenchCase[]> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-tracking-"));
  try {
    return [...(await starting(folder)), ...(await onSqlite(folder)), ...(await onPostgres(folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function starting(folder: string): Promise<BenchCase[]> {
  const startMs = new Map<Contestant, number[]>([
    [orrery, []],
    [mlflow, []],
  ]);
  const idle = new Map<Contestant, number[]>([
    [orrery, []],
    [mlflow, []],
  ]);
  for (let round = 0; round < STARTS; round++) {
    for (const contestant of [orrery, mlflow]) {
      const server = await contestant.start(join(folder, `start-${contestant === orrery ? "ours" : "theirs"}-${round}`), null);
      startMs.get(contestant)?.push(server.startMs);
      await sleep(10_000);
      idle.get(contestant)?.push(server.memory() / 2 ** 20);
      await server.stop();
    }
  }
  const less = (name: string, unit: string, figures: Map<Contestant, number[]>): BenchCase => {
    const [ours, peer] = [median(figures.get(orrery) ?? []), median(figures.get(mlflow) ?? [])];
    return { case: name, ours, peer, peerName: mlflow.name, unit, ratio: peer / ours };
  };
  return [less("start-up", "ms", startMs), less("idle-memory", "MB", idle)];
}

/** Runs `work` with both servers up, and stops them whatever happens. */
async function withBoth<T>(
  folder: string,
  databases: { readonly ours: string | null; readonly theirs: string | null },
  work: (ours: RunningServer, theirs: RunningServer) => Promise<T>,
): Promise<T> {
  const ours = await orrery.start(join(folder, "ours"), databases.ours);
  const theirs = await mlflow.start(join(folder, "theirs"), databases.theirs);
  try {
    return await work(ours, theirs);
  } finally {
    await ours.stop();
    await theirs.stop();
  }
}

const SQLITE = { ours: null, theirs: null };

async function onSqlite(folder: string): Promise<BenchCase[]> {
  const cases = await withBoth(join(folder, "writes"), SQLITE, async (ours, theirs) => [
    ...(await smallWrites(ours, theirs, mlflow, "")),
    await metricHistory(ours, theirs, mlflow),
  ]);
  // Fresh ones, so that what they held for the writes is not counted.
  cases.push(
    ...(await withBoth(join(folder, "artifacts"), SQLITE, (ours, theirs) => largeArtifact(ours, theirs, mlflow, folder))),
  );
  for (const [name, count] of [
    ["search-10k", 10_000],
    ["search-100k", 100_000],
  ] as const) {
    const place = join(folder, name);
    await (await mlflow.start(join(place, "theirs"), null)).stop();
    fillSqlite(join(place, "theirs/mlflow.db"), count);
    const found = await withBoth(place, SQLITE, async (ours, theirs) => {
      await fillByApi(ours.port, count);
      return [
        await searching(ours, theirs, mlflow, name, 1_000),
        await searching(ours, theirs, mlflow, `${name}, page of 100`, 100),
      ];
    });
    cases.push(...found);
  }
  return cases;
}

async function onPostgres(folder: string): Promise<BenchCase[]> {
  const names = { ours: `orrery_bench_${process.pid}`, theirs: `mlflow_bench_${process.pid}` };
  const { url, reason } = await findPostgres();
  if (url === null) {
    console.error(`not measured on PostgreSQL: ${reason}`);
    return [];
  }
  const admin = new pg.Client(readPostgresUrl(url).config);
  await admin.connect();
  const user = (await admin.query<{ user: string }>("SELECT current_user AS user")).rows[0]?.user ?? "";
  // MLflow's driver reads fewer forms of addresses: by name, over TCP.
  const on = (database: string) => `postgresql://${user}@127.0.0.1:5432/${database}`;
  const databases = { ours: on(names.ours), theirs: on(names.theirs) };
  try {
    for (const name of Object.values(names)) await admin.query(`CREATE DATABASE ${name}`);
    await (await mlflow.start(join(folder, "postgres/theirs"), databases.theirs)).stop();
    await fillPostgres(databases.theirs, 10_000);
    return await withBoth(join(folder, "postgres"), databases, async (ours, theirs) => {
      await fillByApi(ours.port, 10_000);
      const found = await searching(ours, theirs, mlflow, "search-10k, PostgreSQL", 1_000);
      return [...(await smallWrites(ours, theirs, mlflow, ", PostgreSQL")), found];
    });
  } finally {
    for (const name of Object.values(names)) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.end();
  }
}
