import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pythonEnvironment } from "../../scripts/python-environment.ts";
import type { BenchCase } from "../run.ts";
import type { PushOptions } from "./push-ours.ts";

const run = promisify(execFile);
const PEER = "Feast 0.67 (sqlite)";

interface Result {
  readonly rowsPerSecond: number;
  readonly onlineRowsPerSecond?: number;
  /** p50 and p99. */
  readonly acknowledgedMs?: readonly [number, number];
  readonly onlineMs: readonly [number, number];
}

/**
 * Rows of 20 features pushed in one process: ours to a log that is on disk and to the online store, with windows beside the latest values;
 * Feast's to its online store alone. Ours has several that push at once, since it commits them together; Feast's lock lets one in.
 */
export default async function push(): Promise<BenchCase[]> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-push-"));
  const given = { folder, seconds: 8, entities: 100_000, features: 20 };
  try {
    return [
      ...(await against("1 row a call", { ...given, rowsAtOnce: 1, pushers: 64 })),
      ...(await against("100 rows a call", { ...given, rowsAtOnce: 100, pushers: 16 })),
      ...(await against("1000 rows a call", { ...given, rowsAtOnce: 1_000, pushers: 4 })),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function against(what: string, options: PushOptions): Promise<BenchCase[]> {
  const own = await result(process.execPath, "push-ours.ts", options);
  // As long as Feast's waits: one call after the other.
  const alone = await result(process.execPath, "push-ours.ts", { ...options, pushers: 1 });
  const peer = await result(pythonEnvironment("feast"), "push-feast.py", options);
  const [ours, theirs] = [own.onlineRowsPerSecond ?? own.rowsPerSecond, peer.rowsPerSecond];
  const waits = (name: string, place: 0 | 1): BenchCase => ({
    case: `push ${what}: one at a time until online, ${name}`,
    ours: alone.onlineMs[place],
    peer: peer.onlineMs[place],
    peerName: PEER,
    unit: "ms",
    ratio: peer.onlineMs[place] / alone.onlineMs[place],
  });
  return [
    { case: `push ${what}: on disk and online`, ours, peer: theirs, peerName: PEER, unit: "rows/s", ratio: ours / theirs },
    { case: `push ${what}: acknowledged under that load, p50`, ours: own.acknowledgedMs?.[0] ?? Number.NaN, unit: "ms" },
    { case: `push ${what}: online under that load, p50`, ours: own.onlineMs[0], unit: "ms" },
    waits("p50", 0),
    waits("p99", 1),
  ];
}

async function result(program: string, script: string, options: PushOptions): Promise<Result> {
  const { stdout } = await run(program, [join(import.meta.dirname, script), JSON.stringify(options)]);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result;
}
