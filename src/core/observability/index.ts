export { createLogger, type LoggerOptions } from "./create-logger.ts";
export { createMetrics, type Metrics } from "./create-metrics.ts";
export { createTracer, findTrace, type RequestTrace, type StoredSpan, type Tracer, type TracerOptions } from "./create-tracer.ts";
export { type SystemSnapshot, systemSnapshot } from "./system-snapshot.ts";
