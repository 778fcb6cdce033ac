/** The two servers as processes of their own, each as its users start it: started, asked for their memory, stopped. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { pythonEnvironment } from "../../scripts/python-environment.ts";

const ROOT = join(import.meta.dirname, "../..");

export interface RunningServer {
  readonly port: number;
  /** From the start of the process to the first 200 of /health. */
  readonly startMs: number;
  /** Bytes that all its processes hold together, pages they share counted once. */
  memory(): number;
  stop(): Promise<void>;
}

/** How to start one of the two on a folder of its own. */
export interface Contestant {
  readonly name: string;
  start(folder: string, database: string | null): Promise<RunningServer>;
}

export const orrery: Contestant = {
  name: "orrery server",
  start: (folder, database) =>
    start(folder, (port) => ({
      command: process.execPath,
      args: [
        join(ROOT, "src/cli/main.ts"),
        ...["server", "--state", join(folder, "state"), "--port", String(port)],
        ...(database === null ? [] : ["--database", database]),
      ],
    })),
};

export const mlflow: Contestant = {
  name: "mlflow server 3.17.2",
  start: (folder, database) =>
    start(folder, (port) => ({
      command: join(dirname(pythonEnvironment("mlflow")), "mlflow"),
      args: ["server", "--port", String(port), ...(database === null ? [] : ["--backend-store-uri", database])],
    })),
};

async function start(
  folder: string,
  commandOn: (port: number) => { readonly command: string; readonly args: readonly string[] },
): Promise<RunningServer> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const { command, args } = commandOn(port);
  const log = openSync(join(folder, "server.log"), "a");
  const began = performance.now();
  // A group of its own, so that what it starts is stopped with it.
  const child = spawn(command, args, { cwd: folder, stdio: ["ignore", log, log], detached: true });
  while (!(await isHealthy(port))) {
    if (child.exitCode !== null)
      throw new Error(`${command} ended: ${readFileSync(join(folder, "server.log"), "utf8").slice(-500)}`);
    if (performance.now() - began > 120_000) throw new Error(`${command} does not answer`);
    await sleep(10);
  }
  return { port, startMs: performance.now() - began, memory: () => memoryBelow(child.pid ?? 0), stop: () => stop(child) };
}

const isHealthy = (port: number) =>
  fetch(`http://127.0.0.1:${port}/health`).then(
    ({ ok }) => ok,
    () => false,
  );

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  signal(child, "SIGTERM");
  await Promise.race([ended, sleep(10_000)]);
  signal(child, "SIGKILL");
  await sleep(300);
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-(child.pid ?? 0), name);
  } catch {
    // The group has gone already.
  }
}

function memoryBelow(root: number): number {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const ppid = /^PPid:\s+(\d+)/m.exec(textOf(`/proc/${entry}/status`))?.[1];
    if (ppid !== undefined) parents.set(Number(entry), Number(ppid));
  }
  const isBelow = (pid: number): boolean => pid === root || (parents.has(pid) && isBelow(parents.get(pid) ?? 0));
  const kilobytes = [...parents.keys()]
    .filter(isBelow)
    .map((pid) => Number(/^Pss:\s+(\d+)/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0));
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1024;
}

/** A process may end between being listed and being read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
