export { trackingErrors } from "./errors.ts";
export { type GitState, gitState } from "./git-state.ts";
export type * from "./interfaces.ts";
export type { RunQuery } from "./list-runs.ts";
export type { SnapshotRecords } from "./snapshots.ts";
export { actorText, sortableId } from "./sortable-id.ts";
export { createTracking, type Tracking } from "./tracking.ts";
