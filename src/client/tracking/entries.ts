import type { Dataset, MetricValue, RunStatus } from "../../contract/index.ts";

/** Microseconds since 1970 UTC. */
export type Micros = number;
export type EndStatus = Extract<RunStatus, "finished" | "failed" | "killed">;

/** One thing that was logged: plain JSON, so that it can wait on disk. */
export type LogEntry =
  | {
      readonly kind: "metric";
      readonly key: string;
      readonly value: MetricValue;
      readonly step: number;
      readonly at: Micros;
      readonly low?: number;
      readonly high?: number;
    }
  | { readonly kind: "param" | "tag"; readonly key: string; readonly value: string }
  | { readonly kind: "dataset"; readonly dataset: Dataset; readonly tags: Readonly<Record<string, string>> }
  | { readonly kind: "end"; readonly status: EndStatus; readonly at: Micros };

export interface RunOptions {
  /** Name of the experiment, made when it is not there; "Default" unless the run is nested: then its parent's. */
  readonly experiment?: string;
  /** A generated one when absent. */
  readonly name?: string;
  readonly params?: Params;
  readonly tags?: Readonly<Record<string, string>>;
}

export type Params = Readonly<Record<string, string | number | boolean | null>>;

export interface RefusedEntry {
  readonly run: string;
  readonly kind: LogEntry["kind"] | "artifact" | "run";
  /** Key of a metric, param or tag, name of a data set, path of a file. */
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** JSON has no word for what is not finite. */
export const wireValue = (value: number): MetricValue =>
  Number.isFinite(value) ? value : Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

let last = 0;
/** Now, and later than every time before: two equal values that are logged at once stay two. */
export function nextMicros(): Micros {
  last = Math.max(last + 1, Math.round((performance.timeOrigin + performance.now()) * 1_000));
  return last;
}
