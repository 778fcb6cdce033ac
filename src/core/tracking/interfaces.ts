import type { Readable } from "node:stream";
import type { ArtifactRef, ByteRange, RunTable } from "../ports/index.ts";
import type { Actor } from "../scope.ts";
import type { Micros } from "../time.ts";
import type { GitState } from "./git-state.ts";

export type Lifecycle = "active" | "deleted";
/** Which of the deletable are meant. */
export type View = Lifecycle | "all";
export type RunStatus = RunTable["status"];

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Opaque; null on the last page. It belongs to the filter and order it came with. */
  readonly nextCursor: string | null;
}

/** A search in the filter language (docs/reference/search.md). */
export interface Search {
  /** All when absent or empty. */
  readonly filter?: string | undefined;
  /** "metrics.auc DESC", "attributes.start_time", …; each room says what it orders by without. */
  readonly orderBy?: readonly string[] | undefined;
  readonly view?: View | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface Experiment {
  readonly id: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly lifecycle: Lifecycle;
  readonly createdAt: Micros;
  readonly updatedAt: Micros;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Experiments {
  /** Makes the experiment "Default" with id "0" where it is not there: what a client without an experiment logs to. Cheap when repeated. */
  ensureDefault(): Promise<void>;
  /** The active experiment of this name, made when there is none. */
  getOrCreate(name: string): Promise<Experiment>;
  /** @throws TRACKING_EXPERIMENT_EXISTS, TRACKING_NAME_INVALID, TRACKING_LOCATION_INVALID */
  create(experiment: {
    readonly name: string;
    readonly artifactLocation?: string | undefined;
    readonly tags?: Readonly<Record<string, string>> | undefined;
    /** Of one that was made elsewhere; now unless given. */
    readonly createdAt?: Micros | undefined;
  }): Promise<Experiment>;
  /** Deleted ones too. @throws TRACKING_EXPERIMENT_UNKNOWN */
  get(id: string): Promise<Experiment>;
  /** The active one of this name, else the one deleted last. @throws TRACKING_EXPERIMENT_UNKNOWN */
  named(name: string): Promise<Experiment>;
  /** @throws TRACKING_EXPERIMENT_UNKNOWN, TRACKING_EXPERIMENT_EXISTS, TRACKING_EXPERIMENT_DELETED */
  rename(id: string, name: string): Promise<void>;
  /** With its active runs and logged models. @throws TRACKING_EXPERIMENT_UNKNOWN, TRACKING_EXPERIMENT_DELETED */
  delete(id: string): Promise<void>;
  /** With what was deleted by the same call. @throws TRACKING_EXPERIMENT_UNKNOWN, TRACKING_EXPERIMENT_EXISTS when its name is taken */
  restore(id: string): Promise<void>;
  setTag(id: string, key: string, value: string): Promise<void>;
  deleteTag(id: string, key: string): Promise<void>;
  /** Active ones, by name. */
  list(): Promise<readonly Experiment[]>;
  /** Newest first, as MLflow orders them; active ones unless the view says otherwise. @throws TRACKING_FILTER_INVALID, TRACKING_ORDER_INVALID */
  search(search: Search): Promise<Page<Experiment>>;
}

export interface LoggedMetric {
  readonly key: string;
  /** NaN and the infinities are kept as they are. */
  readonly value: number;
  readonly low?: number | null | undefined;
  readonly high?: number | null | undefined;
  /** 0 where the metric has no steps. */
  readonly step?: number;
  readonly at?: Micros;
  /** The logged model it was measured on, and the data set. */
  readonly modelId?: string | undefined;
  readonly dataset?: { readonly name: string; readonly digest: string } | undefined;
}

export interface MetricPoint {
  readonly value: number;
  /** Bounds of the interval, null where the metric has none. */
  readonly low: number | null;
  readonly high: number | null;
  readonly step: number;
  readonly at: Micros;
}

export interface Dataset {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
}

export interface RunDataset {
  readonly dataset: Dataset;
  readonly tags: Readonly<Record<string, string>>;
}

export interface RunModel {
  readonly modelId: string;
  readonly step: number;
}

export interface RunArtifact extends ArtifactRef {
  readonly path: string;
}

export interface RunSummary {
  readonly id: string;
  readonly name: string;
  /** The experiment's name. */
  readonly experiment: string;
  readonly experimentId: string;
  readonly status: RunStatus;
  readonly lifecycle: Lifecycle;
  readonly parentRunId: string | null;
  readonly startedAt: Micros;
  readonly endedAt: Micros | null;
  /** Who the client said it works for; "" when it did not. */
  readonly userName: string;
  readonly actor: string;
  readonly artifactUri: string;
  readonly traceId: string | null;
  /** Ids of the data snapshots it read. */
  readonly snapshots: readonly string[];
  readonly gitCommit: string | null;
  /** sha256 of the artifact with the dirty tree's diff. */
  readonly gitDiff: string | null;
  /** The last value of each metric: greatest step, then time, then value. */
  readonly metrics: Readonly<Record<string, MetricPoint>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** A run with everything but its files. */
export interface RunRecord extends RunSummary {
  readonly params: Readonly<Record<string, string>>;
  readonly datasets: readonly RunDataset[];
  readonly modelInputs: readonly RunModel[];
  readonly modelOutputs: readonly RunModel[];
}

export interface Run extends RunRecord {
  readonly artifacts: readonly RunArtifact[];
}

export interface NewRun {
  /** Name of the experiment; made when it is not there. */
  readonly experiment?: string;
  /** Instead of the name: an active experiment's id. @throws TRACKING_EXPERIMENT_UNKNOWN, TRACKING_EXPERIMENT_DELETED */
  readonly experimentId?: string;
  /** A generated one ("brisk-otter-417") when empty or absent. */
  readonly name?: string;
  readonly actor: Actor;
  readonly userName?: string;
  readonly parentRunId?: string | null;
  readonly traceId?: string | null;
  readonly snapshots?: readonly string[];
  readonly git?: GitState;
  readonly tags?: Readonly<Record<string, string>>;
  /** Of a run that is recorded after it ran; now when absent. */
  readonly startedAt?: Micros;
  /** Makes creating repeatable: the run with this id is returned when it is there already. */
  readonly id?: string;
}

export interface Runs {
  create(run: NewRun): Promise<RunSummary>;
  /**
   * Any change of status, name or end, as tracking clients ask for it: also of a run that has ended.
   * @throws TRACKING_RUN_UNKNOWN, TRACKING_RUN_DELETED
   */
  update(
    id: string,
    change: {
      readonly status?: RunStatus | undefined;
      readonly endedAt?: Micros | null | undefined;
      readonly name?: string | undefined;
    },
  ): Promise<RunSummary>;
  /**
   * Ending a run again as it ended changes nothing. `endedAt` is for a run that is recorded after it ran; now when absent.
   * @throws TRACKING_RUN_UNKNOWN, TRACKING_RUN_ENDED when it ended otherwise
   */
  finish(id: string, status?: Exclude<RunStatus, "running" | "scheduled">, endedAt?: Micros): Promise<void>;
  /** Deleted ones too. @throws TRACKING_RUN_UNKNOWN */
  get(id: string): Promise<Run>;
  /** Without the list of its files, which can be long. @throws TRACKING_RUN_UNKNOWN */
  record(id: string): Promise<RunRecord>;
  delete(id: string): Promise<void>;
  restore(id: string): Promise<void>;
  /** Newest start first, then id; active ones unless the view says otherwise. @throws TRACKING_FILTER_INVALID, TRACKING_CURSOR_INVALID */
  search(search: Search & { readonly experimentIds?: readonly string[] | undefined }): Promise<Page<RunRecord>>;
}

/** What one call logs; all of it or nothing. */
export interface LogBatch {
  readonly metrics?: readonly LoggedMetric[];
  readonly params?: readonly { readonly key: string; readonly value: string }[];
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
}

export interface RunLogs {
  /**
   * All or none, on disk when it returns. Calls that come while another commits share the next commit; one that fails does not
   * disturb the others. A metric that is there already in every part is not stored twice, a param may come again with the same value.
   * @throws TRACKING_RUN_UNKNOWN, TRACKING_RUN_DELETED, TRACKING_PARAM_CHANGED, TRACKING_NAME_INVALID, TRACKING_VALUE_TOO_LONG, TRACKING_STEP_INVALID
   */
  logBatch(runId: string, batch: LogBatch): Promise<void>;
  /** Values are kept as text. @throws as logBatch */
  logParams(runId: string, params: Readonly<Record<string, string | number | boolean | null>>): Promise<void>;
  logMetrics(runId: string, metrics: readonly LoggedMetric[]): Promise<void>;
  setTags(runId: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** @throws TRACKING_TAG_UNKNOWN */
  deleteTag(runId: string, key: string): Promise<void>;
  /** By step, then time, then value; a page at a time. At most 25,000 a page (the default is that). */
  metricHistory(
    runId: string,
    key: string,
    page?: { readonly limit?: number; readonly cursor?: string | undefined },
  ): Promise<Page<MetricPoint>>;
  /** Data sets and models the run read. A data set that the run has already stays as it is, its tags too, as clients expect. */
  logInputs(
    runId: string,
    inputs: { readonly datasets?: readonly RunDataset[]; readonly models?: readonly RunModel[] },
  ): Promise<void>;
  /** Models the run made. */
  logOutputs(runId: string, models: readonly RunModel[]): Promise<void>;
  /** Data sets of the experiments' runs, each once per value of its tag `mlflow.data.context`. At most 1,000. */
  searchDatasets(
    experimentIds: readonly string[],
  ): Promise<
    readonly { readonly experimentId: string; readonly name: string; readonly digest: string; readonly context: string | null }[]
  >;
  /** Names bytes that are in the artifact store already: a file of the run that never changes. @throws TRACKING_ARTIFACT_CHANGED */
  logArtifact(runId: string, path: string, ref: ArtifactRef): Promise<void>;
  artifacts(runId: string): Promise<readonly RunArtifact[]>;
}

export interface LoggedModelMetric {
  readonly key: string;
  readonly value: number;
  readonly step: number;
  readonly at: Micros;
  readonly runId: string;
  readonly dataset: { readonly name: string; readonly digest: string } | null;
}

export interface LoggedModel {
  readonly id: string;
  readonly experimentId: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly status: "pending" | "ready" | "failed";
  readonly statusMessage: string | null;
  readonly lifecycle: Lifecycle;
  readonly modelType: string | null;
  readonly sourceRunId: string | null;
  readonly createdAt: Micros;
  readonly updatedAt: Micros;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** The last value of each key and data set. */
  readonly metrics: readonly LoggedModelMetric[];
}

export interface LoggedModels {
  /** Pending until it is finalized. @throws TRACKING_EXPERIMENT_UNKNOWN, TRACKING_NAME_INVALID */
  create(model: {
    readonly experimentId: string;
    readonly name?: string | undefined;
    readonly sourceRunId?: string | undefined;
    readonly modelType?: string | undefined;
    readonly params?: Readonly<Record<string, string>>;
    readonly tags?: Readonly<Record<string, string>>;
  }): Promise<LoggedModel>;
  /** @throws TRACKING_LOGGED_MODEL_UNKNOWN, also of a deleted one unless the view is "all" */
  get(id: string, view?: "active" | "all"): Promise<LoggedModel>;
  finalize(id: string, status: "ready" | "failed", message?: string): Promise<LoggedModel>;
  setTags(id: string, tags: Readonly<Record<string, string>>): Promise<LoggedModel>;
  /** @throws TRACKING_TAG_UNKNOWN */
  deleteTag(id: string, key: string): Promise<void>;
  logParams(id: string, params: Readonly<Record<string, string>>): Promise<void>;
  delete(id: string): Promise<void>;
  /** Nothing changes where it is active. @throws TRACKING_LOGGED_MODEL_UNKNOWN */
  restore(id: string): Promise<LoggedModel>;
  /** Newest first. `datasets` narrows which metrics filter and order look at. @throws TRACKING_FILTER_INVALID */
  search(
    search: Omit<Search, "orderBy"> & {
      readonly experimentIds: readonly string[];
      readonly datasets?: readonly { readonly name?: string | undefined; readonly digest?: string | undefined }[] | undefined;
      readonly orderBy?:
        | readonly {
            /** "metrics.auc", "creation_timestamp", … */
            readonly field: string;
            readonly ascending: boolean;
            readonly dataset?: { readonly name?: string | undefined; readonly digest?: string | undefined } | undefined;
          }[]
        | undefined;
    },
  ): Promise<Page<LoggedModel>>;
}

export interface ArtifactEntry {
  /** Relative to the folder that was listed. */
  readonly path: string;
  readonly isFolder: boolean;
  /** null of a folder. */
  readonly bytes: number | null;
}

/**
 * The tree of artifacts of a project: "<experiment>/<run>/artifacts/…", "<experiment>/models/<model>/artifacts/…". What a path is:
 * relative, no empty, "." or ".." part, no backslash, "#", or control character, also after decoding percent signs again and again.
 * @throws TRACKING_PATH_INVALID from every function
 */
export interface ArtifactFiles {
  /**
   * Stores the stream and then names it, so that a file is whole or not there; replaces what was there. The media type is that of the
   * path's extension where it is not given.
   * @throws TRACKING_PATH_TAKEN where a file would lie below another, or take a folder's place; also from place
   */
  write(path: string, source: AsyncIterable<Uint8Array>, mediaType?: string): Promise<RunArtifact>;
  /** Names bytes that are in the store already; replaces what was there. */
  place(path: string, ref: ArtifactRef): Promise<RunArtifact>;
  /** @throws TRACKING_ARTIFACT_UNKNOWN, at once */
  stat(path: string): Promise<RunArtifact>;
  /** @throws TRACKING_ARTIFACT_UNKNOWN */
  read(path: string, range?: ByteRange): Promise<{ readonly file: RunArtifact; readonly stream: Readable }>;
  /** Direct children, by name. Empty for a file or for nothing. */
  list(folder: string): Promise<readonly ArtifactEntry[]>;
  /** Every file at or below the path, by path. */
  walk(folder: string): AsyncIterable<RunArtifact>;
  /** The file, or everything below the folder. The bytes stay until garbage collection. */
  delete(path: string): Promise<void>;
  readonly uploads: ArtifactUploads;
}

/**
 * Files that come in parts, in any order and at the same time; nothing is at the path until all are there.
 * @throws TRACKING_PATH_INVALID and, but from begin, TRACKING_UPLOAD_UNKNOWN for an id that was not given out for the path
 */
export interface ArtifactUploads {
  /** An id that nobody can guess, good for this path only. An upload that rests for a day is forgotten. */
  begin(path: string): Promise<string>;
  /** Parts count from 1, at most 10,000; one that comes again takes the place of the first. */
  writePart(
    path: string,
    upload: string,
    number: number,
    source: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly sha256: string; readonly bytes: number }>;
  /** @throws TRACKING_UPLOAD_INCOMPLETE where the parts are not those that were written; TRACKING_PATH_TAKEN */
  complete(
    path: string,
    upload: string,
    parts: readonly { readonly number: number; readonly sha256: string }[],
    mediaType?: string,
  ): Promise<RunArtifact>;
  /** Without effect where it is over already. */
  abort(path: string, upload: string): Promise<void>;
}

export interface GarbageOptions {
  /** Only counts what would be removed. */
  readonly dryRun: boolean;
  /** Hashes of bytes that are needed by something outside of the database. */
  readonly inUse?: ReadonlySet<string>;
  /** Bytes younger than this stay, in milliseconds: who stored them may not have named them yet. A day when absent. */
  readonly graceMs?: number;
}

export interface CollectedGarbage {
  readonly experiments: number;
  readonly runs: number;
  readonly loggedModels: number;
  readonly registeredModels: number;
  readonly modelVersions: number;
  /** Names of files, and the bytes that no other name keeps. */
  readonly files: number;
  readonly artifacts: number;
  readonly bytes: number;
}
