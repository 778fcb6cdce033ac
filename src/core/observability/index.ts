export { createLogger, type LoggerOptions } from "./create-logger.ts";
export { aggregateMetrics, createMetrics, foldCounters, type Metrics, type MetricsJson, metricsJson } from "./create-metrics.ts";
export { createTracer, type RequestTrace, type SpanAttributes, type Tracer, type TracerOptions } from "./create-tracer.ts";
export { findTrace, type StoredSpan } from "./span-files.ts";
export { type SystemSnapshot, systemSnapshot } from "./system-snapshot.ts";
