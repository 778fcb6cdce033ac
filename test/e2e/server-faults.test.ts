import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CallFailed, mlflowCalls } from "../fixtures/mlflow-calls.ts";
import { findPostgres, testSchema } from "../fixtures/postgres.ts";
import { postgresBinaries, startCluster } from "../fixtures/postgres-cluster.ts";
import { startTrackingProcess, type TrackingProcess } from "../fixtures/tracking-process.ts";

const WRITERS = 32;
const BATCH = 10;
const { url: postgres, reason: noPostgres } = await findPostgres();
const { bin, reason: noBinaries } = postgresBinaries();
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Written {
  readonly run: string;
  /** Batches that were acknowledged; batch n has the steps n * BATCH to n * BATCH + BATCH - 1. */
  readonly acknowledged: number[];
  readonly refusals: Error[];
}

/** Each writer logs batch after batch to a run of its own until told to stop, or until the server is gone. */
async function writeUntil(urlOf: (writer: number) => string, isOver: () => boolean, goOn = false): Promise<Written[]> {
  const writer = async (_: unknown, index: number): Promise<Written> => {
    const { call, createRun } = mlflowCalls(urlOf(index));
    const written: Written = { run: await createRun(), acknowledged: [], refusals: [] };
    for (let batch = 0; !isOver(); batch++) {
      const metrics = Array.from({ length: BATCH }, (_each, i) => ({
        key: "m",
        value: i,
        timestamp: 1,
        step: batch * BATCH + i,
      }));
      try {
        await call("POST", "runs/log-batch", { run_id: written.run, metrics });
        written.acknowledged.push(batch);
      } catch (error) {
        written.refusals.push(error instanceof Error ? error : new Error(String(error)));
        if (!goOn) break;
        await sleep(50);
      }
    }
    return written;
  };
  return Promise.all(Array.from({ length: WRITERS }, writer));
}

/** Every acknowledged batch is there, and of no batch a part. */
async function checkNothingLost(url: string, written: readonly Written[]): Promise<void> {
  const { metricSteps } = mlflowCalls(url);
  for (const { run, acknowledged } of written) {
    const stepsOf = Map.groupBy(await metricSteps(run, "m"), (step) => Math.floor(step / BATCH));
    expect([run, acknowledged.filter((batch) => !stepsOf.has(batch))]).toEqual([run, []]);
    expect([run, [...stepsOf.values()].filter((steps) => steps.length !== BATCH)]).toEqual([run, []]);
  }
}

describe("the tracking server", { timeout: 120_000 }, () => {
  let folder: string;
  const servers: TrackingProcess[] = [];
  const start = async (...args: Parameters<typeof startTrackingProcess>) => {
    const server = await startTrackingProcess(...args);
    servers.push(server);
    return server;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "orrery-faults-"));
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it("killed among 32 writers, has every acknowledged batch after the restart, and none half", async () => {
    const server = await start(folder);
    let over = false;
    const writing = writeUntil(
      () => server.url,
      () => over,
    );
    await sleep(1_500);
    await server.stop("SIGKILL");
    over = true;
    const written = await writing;
    expect(written.flatMap(({ acknowledged }) => acknowledged).length).toBeGreaterThan(WRITERS * 5);
    await checkNothingLost((await start(folder)).url, written);
  });

  it("never says that something is locked to 32 writers", async () => {
    const server = await start(folder);
    const end = Date.now() + 3_000;
    const written = await writeUntil(
      () => server.url,
      () => Date.now() > end,
    );
    expect(written.flatMap(({ refusals }) => refusals)).toEqual([]);
    await checkNothingLost(server.url, written);
  });

  describe.skipIf(postgres === null)(`on PostgreSQL${postgres === null ? ` (${noPostgres})` : ""}`, () => {
    it("is one of two that share a database: 32 writers lose nothing, and version numbers are given once", async () => {
      const schema = testSchema(postgres ?? "");
      try {
        const both = [
          await start(join(folder, "a"), ["--database", schema.url, "--artifacts", join(folder, "artifacts")]),
          await start(join(folder, "b"), ["--database", schema.url, "--artifacts", join(folder, "artifacts")]),
        ];
        const urlOf = (writer: number) => both[writer % 2]?.url ?? "";
        await mlflowCalls(urlOf(0)).call("POST", "registered-models/create", { name: "churn" });
        const end = Date.now() + 3_000;
        const registering = Array.from({ length: 16 }, (_, i) =>
          mlflowCalls(urlOf(i)).call<{ model_version: { version: string } }>("POST", "model-versions/create", {
            name: "churn",
            source: "s3://bucket/model",
          }),
        );
        const written = await writeUntil(urlOf, () => Date.now() > end);
        const versions = (await Promise.all(registering)).map(({ model_version }) => Number(model_version.version));
        expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
        expect(written.flatMap(({ refusals }) => refusals)).toEqual([]);
        await checkNothingLost(urlOf(1), written);
      } finally {
        for (const server of servers.splice(0)) await server.stop("SIGKILL");
        await schema.drop();
      }
    });
  });

  describe.skipIf(bin === null)(`whose PostgreSQL is restarted${bin === null ? ` (${noBinaries})` : ""}`, () => {
    it("waits or refuses clearly, and loses nothing that it acknowledged", async () => {
      const cluster = await startCluster(bin ?? "");
      try {
        const server = await start(folder, ["--database", cluster.url]);
        let over = false;
        const writing = writeUntil(
          () => server.url,
          () => over,
          true,
        );
        await sleep(1_500);
        await cluster.pgCtl("restart", "-m", "immediate");
        await sleep(1_500);
        over = true;
        const written = await writing;
        const statuses = new Set(
          written
            .flatMap(({ refusals }) => refusals)
            .map((error) => (error instanceof CallFailed ? error.status : error.message)),
        );
        expect([...statuses].filter((status) => status !== 503)).toEqual([]);
        // Each goes on after the restart.
        await checkNothingLost(server.url, written);
        expect(server.child.exitCode).toBeNull();
        await mlflowCalls(server.url).createRun();
      } finally {
        for (const server of servers.splice(0)) await server.stop("SIGKILL");
        await cluster.remove();
      }
    });
  });
});
