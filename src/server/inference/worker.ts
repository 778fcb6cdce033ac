import cluster from "node:cluster";
import { watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import { Server } from "node:net";
import { openNdjsonLog } from "../../adapters/events/ndjson.ts";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { createLogger, createMetrics, createTracer } from "../../core/observability/index.ts";
import { systemClock, VirtualClock } from "../../core/ports/index.ts";
import { createEndpointRuntime } from "../../core/serving/index.ts";
import { createInferenceApp } from "./app.ts";
import type { InferenceServerOptions } from "./options.ts";

const POLL_MS = 250;
/** An idle keep-alive connection is closed by the client or this server within so long. */
const KEEP_ALIVE_MS = 5_000;

/** One process that answers. Ends when the primary tells it to, after what it is answering. */
export async function runWorker(options: InferenceServerOptions): Promise<void> {
  const { endpoint, paths, scope } = options;
  const log = createLogger({ level: "info", bindings: { endpoint, ...scope } });
  await mkdir(paths.deployment, { recursive: true });
  const predictionLog = openNdjsonLog(paths.predictions);
  const metrics = createMetrics({ stateDirectory: paths.state });
  const tracer = await createTracer({
    directory: paths.traces,
    ratio: options.traceRatio,
    ...(options.otlpUrl === null ? {} : { otlpUrl: options.otlpUrl }),
  });
  const clock = options.clock === "virtual" ? new VirtualClock(0) : systemClock;
  const runtime = createEndpointRuntime({
    endpoint,
    directory: paths.deployment,
    online: openLmdb(paths.online, { readOnly: true }),
    scope,
    log: predictionLog,
    clock,
    onRevision(revision, problem) {
      if (problem !== null) return log.error({ revision, code: problem.code, err: problem.cause }, problem.message);
      metrics.revision.set({ endpoint }, revision);
      log.info({ revision }, "serving a new revision");
    },
  });
  runtime.follow();
  // The watcher is quick, the timer is sure: file systems do lose events.
  watch(paths.deployment, () => runtime.follow()).unref();
  setInterval(() => {
    runtime.follow();
    metrics.logLost.set({ endpoint }, predictionLog.lost);
  }, POLL_MS).unref();

  const app = createInferenceApp({
    endpoint,
    runtime,
    clock,
    metrics,
    tracer,
    token: options.token,
    metricsText: () => (options.workers === 1 ? metrics.registry.metrics() : askPrimaryForMetrics()),
    logState: () => ({ lost: predictionLog.lost, degraded: predictionLog.degraded }),
  });
  app.server.keepAliveTimeout = KEEP_ALIVE_MS;
  let draining = false;
  app.addHook("onSend", async (_request, reply) => {
    if (draining) reply.header("connection", "close");
  });
  await app.listen({ host: options.host, port: options.port });

  process.on("message", async (message) => {
    if (message !== "drain" || draining) return;
    draining = true;
    // Only stops listening: http's own close would also cut idle connections on which a request may be on its way.
    const closed = new Promise((resolve) => app.server.once("close", resolve));
    Server.prototype.close.call(app.server);
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, KEEP_ALIVE_MS + 1_500))]);
    await predictionLog.close();
    await tracer.close();
    cluster.worker?.disconnect();
    process.exit(0);
  });
  // The primary went away without a word: nobody routes to this process any more.
  process.on("disconnect", () => process.exit(0));
}

function askPrimaryForMetrics(): Promise<string> {
  return new Promise((resolve) => {
    const answer = (message: unknown) => {
      if (typeof message !== "object" || message === null || !("metrics" in message)) return;
      process.off("message", answer);
      resolve(String(message.metrics));
    };
    process.on("message", answer);
    process.send?.({ ask: "metrics" });
  });
}
