export { trackingErrors } from "./errors.ts";
export { type GitState, gitState } from "./git-state.ts";
export type { RunQuery } from "./list-runs.ts";
export type { LoggedMetric, MetricPoint, RunArtifact, RunLogs } from "./run-logs.ts";
export type { Experiment, Experiments, NewRun, Run, RunStatus, RunSummary, Runs } from "./runs.ts";
export type { SnapshotRecords } from "./snapshots.ts";
export { actorText, sortableId } from "./sortable-id.ts";
export { createTracking, type Tracking } from "./tracking.ts";
