import type { z } from "zod";
import type * as entities from "./entities.ts";

export * as entities from "./entities.ts";
export { API_PREFIX, type Route, type Routes, routes } from "./routes.ts";

export type ErrorBody = z.infer<typeof entities.errorBody>;
export type MetricEstimate = z.infer<typeof entities.metricEstimate>;
export type Loop = z.infer<typeof entities.loop>;
export type StageState = z.infer<typeof entities.stageState>;
export type GateVerdict = z.infer<typeof entities.gateVerdict>;
export type Alert = z.infer<typeof entities.alert>;
export type Snapshot = z.infer<typeof entities.snapshot>;
export type Profile = z.infer<typeof entities.profile>;
export type RunSummary = z.infer<typeof entities.runSummary>;
export type Run = z.infer<typeof entities.run>;
export type RegisteredModel = z.infer<typeof entities.registeredModel>;
export type ModelVersion = z.infer<typeof entities.modelVersion>;
export type Promotion = z.infer<typeof entities.promotion>;
export type Gate = z.infer<typeof entities.gate>;
export type ModelReport = z.infer<typeof entities.modelReport>;
export type ExplanationSummary = z.infer<typeof entities.explanationSummary>;
export type PipelineRun = z.infer<typeof entities.pipelineRun>;
export type PipelineRunSummary = z.infer<typeof entities.pipelineRunSummary>;
export type Endpoint = z.infer<typeof entities.endpoint>;
export type Prediction = z.infer<typeof entities.prediction>;
export type Explanation = z.infer<typeof entities.explanation>;
export type Monitoring = z.infer<typeof entities.monitoring>;
export type System = z.infer<typeof entities.system>;
