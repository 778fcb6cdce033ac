import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { pythonEnvironment } from "../../scripts/python-environment.ts";
import { ONLINE_VARIABLE } from "../../src/adapters/online/open-online.ts";
import { featureServerArguments } from "../../src/server/feature-process.ts";
import { redisBinary, startRedis } from "../../test/fixtures/redis-server.ts";
import type { BenchCase } from "../run.ts";
import { median } from "../tracking/http-load.ts";
import { bodies, type Load, type LoadOptions } from "./online-load.ts";
import { BENCH_SCOPE, type OnlineOptions } from "./online-ours.ts";
import { makeWideData } from "./wide-data.ts";

const KNOWN = 10_000;
const FEATURES = 50;
const CONNECTIONS = 10;
const SECONDS = 8;
const ROUNDS = 3;
const run = promisify(execFile);

interface Side {
  readonly name: string;
  readonly url: string;
  stop(): Promise<void>;
}

/** Features over HTTP, by Feast's protocol on both sides and the same requests, one process answering on each; answers are compared first. */
export default async function online(): Promise<BenchCase[]> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-online-"));
  try {
    const path = await makeWideData(folder, KNOWN, FEATURES);
    const cases = await against(folder, path, "sqlite", null);
    const { bin } = redisBinary();
    if (bin === null) return cases;
    const redis = await startRedis(bin);
    try {
      return [...cases, ...(await against(folder, path, "redis", redis.port))];
    } finally {
      await redis.remove();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function against(folder: string, path: string, store: string, redisPort: number | null): Promise<BenchCase[]> {
  const own = await startOurs(folder, path, redisPort === null ? null : `redis://127.0.0.1:${redisPort}/1`);
  const peer = await startFeast(folder, path, redisPort === null ? null : `127.0.0.1:${redisPort}`);
  try {
    const cases: BenchCase[] = [];
    for (const entities of [1, 100]) {
      await compare(own.url, peer.url, entities);
      const loads: Record<string, Load[]> = { [own.name]: [], [peer.name]: [] };
      for (let round = 0; round < ROUNDS; round++)
        for (const side of round % 2 === 0 ? [own, peer] : [peer, own]) loads[side.name].push(await load(side.url, entities));
      cases.push(...figures(`online-${entities}x${FEATURES}-${store}`, loads[own.name], loads[peer.name], peer.name));
    }
    return cases;
  } finally {
    await own.stop();
    await peer.stop();
  }
}

function figures(name: string, own: readonly Load[], peer: readonly Load[], peerName: string): BenchCase[] {
  const rate = (loads: readonly Load[]) => median(loads.map(({ requestsPerSecond }) => requestsPerSecond));
  const tail = (loads: readonly Load[]) => median(loads.map(({ p99 }) => p99));
  return [
    { case: name, ours: rate(own), peer: rate(peer), peerName, unit: "requests/s", ratio: rate(own) / rate(peer) },
    { case: `${name}: p99`, ours: tail(own), peer: tail(peer), peerName, unit: "ms", ratio: tail(peer) / tail(own) },
  ];
}

async function load(url: string, entities: number): Promise<Load> {
  const options: LoadOptions = { url, entities, known: KNOWN, features: FEATURES, connections: CONNECTIONS, seconds: SECONDS };
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, "online-load.ts"), JSON.stringify(options)]);
  const measured = JSON.parse(stdout) as Load;
  if (measured.failed > 0) throw new Error(`${measured.failed} requests of ${entities} entities to ${url} failed`);
  return measured;
}

/** Throws unless both sides give the same values, statuses and times. */
async function compare(own: string, peer: string, entities: number): Promise<void> {
  const [body] = bodies({ entities, known: KNOWN, features: FEATURES });
  const ask = async (url: string) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}/get-online-features`, { method: "POST", headers, body });
    const { metadata, results } = JSON.parse(await answer.text());
    return JSON.stringify(metadata.feature_names.map((name: string, index: number) => [name, results[index]]).sort());
  };
  const [ours, theirs] = [await ask(own), await ask(peer)];
  if (ours !== theirs) throw new Error(`The answers differ: ${ours.slice(0, 300)} and ${theirs.slice(0, 300)}`);
}

async function startOurs(folder: string, path: string, url: string | null): Promise<Side> {
  const state = join(folder, `state-${url === null ? "lmdb" : "redis"}`);
  const directory = join(state, "online", BENCH_SCOPE.workspace, BENCH_SCOPE.project);
  const options: OnlineOptions = { folder, path, features: FEATURES, directory, url };
  await run(process.execPath, [join(import.meta.dirname, "online-ours.ts"), JSON.stringify(options)]);
  const port = await freePort();
  const args = featureServerArguments({ stateDirectory: state, scope: BENCH_SCOPE, host: "127.0.0.1", port, workers: 1 });
  return serve("Orrery", process.execPath, args, port, { ...process.env, [ONLINE_VARIABLE]: url ?? "" });
}

async function startFeast(folder: string, path: string, redis: string | null): Promise<Side> {
  const store = redis === null ? "sqlite" : "redis";
  const repository = join(folder, `feast-${store}`);
  const python = pythonEnvironment("feast");
  await run(
    python,
    [join(import.meta.dirname, "online-feast.py"), JSON.stringify({ repository, path, features: FEATURES, redis })],
    {
      maxBuffer: 1 << 26,
    },
  );
  const port = await freePort();
  const args = ["-c", repository, "serve", "--host", "127.0.0.1", "--port", String(port), "--no-access-log"];
  // By default a worker ends after a thousand requests, and what it is answering with it.
  args.push("--max-requests", "0");
  return serve(`Feast 0.67 (${store})`, join(dirname(python), "feast"), args, port, process.env);
}

const STARTS_WITHIN_MS = 60_000;

async function serve(
  name: string,
  program: string,
  args: readonly string[],
  port: number,
  env: NodeJS.ProcessEnv,
): Promise<Side> {
  const child = spawn(program, args, { stdio: "ignore", env });
  const url = `http://127.0.0.1:${port}`;
  for (const deadline = Date.now() + STARTS_WITHIN_MS; ; ) {
    const answer = await fetch(`${url}/health`).catch(() => null);
    if (answer?.ok === true) break;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${name} does not start`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    name,
    url,
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
