import type { ArtifactStore, Clock, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { artifactFiles } from "./artifact-files.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { experiments } from "./experiments.ts";
import type { ArtifactFiles, CollectedGarbage, Experiments, GarbageOptions, LoggedModels, RunLogs, Runs } from "./interfaces.ts";
import { loggedModels } from "./logged-models.ts";
import { runLogs } from "./run-logs.ts";
import { runWrites } from "./run-writes.ts";
import { runs } from "./runs.ts";
import { type SnapshotRecords, snapshotRecords } from "./snapshots.ts";

/** What was tried, on which data and code, and what came out: of one project. */
export interface Tracking extends RunLogs, SnapshotRecords {
  readonly experiments: Experiments;
  readonly runs: Runs;
  readonly loggedModels: LoggedModels;
  readonly files: ArtifactFiles;
  /**
   * Removes for good the experiments, runs and logged models deleted before a time, but those that registered versions came from, with
   * everything of theirs; then bytes that nothing in any project names. The registry's own garbage is not its business.
   */
  collectGarbage(deletedBefore: Micros, options: GarbageOptions): Promise<CollectedGarbage>;
}

export interface TrackingOptions {
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly scope: Scope;
}

export function createTracking(options: TrackingOptions): Tracking {
  const { store, artifacts, clock, scope } = options;
  const write = runWrites(store, clock, scope);
  const logs = runLogs(store, clock, scope, write);
  return {
    ...logs,
    ...snapshotRecords(store, scope),
    experiments: experiments(store, clock, scope),
    runs: runs({ ...options, write, logs }),
    loggedModels: loggedModels(store, clock, scope),
    files: artifactFiles(store, artifacts, clock, scope),
    collectGarbage: (deletedBefore, garbage) => collectGarbage(options, deletedBefore, garbage),
  };
}
