import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { AggregatorRegistry } from "prom-client";
import { ERROR_KINDS, toOrreryError } from "../../core/errors.ts";
import { servingErrors } from "../../core/serving/index.ts";
import { type InferenceServerOptions, inferenceOptions } from "./options.ts";
import { runWorker } from "./worker.ts";

/** Restarts of a worker that dies young are slowed down to this. */
const RESTART_MS = 1_000;

/** Finds out before any worker starts whether the port can be had, and which one it is when any will do. */
async function claimPort({ host, port }: InferenceServerOptions): Promise<number> {
  const probe = createServer();
  try {
    probe.listen({ host, port, exclusive: true });
    await once(probe, "listening");
    const address = probe.address();
    return typeof address === "object" && address !== null ? address.port : port;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") throw servingErrors.SERVING_PORT_IN_USE(`Port ${port} on ${host} is in use`, { cause });
    throw cause;
  } finally {
    probe.close();
  }
}

/** Keeps the workers alive, replaces them one by one on SIGHUP, drains them on SIGTERM; answers nothing itself. */
async function runPrimary(options: InferenceServerOptions): Promise<void> {
  const port = await claimPort(options);
  cluster.setupPrimary({ args: [...process.argv.slice(2), "--port", String(port)] });
  const aggregator = new AggregatorRegistry();
  let stopping = false;

  const start = async (): Promise<Worker> => {
    const worker = cluster.fork();
    worker.on("message", async (message: unknown) => {
      if (typeof message === "object" && message !== null && "ask" in message)
        worker.send({ metrics: await aggregator.clusterMetrics() });
    });
    worker.once("exit", () => {
      // One that was told to leave has its replacement already.
      if (!stopping && !leaving.has(worker)) setTimeout(() => void start(), RESTART_MS);
    });
    await once(worker, "listening");
    return worker;
  };
  const leaving = new Set<Worker>();
  const drain = async (worker: Worker) => {
    leaving.add(worker);
    const gone = once(worker, "exit");
    if (worker.isConnected()) worker.send("drain");
    await gone;
    leaving.delete(worker);
  };
  const workers = () => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);

  for (let i = 0; i < options.workers; i++) await start();
  const file = join(options.paths.run, `inference-${options.endpoint}.json`);
  const listening = `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`;
  mkdirSync(options.paths.run, { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify({ listening, pid: process.pid }));
  renameSync(`${file}.new`, file);
  console.log(JSON.stringify({ listening, pid: process.pid }));

  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await Promise.all(workers().map(drain));
    rmSync(file, { force: true });
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", async () => {
    for (const worker of workers()) {
      await start();
      await drain(worker);
    }
  });
}

try {
  const options = inferenceOptions(process.argv.slice(2));
  await (cluster.isPrimary ? runPrimary(options) : runWorker(options));
} catch (error) {
  const { message, code, hint, kind } = toOrreryError(error);
  console.error(`orrery: ${message} [${code}]\n  ${hint}`);
  process.exit(ERROR_KINDS[kind].exitCode);
}
