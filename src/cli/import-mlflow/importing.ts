import type { ImportTarget } from "./import-target.ts";
import type { MlflowSource, Report, SourceRun } from "./source-records.ts";

/** Tags by which a later import knows what is there already. */
export const ORIGIN_TAG = "orrery.import.origin";
/** What the source said when it was taken whole: absent from what was cut off. */
export const STATE_TAG = "orrery.import.state";

export interface Counts {
  /** At the source. */
  found: number;
  /** Made or brought up to date now. */
  taken: number;
  /** There already, and not changed since. */
  unchanged: number;
}

export interface ImportSummary {
  readonly experiments: Counts;
  readonly runs: Counts;
  readonly loggedModels: Counts;
  readonly models: Counts;
  readonly versions: Counts;
  metrics: number;
  files: number;
  bytes: number;
  readonly problems: { readonly what: string; readonly reason: string }[];
}

const none = (): Counts => ({ found: 0, taken: 0, unchanged: 0 });

export const emptySummary = (): ImportSummary => ({
  experiments: none(),
  runs: none(),
  loggedModels: none(),
  models: none(),
  versions: none(),
  metrics: 0,
  files: 0,
  bytes: 0,
  problems: [],
});

/** What one import knows while it goes on. */
export interface Importing {
  readonly source: MlflowSource;
  readonly target: ImportTarget;
  readonly summary: ImportSummary;
  readonly report: Report;
  /** Id here by id there; of runs those that have another one here. */
  readonly experiments: Map<string, string>;
  readonly runs: Map<string, string>;
  readonly loggedModels: Map<string, string>;
  /** Runs that name logged models, which may come later. */
  readonly linked: { readonly id: string; readonly run: SourceRun }[];
  /** Deletes what was deleted at the source; at the end, since deleted things take no changes. */
  readonly deletions: (() => Promise<unknown>)[];
  onProgress(line: string): void;
}
