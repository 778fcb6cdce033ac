import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pythonEnvironment } from "../../scripts/python-environment.ts";
import { redisBinary, startRedis } from "../../test/fixtures/redis-server.ts";
import type { BenchCase } from "../run.ts";
import { median } from "../tracking/http-load.ts";
import type { MaterializeOptions } from "./materialize-ours.ts";
import { makeWideData } from "./wide-data.ts";

const ENTITIES = 1_000_000;
const FEATURES = 20;
const ROUNDS = 4;
const run = promisify(execFile);

interface Result {
  readonly seconds: readonly number[];
  readonly peakMb: number;
}

/** One row of a million entities into each side's own online store, and into Redis; Feast's once, since it takes minutes. */
export default async function materialize(): Promise<BenchCase[]> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-materialize-"));
  try {
    const path = await makeWideData(folder, ENTITIES, FEATURES);
    const given = { folder, path, features: FEATURES };
    const cases = against("sqlite", await ours({ ...given, rounds: ROUNDS, url: null }), await theirs({ ...given, redis: null }));
    const { bin } = redisBinary();
    if (bin === null) return cases;
    const redis = await startRedis(bin);
    try {
      const own = await ours({ ...given, rounds: ROUNDS, url: redis.url });
      return [...cases, ...against("redis", own, await theirs({ ...given, redis: `127.0.0.1:${redis.port}` }))];
    } finally {
      await redis.remove();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function against(store: string, own: Result, peer: Result): BenchCase[] {
  const [seconds, peerSeconds] = [median(own.seconds.slice(1)), median(peer.seconds)];
  const peerName = `Feast 0.67 (${store})`;
  return [
    { case: `materialize-${store} 1M x 20`, ours: seconds, peer: peerSeconds, peerName, unit: "s", ratio: peerSeconds / seconds },
    {
      case: `materialize-${store}: memory`,
      ours: own.peakMb,
      peer: peer.peakMb,
      peerName,
      unit: "MB",
      ratio: peer.peakMb / own.peakMb,
    },
  ];
}

const ours = (options: MaterializeOptions) =>
  result(process.execPath, [join(import.meta.dirname, "materialize-ours.ts")], options);
const theirs = (options: object) =>
  result(pythonEnvironment("feast"), [join(import.meta.dirname, "materialize-feast.py")], options);

async function result(program: string, args: string[], options: object): Promise<Result> {
  const { stdout } = await run(program, [...args, JSON.stringify(options)], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result;
}
