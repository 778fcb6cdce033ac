import { readdirSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import type { ArtifactFile } from "../../contract/index.ts";
import { datasetDigest } from "./dataset-digest.ts";
import { type EndStatus, type LogEntry, nextMicros, type Params, type RunOptions, wireValue } from "./entries.ts";
import { trackerErrors } from "./errors.ts";
import type { ArtifactSource } from "./tracking-server.ts";

export interface MetricOptions {
  /** 0 when absent. */
  readonly step?: number;
  /** When it was measured; now when absent. */
  readonly at?: Date;
}

export interface MetricInterval {
  /** Bounds of the value's interval. */
  readonly low?: number;
  readonly high?: number;
}

export interface LoggedDataset {
  readonly name: string;
  /** Where it came from: a URL, a path, a query. */
  readonly source: string;
  /** "local", "http", "s3", …; "code" when absent. */
  readonly sourceType?: string;
  /** Tells versions apart; made of the rest when absent. */
  readonly digest?: string;
  readonly schema?: unknown;
  readonly profile?: unknown;
  /** What it was for: "training", "evaluation". */
  readonly context?: string;
}

export type ArtifactContent = string | Uint8Array | Readable;

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".csv": "text/csv",
  ".html": "text/html",
  ".json": "application/json",
  ".md": "text/markdown",
  ".parquet": "application/vnd.apache.parquet",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
};
const mediaTypeOf = (path: string) => MEDIA_TYPES[extname(path).toLowerCase()] ?? "application/octet-stream";

/** What can be logged to a run, wherever it goes. Calls return at once; only files give a promise, to be awaited or not. */
export abstract class RunLog {
  /** null in a pipeline's step: its run is recorded when the step is done. */
  abstract readonly id: string | null;
  protected abstract record(entry: LogEntry): void;
  protected abstract store(path: string, source: ArtifactSource, mediaType: string): Promise<ArtifactFile>;
  /** A run below this one; whoever starts it ends it. */
  abstract startNested(options: RunOptions): Promise<EndableRun>;

  logParam(key: string, value: Params[string]): void {
    this.record({ kind: "param", key: checkKey(key), value: String(value) });
  }

  /** Values are kept as text. A param that has another value already is refused. */
  logParams(params: Params): void {
    for (const [key, value] of Object.entries(params)) this.logParam(key, value);
  }

  /** NaN and the infinities are kept as they are. @throws TRACKER_VALUE_INVALID */
  logMetric(key: string, value: number, options: MetricOptions & MetricInterval = {}): void {
    const { step = 0, at, low, high } = options;
    // Callers without types find out here, not when the server refuses it later.
    if (typeof value !== "number") throw trackerErrors.TRACKER_VALUE_INVALID(`Metric ${key} is ${typeof value}, not a number`);
    if (!Number.isSafeInteger(step)) throw trackerErrors.TRACKER_VALUE_INVALID(`Metric ${key} has step ${step}`);
    const micros = at === undefined ? nextMicros() : at.getTime() * 1_000;
    if (!Number.isSafeInteger(micros)) throw trackerErrors.TRACKER_VALUE_INVALID(`Metric ${key} has no valid time`);
    this.record({
      kind: "metric",
      key: checkKey(key),
      value: wireValue(value),
      step,
      at: micros,
      ...(low !== undefined && Number.isFinite(low) && { low }),
      ...(high !== undefined && Number.isFinite(high) && { high }),
    });
  }

  /** `logMetrics({ loss: 0.3, auc: 0.8 }, { step: 10 })` @throws TRACKER_VALUE_INVALID */
  logMetrics(metrics: Readonly<Record<string, number>>, options: MetricOptions = {}): void {
    for (const [key, value] of Object.entries(metrics)) this.logMetric(key, value, options);
  }

  setTag(key: string, value: string): void {
    this.record({ kind: "tag", key: checkKey(key), value: String(value) });
  }

  setTags(tags: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(tags)) this.setTag(key, value);
  }

  logDataset(dataset: LoggedDataset): void {
    const { name, source, sourceType = "code", context } = dataset;
    const schema = dataset.schema === undefined ? null : JSON.stringify(dataset.schema);
    const profile = dataset.profile === undefined ? null : JSON.stringify(dataset.profile);
    const digest = dataset.digest ?? datasetDigest([name, sourceType, source, schema, profile]);
    this.record({
      kind: "dataset",
      dataset: { name: checkKey(name), digest, sourceType, source, schema, profile },
      tags: context === undefined ? {} : { "mlflow.data.context": context },
    });
  }

  /**
   * A file by its path, bytes, or a stream, under the name `as` (a file's own name when absent), streamed. Wait for the promise before
   * the file is changed; a stream must be waited for.
   * @throws TRACKER_FILE_MISSING, TRACKER_VALUE_INVALID without a name
   */
  logArtifact(content: ArtifactContent, as?: string): Promise<ArtifactFile> {
    let found: { name: string; source: ArtifactSource };
    try {
      found = artifactOf(content, as);
    } catch (error) {
      return Promise.reject(error);
    }
    const stored = this.store(found.name, found.source, mediaTypeOf(found.name));
    // Whoever does not wait for it hears of its failure by a warning and from the run's flush or end.
    stored.catch(() => undefined);
    return stored;
  }

  /** Every file of a folder and the folders in it, below `as` (the run's own root when absent). @throws TRACKER_FILE_MISSING */
  logFolder(folder: string, as = ""): Promise<readonly ArtifactFile[]> {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      return Promise.reject(trackerErrors.TRACKER_FILE_MISSING(`There is no folder ${folder}`));
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    const prefix = as === "" ? "" : `${as}/`;
    const stored = Promise.all(
      files.map((file) => this.logArtifact(file, `${prefix}${file.slice(join(folder, "/").length).split("\\").join("/")}`)),
    );
    stored.catch(() => undefined);
    return stored;
  }

  logText(text: string, as: string): Promise<ArtifactFile> {
    return this.logArtifact(Buffer.from(text), as);
  }

  logJson(value: unknown, as: string): Promise<ArtifactFile> {
    return this.logText(JSON.stringify(value, null, 2), as);
  }
}

export interface EndableRun extends RunLog {
  end(status?: EndStatus): Promise<void>;
}

/** @throws TRACKER_FILE_MISSING, TRACKER_VALUE_INVALID */
function artifactOf(content: ArtifactContent, as: string | undefined): { name: string; source: ArtifactSource } {
  if (typeof content === "string") {
    const path = resolve(content);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile())
      throw trackerErrors.TRACKER_FILE_MISSING(`There is no file ${content}`);
    return { name: as ?? basename(path), source: { from: "file", path } };
  }
  if (as === undefined) throw trackerErrors.TRACKER_VALUE_INVALID("Bytes and streams need a name: logArtifact(bytes, name)");
  return {
    name: as,
    source: content instanceof Readable ? { from: "stream", stream: content } : { from: "bytes", bytes: content },
  };
}

function checkKey(key: string): string {
  if (typeof key !== "string" || key === "") throw trackerErrors.TRACKER_VALUE_INVALID("A key must be text that is not empty");
  return key;
}
