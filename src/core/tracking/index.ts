export { trackingErrors } from "./errors.ts";
export { type GitState, gitState } from "./git-state.ts";
export type * from "./interfaces.ts";
export { TRACKING_LIMITS } from "./limits.ts";
export type { SnapshotRecords } from "./snapshots.ts";
export { actorText, sortableId } from "./sortable-id.ts";
export { createTracking, type Tracking } from "./tracking.ts";
