import { watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import { openNdjsonLog } from "../../adapters/events/ndjson.ts";
import { createLogger, createMetrics, createTracer } from "../../core/observability/index.ts";
import { systemClock, VirtualClock } from "../../core/ports/index.ts";
import { createEndpointRuntime } from "../../core/serving/index.ts";
import { createInferenceApp } from "./app.ts";
import { lazyOnlineStore } from "./lazy-online-store.ts";
import type { InferenceServerOptions } from "./options.ts";
import { after, answerUntilDrained, drainable, metricsFromPrimary, runWorker } from "./run-worker.ts";

const POLL_MS = 500;
/** A collector that does not answer must not hold up the end. */
const TRACER_CLOSE_MS = 2_000;

/** One endpoint's process. */
export const runEndpointWorker = (options: InferenceServerOptions): Promise<void> => runWorker(options, () => serve(options));

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

  await answerUntilDrained({
    app: drainable(app),
    host: options.host,
    port: options.port,
    metrics,
    async close() {
      await runtime.logged();
      await predictionLog.close();
      await Promise.race([tracer.close(), after(TRACER_CLOSE_MS)]);
      await online.close();
    },
  });
}
