import cluster from "node:cluster";
import { watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import { Server } from "node:net";
import type { FastifyInstance } from "fastify";
import { openNdjsonLog } from "../../adapters/events/ndjson.ts";
import { toOrreryError } from "../../core/errors.ts";
import { createLogger, createMetrics, createTracer, metricsJson } from "../../core/observability/index.ts";
import { systemClock, VirtualClock } from "../../core/ports/index.ts";
import { createEndpointRuntime, servingErrors } from "../../core/serving/index.ts";
import { createInferenceApp, KEEP_ALIVE_MS } from "./app.ts";
import { lazyOnlineStore } from "./lazy-online-store.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";
import type { InferenceServerOptions } from "./options.ts";

const POLL_MS = 500;
/** After this, connections of clients that never close them are cut. */
const DRAIN_MS = KEEP_ALIVE_MS + 1_500;
/** When nobody comes after this server, idle connections need not be waited for. */
const HURRY_MS = 250;
/** A collector that does not answer must not hold up the end. */
const TRACER_CLOSE_MS = 2_000;
const METRICS_TIMEOUT_MS = 3_000;

const tell = (message: ToPrimary): void => void process.send?.(message);

/** One process that answers. Ends when the primary tells it to, or is gone, after what it is answering. */
export async function runWorker(options: InferenceServerOptions): Promise<void> {
  // The primary decides what signals mean: a terminal sends them to the whole group.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  try {
    await serve(options);
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const known = isTaken
      ? servingErrors.SERVING_PORT_IN_USE(`Port ${options.port} on ${options.host} is in use`)
      : toOrreryError(error);
    process.send?.({ kind: "failed", error: known.toJSON() } satisfies ToPrimary, () => process.exit(1));
  }
}

async function serve(options: InferenceServerOptions): Promise<void> {
  const { endpoint, paths, scope } = options;
  const log = createLogger({ level: "info", bindings: { process: "inference", endpoint, ...scope } });
  await mkdir(paths.deployment, { recursive: true });
  const predictionLog = openNdjsonLog(paths.predictions);
  const metrics = createMetrics();
  const tracer = await createTracer({
    directory: paths.traces,
    ratio: options.traceRatio,
    ...(options.otlpUrl === null ? {} : { otlpUrl: options.otlpUrl }),
  });
  const clock = options.clock === "virtual" ? new VirtualClock(0) : systemClock;
  const online = lazyOnlineStore(paths.online);
  const runtime = createEndpointRuntime({
    endpoint,
    directory: paths.deployment,
    online,
    scope,
    log: predictionLog,
    clock,
    onRevision(revision, problem) {
      if (problem !== null) return log.error({ revision, code: problem.code, err: problem.cause }, problem.message);
      metrics.revision.set({ endpoint }, revision);
      log.info({ revision }, "serving a new revision");
    },
  });
  await runtime.follow();
  // The watcher is quick, the timer is sure: file systems do lose events.
  const watcher = watch(paths.deployment, () => void runtime.follow());
  watcher.on("error", () => watcher.close());
  watcher.unref();
  let lostTold = 0;
  let degradedTold: string | null = null;
  setInterval(() => {
    void runtime.follow();
    const { lost, degraded } = predictionLog;
    metrics.logLost.inc({ endpoint }, lost - lostTold);
    metrics.logDegraded.set({ endpoint }, degraded === null ? 0 : 1);
    if (degraded !== degradedTold) log.warn({ lost, degraded }, degraded === null ? "prediction log is well" : "prediction log");
    lostTold = lost;
    degradedTold = degraded;
  }, POLL_MS).unref();

  const app = createInferenceApp({
    endpoint,
    runtime,
    clock,
    metrics,
    tracer,
    token: options.token,
    metricsText: metricsFromPrimary,
    logState: () => ({ lost: predictionLog.lost, degraded: predictionLog.degraded }),
    onFailure: (error) => log.error({ code: error.code, err: error.cause ?? error }, error.message),
  });

  let leaving: Promise<void> | null = null;
  app.addHook("onSend", (_request, reply, payload, done) => {
    if (leaving !== null) reply.header("connection", "close");
    done(null, payload);
  });
  const leave = async (hurry: boolean) => {
    await drain(app, hurry);
    await runtime.logged();
    await predictionLog.close();
    await Promise.race([tracer.close(), after(TRACER_CLOSE_MS)]);
    await online.close();
    if (!process.connected) process.exit(0);
    process.send?.({ kind: "drained", metrics: await metricsJson(metrics) } satisfies ToPrimary, () => process.exit(0));
  };
  process.on("message", async (message: ToWorker) => {
    if (message.kind === "drain") leaving ??= leave(message.hurry);
    if (message.kind === "collect") tell({ kind: "collected", id: message.id, metrics: await metricsJson(metrics) });
  });
  // Node would exit at once when the primary dies; what is being answered and logged comes first.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  process.on("disconnect", () => {
    leaving ??= leave(true);
  });
  await app.listen({ host: options.host, port: options.port });
}

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Answers what is under way and what still comes over open connections, and asks clients to close them. */
async function drain(app: FastifyInstance, hurry: boolean): Promise<void> {
  const closed = new Promise<void>((resolve) => app.server.once("close", () => resolve()));
  // Only stops listening: http's own close would also cut idle connections on which a request may be on its way.
  Server.prototype.close.call(app.server);
  const cutting = hurry ? setInterval(() => app.server.closeIdleConnections(), HURRY_MS) : null;
  await Promise.race([closed, after(DRAIN_MS)]);
  if (cutting !== null) clearInterval(cutting);
}

let asked = 0;

/** Metrics of all workers; of this one alone they would say little. */
function metricsFromPrimary(): Promise<string> {
  const id = asked++;
  return new Promise((resolve, reject) => {
    const stop = () => {
      process.off("message", answer);
      clearTimeout(late);
    };
    const answer = (message: ToWorker) => {
      if (message.kind !== "metrics" || message.id !== id) return;
      stop();
      resolve(message.text);
    };
    const late = setTimeout(() => {
      stop();
      reject(servingErrors.SERVING_METRICS_LATE("The workers' metrics did not arrive in time"));
    }, METRICS_TIMEOUT_MS);
    process.on("message", answer);
    tell({ kind: "want-metrics", id });
  });
}
