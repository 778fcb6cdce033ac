import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DemoSummary } from "../examples/flights/demo/summary.ts";
import type { BenchCase } from "./run.ts";

const ROOT = join(import.meta.dirname, "..");
const CLI = join(ROOT, "src/cli/main.ts");
const REPEATS = 7;

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Milliseconds of a whole process, as a person waits for it. */
async function processTime(args: readonly string[]): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [CLI, ...args], { stdio: "ignore" });
  await once(child, "exit");
  return performance.now() - started;
}

/** From starting `orrery up` to its first answer on /healthz, on a project that is there already. */
async function startUp(project: string): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [CLI, "-p", project, "up", "--port", "0", "--no-serve"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const url = await listening(child);
  await fetch(`${url}/healthz`);
  const took = performance.now() - started;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
  return took;
}

const listening = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    let said = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk;
      const url = /up at (http\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
  });

/** Greatest resident memory of any one process below this one, in MB, looked at ten times a second (Linux). */
function watchMemory(): { stop(): number | null } {
  let peak = 0;
  const timer = setInterval(() => {
    for (const pid of descendants(process.pid)) {
      const peakKb = /VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1];
      peak = Math.max(peak, Number(peakKb ?? 0) / 1024);
    }
  }, 100);
  return {
    stop() {
      clearInterval(timer);
      return peak === 0 ? null : peak;
    },
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (Number.isNaN(pid)) continue;
    const parent = /^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
    if (parent !== undefined) parents.set(pid, Number(parent));
  }
  const isBelow = (pid: number): boolean => pid === root || (parents.has(pid) && isBelow(parents.get(pid) ?? 0));
  return [...parents.keys()].filter((pid) => pid !== root && pid > 1 && isBelow(pid));
}

export default async function loop(): Promise<BenchCase[]> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-"));
  try {
    const help: number[] = [];
    for (let i = 0; i < REPEATS; i++) help.push(await processTime(["--help"]));
    const summaryFile = join(folder, "summary.json");
    const memory = process.platform === "linux" ? watchMemory() : null;
    const demo = spawn(process.execPath, [CLI, "demo", "--no-serve", "--summary", summaryFile, "--port", "0"], {
      cwd: ROOT,
      stdio: ["ignore", 2, 2],
    });
    const [code] = await once(demo, "exit");
    if (code !== 0) throw new Error(`The demo ended with code ${code}`);
    const peak = memory?.stop() ?? null;
    const summary = JSON.parse(readFileSync(summaryFile, "utf8")) as DemoSummary;
    const starts: number[] = [];
    for (let i = 0; i < REPEATS; i++) starts.push(await startUp(join(ROOT, ".orrery/demo")));
    const { requests } = summary;
    return [
      { case: "demo, start to summary", ours: summary.seconds, unit: "s" },
      { case: "orrery --help, median", ours: median(help), unit: "ms" },
      { case: "orrery up, start to first answer, median", ours: median(starts), unit: "ms" },
      { case: "replay, failed requests", ours: requests.failed, unit: "requests" },
      { case: "replay, requests sent", ours: requests.sent, unit: "requests" },
      { case: "replay, late starts", ours: requests.lateStarts, unit: "requests" },
      { case: "replay, prediction latency p50", ours: requests.latencyMs.p50, unit: "ms" },
      { case: "replay, prediction latency p99", ours: requests.latencyMs.p99, unit: "ms" },
      ...(peak === null ? [] : [{ case: "demo, peak memory of any process", ours: peak, unit: "MB" }]),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
