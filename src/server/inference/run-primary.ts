import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { OrreryError } from "../../core/errors.ts";
import { createLogger, createMetrics } from "../../core/observability/index.ts";
import { servingErrors } from "../../core/serving/index.ts";
import type { ToPrimary } from "./messages.ts";
import type { ListenAddress } from "./run-worker.ts";
import { send, WorkerMetrics } from "./worker-metrics.ts";

/** A worker that dies is replaced at once, and ever more slowly while replacements die young. */
const FIRST_RESTART_MS = 50;
const LONGEST_RESTART_MS = 5_000;
const YOUNG_MS = 10_000;
/** Longer than a worker takes to drain. */
const STOP_MS = 9_000;

export interface PrimaryOptions extends ListenAddress {
  readonly workers: number;
  /** The file, without its ending, that it writes itself down in, in the folder of what runs. */
  readonly name: string;
  /** What its log says of it. */
  readonly bindings: Readonly<Record<string, string>>;
  readonly paths: { readonly state: string; readonly run: string };
}

/** Keeps the workers alive, replaces them one by one on SIGHUP, drains them on SIGTERM; answers nothing itself. */
export async function runPrimary(options: PrimaryOptions): Promise<void> {
  const port = await claimPort(options);
  const log = createLogger({
    level: "info",
    bindings: { process: "inference primary", ...options.bindings },
  });
  cluster.setupPrimary({ args: [...process.argv.slice(2), "--port", String(port)] });
  cluster.schedulingPolicy = cluster.SCHED_RR;

  const workers = new Set<Worker>();
  const leaving = new Set<Worker>();
  const metrics = new WorkerMetrics(createMetrics({ stateDirectory: options.paths.state }), () => [...workers]);
  let stopping = false;
  let restartMs = FIRST_RESTART_MS;

  /** Resolves when it listens, rejects with the reason when it ends before. */
  function start(): Promise<Worker> {
    const worker = cluster.fork();
    const born = performance.now();
    let failure: OrreryError | null = null;
    let listening = false;
    workers.add(worker);
    return new Promise((resolve, reject) => {
      worker.on("message", (message: ToPrimary) => {
        if (message.kind === "failed") failure = OrreryError.fromJSON(message.error);
        metrics.take(worker, message).catch((error: unknown) => log.error({ err: error }, "metrics"));
      });
      worker.on("error", () => undefined);
      worker.once("listening", () => {
        listening = true;
        resolve(worker);
      });
      worker.once("exit", (code, signal) => {
        workers.delete(worker);
        void metrics.retire(worker);
        if (!listening) return reject(failure ?? servingErrors.SERVING_WORKER_FAILED(`A worker ended with ${signal ?? code}`));
        if (stopping || leaving.delete(worker)) return;
        log.error({ worker: worker.process.pid, code, signal }, "a worker ended unexpectedly");
        restart(performance.now() - born < YOUNG_MS);
      });
    });
  }

  function restart(diedYoung: boolean): void {
    restartMs = diedYoung ? Math.min(restartMs * 2, LONGEST_RESTART_MS) : FIRST_RESTART_MS;
    setTimeout(() => {
      if (stopping) return;
      start().catch((error: unknown) => {
        log.error({ err: error }, "a worker cannot be started");
        restart(true);
      });
    }, restartMs);
  }

  async function drain(worker: Worker, hurry: boolean): Promise<void> {
    if (worker.isDead()) return;
    leaving.add(worker);
    const gone = once(worker, "exit");
    send(worker, { kind: "drain", hurry });
    const late = setTimeout(() => worker.process.kill("SIGKILL"), STOP_MS);
    await gone;
    clearTimeout(late);
  }

  /** What is still to be replaced; asking again while it goes on begins anew with the workers of then. */
  let replacing: Worker[] | null = null;
  async function replaceAll(): Promise<void> {
    const goesOn = replacing !== null;
    replacing = [...workers];
    if (goesOn) return;
    try {
      for (let worker = replacing.shift(); worker !== undefined && !stopping; worker = replacing.shift()) {
        if (!workers.has(worker) || leaving.has(worker)) continue;
        await start();
        await drain(worker, false);
      }
    } catch (error) {
      log.error({ err: error }, "a replacement cannot be started; the old workers go on");
    } finally {
      replacing = null;
    }
  }

  await Promise.all(Array.from({ length: options.workers }, start));
  const address = { listening: urlOf(options.host, port), pid: process.pid };
  const file = join(options.paths.run, `${options.name}.json`);
  mkdirSync(options.paths.run, { recursive: true });
  writeFileSync(`${file}.${process.pid}.new`, JSON.stringify(address));
  renameSync(`${file}.${process.pid}.new`, file);

  async function stop(signal: NodeJS.Signals): Promise<void> {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "stopping");
    await Promise.all([...workers].map((worker) => drain(worker, true)));
    if (isOurs(file)) rmSync(file, { force: true });
    process.exit(0);
  }
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // Also what a terminal sends when it closes; the server goes on then, with fresh workers.
  process.on("SIGHUP", replaceAll);
  // Whoever started this may have gone, and its pipe with it.
  process.stdout.on("error", () => undefined);
  console.log(JSON.stringify(address));
}

/** Finds out before any worker starts whether the port can be had, and which one it is when any will do. @throws SERVING_PORT_IN_USE */
async function claimPort({ host, port }: ListenAddress): Promise<number> {
  const probe = createServer();
  try {
    probe.listen({ host, port, exclusive: true });
    await once(probe, "listening");
    const address = probe.address();
    return typeof address === "object" && address !== null ? address.port : port;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException; // What listen emits.
    if (code === "EADDRINUSE") throw servingErrors.SERVING_PORT_IN_USE(`Port ${port} on ${host} is in use`, { cause });
    throw servingErrors.SERVING_OPTION_INVALID(`Port ${port} on ${host} cannot be listened on: ${message}`, { cause });
  } finally {
    await new Promise((resolve) => probe.close(resolve));
  }
}

const urlOf = (host: string, port: number) => `http://${host.includes(":") ? `[${host}]` : host}:${port}`;

function isOurs(file: string): boolean {
  try {
    return JSON.parse(readFileSync(file, "utf8")).pid === process.pid;
  } catch {
    return false;
  }
}
