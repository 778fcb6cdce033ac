import { createLogger, createMetrics } from "../../core/observability/index.ts";
import { systemClock } from "../../core/ports/index.ts";
import { lazyOnlineStore } from "../inference/lazy-online-store.ts";
import { answerUntilDrained, metricsFromPrimary, runWorker } from "../inference/run-worker.ts";
import { createFeatureApp } from "./app.ts";
import { createControlPlaneClient } from "./control-plane-client.ts";
import { OnlineFeatures } from "./online-features.ts";
import type { FeatureServerOptions } from "./options.ts";

/** One process that answers with features. */
export const runFeatureWorker = (options: FeatureServerOptions): Promise<void> => runWorker(options, () => serve(options));

async function serve(options: FeatureServerOptions): Promise<void> {
  const { host, port, paths, scope, token } = options;
  const log = createLogger({ level: "info", bindings: { process: "feature server", ...scope } });
  const metrics = createMetrics();
  const online = lazyOnlineStore(paths.online);
  const app = createFeatureApp({
    features: new OnlineFeatures(online, scope),
    clock: systemClock,
    metrics,
    token,
    controlPlane: createControlPlaneClient(paths.run, scope),
    metricsText: metricsFromPrimary,
    onFailure: (error) => log.error({ code: error.code, err: error.cause ?? error }, error.message),
  });
  await answerUntilDrained({ app, host, port, metrics, close: () => online.close() });
}
