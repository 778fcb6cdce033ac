/** Logging to an Orrery server from Node: see docs/guides/tracking.md. Browsers use orrery/client. */
export type { ActiveRun } from "./active-run.ts";
export { currentRun, withRun } from "./current-run.ts";
export type { EndStatus, LogEntry, Params, RefusedEntry, RunOptions } from "./entries.ts";
export { trackerErrors } from "./errors.ts";
export {
  logArtifact,
  logDataset,
  logFolder,
  logJson,
  logMetric,
  logMetrics,
  logParam,
  logParams,
  logText,
  setTag,
  setTags,
} from "./log.ts";
export type { TrackerWarning } from "./run-delivery.ts";
export {
  type ArtifactContent,
  type EndableRun,
  type LoggedDataset,
  type MetricInterval,
  type MetricOptions,
  RunLog,
} from "./run-log.ts";
export { leftAddresses, spoolFolder } from "./spool.ts";
export { startRun } from "./start-run.ts";
export { createTracker, type StartOptions, type Tracker, type TrackerOptions } from "./tracker.ts";
export type { ArtifactSource } from "./tracking-server.ts";
