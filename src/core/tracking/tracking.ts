import type { ArtifactStore, Clock, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { type RunLogs, runLogs } from "./run-logs.ts";
import { type Experiments, experiments, type Runs, runs } from "./runs.ts";
import { type SnapshotRecords, snapshotRecords } from "./snapshots.ts";

/** What was tried, on which data and code, and what came out: of one project. Nothing in it is overwritten or deleted. */
export interface Tracking extends RunLogs, SnapshotRecords {
  readonly experiments: Experiments;
  readonly runs: Runs;
}

export function createTracking(options: {
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly scope: Scope;
}): Tracking {
  const { store, clock, scope } = options;
  const logs = runLogs(store, clock, scope);
  return {
    ...logs,
    ...snapshotRecords(store, scope),
    experiments: experiments(store, clock, scope),
    runs: runs({ ...options, logs }),
  };
}
