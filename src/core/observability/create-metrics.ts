import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, type MetricObject, Registry } from "prom-client";
import { registerEventLoopMetrics, registerMachineMetrics } from "./machine-metrics.ts";
import { watchSystem } from "./system-snapshot.ts";

/** From 0.1 ms, because most predictions answer below a millisecond, to 10 s. */
const LATENCY_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 10];

export interface Metrics {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<"endpoint" | "status">;
  readonly stageSeconds: Histogram<"endpoint" | "version" | "stage">;
  readonly failures: Counter<"endpoint" | "code">;
  readonly featureRequestSeconds: Histogram<"route" | "status">;
  readonly featureViewAge: Gauge<"view">;
  readonly featureViewObjective: Gauge<"view">;
  readonly predictions: Counter<"endpoint" | "version" | "alias">;
  readonly unknownEntities: Counter<"endpoint" | "view">;
  readonly logLost: Counter<"endpoint">;
  readonly logDegraded: Gauge<"endpoint">;
  readonly revision: Gauge<"endpoint">;
  readonly pipelineRuns: Counter<"pipeline" | "status">;
  readonly alertsOpen: Gauge<"endpoint">;
  close(): void;
}

/**
 * Every metric Orrery exposes; docs/reference/metrics.md is the table of them. The machine as a whole is watched where a state
 * folder is given: by one process of several, not by those that answer predictions.
 */
export function createMetrics(options: { stateDirectory?: string } = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  registerEventLoopMetrics(registry);
  const stop = options.stateDirectory === undefined ? () => undefined : watchSystem(options.stateDirectory);
  if (options.stateDirectory !== undefined) registerMachineMetrics(registry);
  return {
    registry,
    requestSeconds: new Histogram({
      name: "orrery_inference_request_duration_seconds",
      help: "Time from a prediction request's arrival to the end of its answer, by HTTP status",
      labelNames: ["endpoint", "status"],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    stageSeconds: new Histogram({
      name: "orrery_inference_stage_duration_seconds",
      help: "Time of one stage (validate, read, predict, respond) of a prediction request",
      labelNames: ["endpoint", "version", "stage"],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    failures: new Counter({
      name: "orrery_inference_failures_total",
      help: "Refused or failed requests by error code",
      labelNames: ["endpoint", "code"],
      registers,
    }),
    featureRequestSeconds: new Histogram({
      name: "orrery_feature_request_duration_seconds",
      help: "Time from a feature request's arrival to its answer, by route and HTTP status",
      labelNames: ["route", "status"],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    featureViewAge: new Gauge({
      name: "orrery_feature_view_age_seconds",
      help: "Age of the newest event among a view's online values; of their materialization where rows have no time",
      labelNames: ["view"],
      registers,
    }),
    featureViewObjective: new Gauge({
      name: "orrery_feature_view_fresh_within_seconds",
      help: "How old a view's online values may be, where it says so",
      labelNames: ["view"],
      registers,
    }),
    predictions: new Counter({
      name: "orrery_predictions_total",
      help: "Predictions by model version",
      labelNames: ["endpoint", "version", "alias"],
      registers,
    }),
    unknownEntities: new Counter({
      name: "orrery_predictions_unknown_entity_total",
      help: "Predictions for an entity that a feature view does not know",
      labelNames: ["endpoint", "view"],
      registers,
    }),
    logLost: new Counter({
      name: "orrery_prediction_log_lost_total",
      help: "Records that could not be written to the prediction log",
      labelNames: ["endpoint"],
      registers,
    }),
    logDegraded: new Gauge({
      name: "orrery_prediction_log_degraded",
      help: "1 while the prediction log cannot be written",
      labelNames: ["endpoint"],
      aggregator: "max",
      registers,
    }),
    revision: new Gauge({
      name: "orrery_deployment_revision",
      help: "Deployment revision that is being served; the oldest one of several processes",
      labelNames: ["endpoint"],
      aggregator: "min",
      registers,
    }),
    pipelineRuns: new Counter({
      name: "orrery_pipeline_runs_total",
      help: "Finished pipeline runs",
      labelNames: ["pipeline", "status"],
      registers,
    }),
    alertsOpen: new Gauge({
      name: "orrery_alerts_open",
      help: "Alerts that are not resolved",
      labelNames: ["endpoint"],
      registers,
    }),
    close: stop,
  };
}

/** A registry's state, as it travels between processes. */
export type MetricsJson = MetricObject[];

export const metricsJson = (metrics: Metrics): Promise<MetricsJson> => metrics.registry.getMetricsAsJSON();

/** Prometheus text of several processes together: counters and histograms are summed, gauges by their own rule. */
export const aggregateMetrics = (parts: MetricsJson[]): Promise<string> => AggregatorRegistry.aggregate(parts).metrics();

/** What must not get lost when a process ends: its counters and histograms, in one state with those of others before it. */
export async function foldCounters(parts: MetricsJson[]): Promise<MetricsJson> {
  const counting = parts.map((metrics) => metrics.filter(({ type }) => ["counter", "histogram"].includes(String(type))));
  return AggregatorRegistry.aggregate(counting).getMetricsAsJSON();
}
