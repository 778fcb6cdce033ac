import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { watchSystem } from "./system-snapshot.ts";

/** From 0.1 ms, because most predictions answer below a millisecond, to 10 s. */
const LATENCY_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 10];

export interface Metrics {
  readonly registry: Registry;
  readonly stageSeconds: Histogram<"endpoint" | "version" | "stage">;
  readonly requests: Counter<"endpoint" | "status">;
  readonly failures: Counter<"endpoint" | "code">;
  readonly predictions: Counter<"endpoint" | "version" | "alias">;
  readonly logLost: Gauge<"endpoint">;
  readonly revision: Gauge<"endpoint">;
  readonly pipelineRuns: Counter<"pipeline" | "status">;
  readonly alertsOpen: Gauge<"endpoint">;
  close(): void;
}

/** Every metric Orrery exposes; docs/reference/metrics.md is the table of them. */
export function createMetrics(options: { stateDirectory: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const stop = watchSystem(registry, options.stateDirectory);
  return {
    registry,
    stageSeconds: new Histogram({
      name: "orrery_inference_stage_seconds",
      help: "Time of one stage of a prediction request",
      labelNames: ["endpoint", "version", "stage"],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    requests: new Counter({
      name: "orrery_inference_requests_total",
      help: "Prediction requests by HTTP status",
      labelNames: ["endpoint", "status"],
      registers,
    }),
    failures: new Counter({
      name: "orrery_inference_failures_total",
      help: "Refused or failed requests by error code",
      labelNames: ["endpoint", "code"],
      registers,
    }),
    predictions: new Counter({
      name: "orrery_predictions_total",
      help: "Predictions by model version",
      labelNames: ["endpoint", "version", "alias"],
      registers,
    }),
    logLost: new Gauge({
      name: "orrery_prediction_log_lost",
      help: "Records that could not be written to the prediction log",
      labelNames: ["endpoint"],
      registers,
    }),
    revision: new Gauge({
      name: "orrery_deployment_revision",
      help: "Deployment revision that is being served",
      labelNames: ["endpoint"],
      registers,
    }),
    pipelineRuns: new Counter({
      name: "orrery_pipeline_runs_total",
      help: "Finished pipeline runs",
      labelNames: ["pipeline", "status"],
      registers,
    }),
    alertsOpen: new Gauge({ name: "orrery_alerts_open", help: "Open alerts", labelNames: ["endpoint"], registers }),
    close: stop,
  };
}
