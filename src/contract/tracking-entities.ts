import { z } from "zod";

const timestamp = z.iso.datetime();
const texts = z.record(z.string(), z.string());

/** A metric's value: JSON has no word for what is not finite. */
export const metricValue = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])]);
/** Microseconds since 1970 UTC. */
export const micros = z.number().int();

export const lifecycle = z.enum(["active", "deleted"]);
export const runStatus = z.enum(["scheduled", "running", "finished", "failed", "killed"]);

export const experiment = z.object({
  id: z.string(),
  name: z.string(),
  artifactLocation: z.string(),
  lifecycle,
  createdAt: timestamp,
  updatedAt: timestamp,
  tags: texts,
});

export const dataset = z.object({
  name: z.string(),
  digest: z.string(),
  sourceType: z.string(),
  source: z.string(),
  schema: z.string().nullable(),
  profile: z.string().nullable(),
});

export const metricPoint = z.object({
  value: metricValue,
  low: z.number().nullable(),
  high: z.number().nullable(),
  step: z.number().int(),
  at: micros,
});

const runFacts = {
  id: z.string(),
  name: z.string(),
  experiment: z.string(),
  experimentId: z.string(),
  status: runStatus,
  lifecycle,
  parentRunId: z.string().nullable(),
  startedAt: timestamp,
  endedAt: timestamp.nullable(),
  actor: z.string(),
  /** Who the client said it works for; "" when it did not. */
  userName: z.string(),
  /** The last value of each metric that is a finite number; a metric without an interval is its own. */
  metrics: z.record(z.string(), z.object({ value: z.number(), low: z.number(), high: z.number() })),
  /** Metrics whose last value is no finite number. */
  notFinite: z.record(z.string(), z.enum(["NaN", "Infinity", "-Infinity"])),
  tags: texts,
};

export const runSummary = z.object(runFacts);
export const listedRun = z.object({ ...runFacts, params: texts });

export const run = z.object({
  ...runFacts,
  params: texts,
  datasets: z.array(z.object({ dataset, tags: texts })),
  artifactUri: z.string(),
  artifacts: z.array(z.object({ path: z.string(), sha256: z.string(), bytes: z.number().int(), mediaType: z.string() })),
  snapshots: z.array(z.string()),
  gitCommit: z.string().nullable(),
  gitDiff: z.string().nullable(),
  traceId: z.string().nullable(),
});

/** One row a name; null where a run has none. */
const compared = <T extends z.ZodType>(value: T) =>
  z.array(z.object({ name: z.string(), values: z.array(value.nullable()), differs: z.boolean() }));

export const runComparison = z.object({
  /** In the order that was asked for; every list of values has it too. */
  runs: z.array(z.object({ id: z.string(), name: z.string(), experiment: z.string(), status: runStatus, startedAt: timestamp })),
  params: compared(z.string()),
  metrics: compared(metricValue),
  tags: compared(z.string()),
});

export const artifactEntry = z.object({
  /** Relative to the folder that was listed. */
  path: z.string(),
  isFolder: z.boolean(),
  /** null of a folder. */
  bytes: z.number().int().nullable(),
});

export const artifactFile = z.object({
  /** Within the run. */
  path: z.string(),
  sha256: z.string(),
  bytes: z.number().int(),
  mediaType: z.string(),
});

export const loggedModel = z.object({
  id: z.string(),
  experimentId: z.string(),
  name: z.string(),
  artifactLocation: z.string(),
  status: z.enum(["pending", "ready", "failed"]),
  modelType: z.string().nullable(),
  sourceRunId: z.string().nullable(),
  createdAt: timestamp,
  updatedAt: timestamp,
  params: texts,
  tags: texts,
  metrics: z.array(
    z.object({
      key: z.string(),
      value: metricValue,
      step: z.number().int(),
      at: micros,
      runId: z.string(),
      dataset: z.object({ name: z.string(), digest: z.string() }).nullable(),
    }),
  ),
});
