import { z } from "zod";

/** int64 of protocol buffers: a number, or a string of one. */
const int64 = z.coerce.number().int();
/** Files and databases say null where an answer leaves a field out. */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const stage = z.enum(["None", "Staging", "Production", "Archived"]).catch("None");
const time = int64.nullish().transform((value) => value ?? null);
const pair = z.object({ key: z.string(), value: text });
const pairs = z.array(pair).default([]);
const number = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])]);
const metric = z.object({
  key: z.string().default(""),
  value: number.default(0),
  timestamp: int64.default(0),
  step: int64.default(0),
});
const modelMetric = metric.extend({ run_id: text, dataset_name: text, dataset_digest: text });

export const experimentRecord = z.object({
  experiment_id: z.string().min(1),
  name: z.string().min(1),
  lifecycle_stage: z.string().default("active"),
  creation_time: time,
  last_update_time: time,
  tags: pairs,
});

const dataset = z.object({
  name: z.string(),
  digest: z.string(),
  source_type: text,
  source: text,
  schema: z.string().nullish(),
  profile: z.string().nullish(),
});
const modelOf = z.object({ model_id: z.string(), step: int64.default(0) });

export const runRecord = z.object({
  info: z.object({
    run_id: z.string().min(1),
    run_name: text,
    status: z.string().default("RUNNING"),
    start_time: time,
    end_time: time,
    artifact_uri: text,
    lifecycle_stage: z.string().default("active"),
    user_id: text,
  }),
  data: z.object({ metrics: z.array(metric).default([]), params: pairs, tags: pairs }).prefault({}),
  inputs: z
    .object({
      dataset_inputs: z.array(z.object({ tags: pairs, dataset })).default([]),
      model_inputs: z.array(modelOf).default([]),
    })
    .prefault({}),
  outputs: z.object({ model_outputs: z.array(modelOf).default([]) }).prefault({}),
});

export const loggedModelRecord = z.object({
  info: z.object({
    model_id: z.string().min(1),
    experiment_id: z.string(),
    name: text,
    creation_timestamp_ms: time,
    last_updated_timestamp_ms: time,
    artifact_uri: text,
    /** A word, or its number. */
    status: z.union([z.string(), z.number()]).default("LOGGED_MODEL_READY"),
    model_type: text,
    source_run_id: text,
    tags: pairs,
  }),
  data: z.object({ params: pairs, metrics: z.array(modelMetric).default([]) }).prefault({}),
});

export const registeredModelRecord = z.object({
  name: z.string().min(1),
  description: text,
  creation_timestamp: time,
  last_updated_timestamp: time,
  tags: pairs,
  aliases: z.array(z.object({ alias: z.string(), version: int64 })).default([]),
});

export const versionRecord = z.object({
  name: z.string(),
  version: int64,
  source: text,
  run_id: text,
  run_link: text,
  model_id: text,
  description: text,
  creation_timestamp: time,
  last_updated_timestamp: time,
  current_stage: stage,
  tags: pairs,
});

export const metricRecord = metric;
export const fileRecord = z.object({ path: z.string(), is_dir: z.boolean().default(false), file_size: int64.default(0) });

export type SourceExperiment = z.output<typeof experimentRecord>;
export type SourceRun = z.output<typeof runRecord>;
export type SourceMetric = z.output<typeof metricRecord>;
export type SourceLoggedModel = z.output<typeof loggedModelRecord>;
export type SourceModel = z.output<typeof registeredModelRecord>;
export type SourceVersion = z.output<typeof versionRecord>;
export type SourceValue = SourceMetric["value"];

/** Says that something is not taken, and why. */
export type Report = (what: string, reason: string) => void;

/** What cannot be read as the record it should be is reported and left out; the rest goes on. */
export function readRecord<T>(schema: z.ZodType<T>, raw: unknown, what: string, report: Report): T | undefined {
  const read = schema.safeParse(raw);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  report(what, `its ${issue?.path.join(".") || "record"} cannot be read: ${issue?.message ?? ""}`);
  return undefined;
}

export interface SourceFile {
  /** Below the folder that was asked for, with "/" between. */
  readonly path: string;
  /** Sent as they come, once. */
  open(): Promise<ReadableStream<Uint8Array>>;
}

/** An MLflow that is taken over: a server, a folder of files, a database. Nothing of what it says is trusted. */
export interface MlflowSource {
  /** Its address without credentials: numbers that other MLflows use too are known by it. */
  readonly origin: string;
  experiments(): AsyncIterable<SourceExperiment>;
  runs(experimentId: string): AsyncIterable<SourceRun>;
  /** The same run with what lists of runs leave out. */
  complete(run: SourceRun): Promise<SourceRun>;
  loggedModels(experimentId: string): AsyncIterable<SourceLoggedModel>;
  registeredModels(): AsyncIterable<SourceModel>;
  /** By number; those that were deleted are not among them. */
  versions(name: string): Promise<SourceVersion[]>;
  history(run: SourceRun, key: string): AsyncIterable<SourceMetric>;
  /** Every file below an artifact's location; null where it lies at a place that this source does not serve. */
  files(uri: string): AsyncIterable<SourceFile> | null;
  close(): void;
}

export const textsOf = (given: readonly { readonly key: string; readonly value: string }[]): Record<string, string> =>
  Object.fromEntries(given.map(({ key, value }) => [key, value]));
