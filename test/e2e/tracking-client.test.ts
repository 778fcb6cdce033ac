import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { createTracker, startRun, type TrackerWarning } from "../../src/client/tracking/index.ts";
import { orrery, type Up, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");
const PROGRAM = join(import.meta.dirname, "programs/logs.ts");
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Programs that log to a server which dies, comes back, or is not there when they end. */
describe("a program that logs", { timeout: 120_000 }, () => {
  let root: string;
  let project: string;
  let spool: string;
  let server: Up;
  let port: string;
  const warnings: TrackerWarning[] = [];
  const client = () => createClient({ baseUrl: server.url, workspace: "default", project: "churn" });
  const tracker = () =>
    createTracker({ url: server.url, spool, patienceMs: 60_000, onWarning: (warning) => warnings.push(warning) });
  const restart = async () => {
    server = await up(project, ["--no-serve", "--port", port]);
  };
  const stepsOf = async (id: string, key = "m") => {
    const steps: number[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await client().runs.metricHistory({ id, key, ...(cursor !== undefined && { cursor }) });
      for (const { step, value } of page.items) {
        expect(value).toBe(step);
        steps.push(step);
      }
      if (page.nextCursor === null) return steps;
      cursor = page.nextCursor;
    }
  };
  const upTo = (count: number) => Array.from({ length: count }, (_, step) => step);
  const program = async (ending: string, count = 100) => {
    const child = spawn(process.execPath, [PROGRAM, ending, String(count)], {
      env: { ...process.env, ORRERY_URL: server.url, ORRERY_SPOOL: spool },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let err = "";
    child.stderr.on("data", (chunk: Buffer) => (err += chunk));
    const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    const said = await Promise.race([
      once(child.stdout, "data"),
      ended.then(([code]) => Promise.reject(new Error(`ended with ${code}: ${err}`))),
    ]);
    return { id: String(said[0]).trim(), child, ended, err: () => err };
  };

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-tracking-"));
    project = join(root, "churn");
    spool = join(root, "spool");
    expect((await orrery(["init", project])).code).toBe(0);
    server = await up(project, ["--no-serve"]);
    port = new URL(server.url).port;
  });
  afterEach(() => warnings.splice(0));
  afterAll(async () => {
    await server?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it("loses nothing and stores nothing twice while its server is killed and started again, twice", async () => {
    const id = await tracker().startRun({ experiment: "restarts" }, async (run) => {
      for (let step = 0; step < 10_000; step++) {
        run.logMetric("m", step, { step });
        if (step % 20 === 0) await sleep(1);
        if (step === 2_000 || step === 7_000) {
          await server.stop("SIGKILL");
          setTimeout(() => void restart(), 200);
        }
        if (step === 4_000) while (server.child.signalCode !== null || (await run.flush().then(() => false))) await sleep(20);
      }
      return run.id;
    });
    expect(await stepsOf(id)).toEqual(upTo(10_000));
    expect(await client().runs.get({ id })).toMatchObject({ status: "finished", metrics: { m: { value: 9_999 } } });
    expect(warnings.map(({ code }) => code)).toContain("TRACKER_UNREACHABLE");
    expect(existsSync(spool) ? readdirSync(spool) : []).toEqual([]);
  });

  it("may just end: what it logged is sent, and its run has finished", async () => {
    const { id, ended, err } = await program("runs to its end", 5_000);
    expect(await ended).toEqual([0, null]);
    expect(err()).toBe("");
    expect(await stepsOf(id)).toEqual(upTo(5_000));
    const run = await client().runs.get({ id });
    expect(run).toMatchObject({ status: "finished", artifacts: [{ path: "words.txt", bytes: 10 }] });
    expect(run.endedAt).not.toBeNull();
  });

  it("may exit at once: what it logged is kept on disk and sent by `orrery runs sync`", async () => {
    const { id, ended } = await program("exits at once", 3_000);
    expect((await ended)[0]).toBe(3);
    expect(readdirSync(spool)).toEqual([`${id}.left`]);
    const sent = await orrery(["-p", project, "--json", "runs", "sync"], { ORRERY_SPOOL: spool });
    expect(JSON.parse(sent.out)).toEqual({ sent: [id], waiting: [] });
    expect(readdirSync(spool)).toEqual([]);
    expect(await stepsOf(id)).toEqual(upTo(3_000));
    expect(await client().runs.get({ id })).toMatchObject({ status: "failed", artifacts: [{ path: "words.txt" }] });
  });

  it("that dies of an error nobody caught leaves a failed run, which the next start sends", async () => {
    const { id, ended } = await program("throws", 500);
    expect((await ended)[0]).not.toBe(0);
    await tracker().startRun({}, () => undefined);
    for (let tries = 0; tries < 100 && readdirSync(spool).length > 0; tries++) await sleep(50);
    expect(await stepsOf(id)).toEqual(upTo(500));
    expect(await client().runs.get({ id })).toMatchObject({ status: "failed" });
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "that is stopped by %s sends what it logged and leaves a killed run",
    async (signal) => {
      const { id, child, ended } = await program("is told to stop", 2_000);
      child.kill(signal);
      expect(await ended).toEqual([null, signal]);
      expect(await stepsOf(id)).toEqual(upTo(2_000));
      expect(await client().runs.get({ id })).toMatchObject({ status: "killed" });
    },
  );

  it("that ends while its server is away waits a bounded time, and keeps what it logged", async () => {
    const { id, child, ended } = await program("is told to stop", 50);
    await sleep(400);
    await server.stop("SIGKILL");
    const began = performance.now();
    child.kill("SIGTERM");
    await ended;
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(readdirSync(spool)).toEqual([`${id}.left`]);
    const waits = await orrery(["-p", project, "--json", "runs", "sync"], { ORRERY_SPOOL: spool });
    expect(waits.code).toBe(75);
    expect(JSON.parse(waits.out)).toMatchObject({ sent: [], waiting: [{ url: server.url }] });
    await restart();
    expect((await orrery(["-p", project, "runs", "sync"], { ORRERY_SPOOL: spool })).out).toContain("1 runs");
    expect(await stepsOf(id)).toEqual(upTo(50));
    expect(await client().runs.get({ id })).toMatchObject({ status: "killed" });
  });

  it("has its concurrent runs' parents, params and metrics apart", async () => {
    const own = tracker();
    const pairs = await Promise.all(
      upTo(8).map((n) =>
        own.startRun({ experiment: "nested", name: `outer ${n}` }, async (outer) => {
          await sleep(10 * Math.random());
          return startRun({ name: `inner ${n}`, params: { n } }, async (inner) => {
            await sleep(10 * Math.random());
            inner.logMetric("n", n, { step: n });
            return { n, outer: outer.id, inner: inner.id ?? "" };
          });
        }),
      ),
    );
    for (const { n, outer, inner } of pairs) {
      expect(await client().runs.get({ id: inner })).toMatchObject({
        parentRunId: outer,
        experiment: "nested",
        params: { n: String(n) },
        metrics: { n: { value: n } },
      });
    }
  });

  it("hears of a param that it changed, and everything else is logged", async () => {
    const run = await tracker().startRun({ experiment: "refused", params: { depth: 1 } });
    await run.flush();
    run.logParam("depth", 2);
    for (const step of upTo(500)) run.logMetric("m", step, { step });
    await expect(run.end()).rejects.toMatchObject({
      code: "TRACKER_ENTRIES_REFUSED",
      details: { refused: [{ kind: "param", name: "depth", code: "TRACKING_PARAM_CHANGED" }] },
    });
    expect(await stepsOf(run.id)).toEqual(upTo(500));
    expect(await client().runs.get({ id: run.id })).toMatchObject({ status: "finished", params: { depth: "1" } });
  });
});
