import { createLogger, createMetrics } from "../../core/observability/index.ts";
import { createModelApp } from "./model-app.ts";
import type { ModelServerOptions } from "./model-options.ts";
import { answerUntilDrained, drainable, metricsFromPrimary, runWorker } from "./run-worker.ts";
import { keepLooking, serveModel } from "./served-model.ts";

/** One process that answers for a model. */
export const runModelWorker = (options: ModelServerOptions): Promise<void> => runWorker(options, () => serve(options));

async function serve(options: ModelServerOptions): Promise<void> {
  const { address, paths } = options;
  const log = createLogger({ level: "info", bindings: { process: "inference", model: address } });
  const metrics = createMetrics();
  const served = serveModel(paths.cache, (ready, problem) => {
    if (problem !== null) return log.error({ code: problem.code, err: problem.cause }, problem.message);
    if (ready === null) return;
    metrics.revision.set({ endpoint: address }, ready.pointer.revision);
    log.info({ version: ready.pointer.version, revision: ready.pointer.revision }, "serving another model");
  });
  await served.look();
  keepLooking(paths.cache, served);
  const app = createModelApp({
    ...options,
    served,
    metrics,
    metricsText: metricsFromPrimary,
    onFailure: (error) => log.error({ code: error.code, err: error.cause ?? error }, error.message),
  });
  await answerUntilDrained({ ...options, app: drainable(app), metrics, close: async () => undefined });
}
