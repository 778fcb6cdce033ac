import { z } from "zod";
import { gateVerdict } from "./model-entities.ts";

export * from "./model-entities.ts";
export * from "./tracking-entities.ts";

/** ISO 8601 in UTC. */
export const timestamp = z.iso.datetime();
const share = z.number().min(0).max(1);

export const errorBody = z.object({
  code: z.string(),
  kind: z.enum(["invalid", "not-found", "conflict", "denied", "unavailable", "internal"]),
  message: z.string(),
  hint: z.string(),
  details: z.record(z.string(), z.unknown()),
});

/** What a client must know before it can call anything else. */
export const context = z.object({
  workspace: z.string(),
  project: z.string(),
  version: z.string(),
  tokenRequired: z.boolean(),
  /** Whether the server serves a project file, or keeps track alone; the former of servers that do not say. */
  projectFile: z.boolean().default(true),
});

export const metricEstimate = z.object({ value: z.number(), low: z.number(), high: z.number() });
export const metricTable = z.record(z.string(), metricEstimate);

// Home -----------------------------------------------------------------------------------------------------------------

export const stageName = z.enum(["problem", "data", "features", "training", "models", "endpoints", "monitoring", "pipelines"]);
export const stageState = z.object({
  stage: stageName,
  state: z.enum(["idle", "healthy", "running", "attention"]),
  headline: z.string(),
  detail: z.string(),
  updatedAt: timestamp.nullable(),
});

export const charter = z.object({
  problem: z.string(),
  /** What is done; null where the charter does not say. */
  act: z.string().nullable(),
  /** Probability from which it is done; this, the payoff and the alternative are null unless the target is binary. */
  threshold: z.number().nullable(),
  payoff: z
    .object({ truePositive: z.number(), falsePositive: z.number(), falseNegative: z.number(), trueNegative: z.number() })
    .nullable(),
  alternative: z.string().nullable(),
  owner: z.string(),
  users: z.array(z.string()),
  target: z.string(),
  targetType: z.enum(["binary", "multiclass", "regression"]),
  criteria: z.array(z.string()),
});

export const alert = z.object({
  id: z.string(),
  endpoint: z.string(),
  kind: z.string(),
  severity: z.enum(["warning", "critical"]),
  status: z.enum(["open", "acknowledged", "resolved"]),
  title: z.string(),
  since: timestamp,
  openedAt: timestamp,
  resolvedAt: timestamp.nullable(),
  causes: z.array(
    z.object({
      subject: z.string(),
      kind: z.string(),
      since: timestamp,
      score: z.number(),
      cost: z.number().nullable(),
      evidence: z.string(),
      features: z.array(z.string()),
    }),
  ),
  triggeredRun: z.string().nullable(),
});

export const loop = z.object({
  workspace: z.string(),
  project: z.string(),
  now: timestamp,
  clock: z.enum(["system", "virtual"]),
  stages: z.array(stageState),
  charter,
  /** The champion's last gate, criterion by criterion; empty before the first. */
  acceptance: z.array(gateVerdict),
  alerts: z.array(alert),
});

// Data -----------------------------------------------------------------------------------------------------------------

export const violation = z.object({
  column: z.string(),
  rule: z.string(),
  severity: z.enum(["warn", "quarantine", "stop"]),
  rows: z.number().int(),
  samples: z.array(z.string()),
});

/** What was expected of a source's rows together: kept, broken, or (null) not to be judged yet. */
export const expectationVerdict = z.object({
  rule: z.enum(["rows", "freshness", "unique", "psi", "mean", "null-share"]),
  column: z.string().nullable(),
  severity: z.enum(["warn", "stop"]),
  kept: z.boolean().nullable(),
  observed: z.number().nullable(),
  says: z.string(),
});

export const snapshot = z.object({
  id: z.string(),
  source: z.string(),
  contentHash: z.string(),
  asOf: timestamp,
  createdAt: timestamp,
  rows: z.number().int(),
  bytes: z.number().int(),
  parts: z.number().int(),
  quarantined: z.number().int(),
  violations: z.array(violation),
  expectations: z.array(expectationVerdict),
  /** Columns that were delivered otherwise than declared; absent where none were. */
  schema: z
    .object({
      /** A type is null where the format says none. */
      undeclared: z.array(z.object({ column: z.string(), type: z.string().nullable() })),
      retyped: z.array(z.object({ column: z.string(), declared: z.string(), delivered: z.string() })),
    })
    .optional(),
  /** Erasures that took rows out of it. */
  erased: z.array(z.object({ erasure: z.string(), at: timestamp, rows: z.number().int() })),
});

export const columnProfile = z.object({
  name: z.string(),
  type: z.string(),
  nulls: z.number().int(),
  distinct: z.number().int(),
  min: z.union([z.number(), z.string()]).nullable(),
  max: z.union([z.number(), z.string()]).nullable(),
  mean: z.number().nullable(),
  std: z.number().nullable(),
  quantiles: z.record(z.string(), z.number()).nullable(),
  histogram: z.object({ edges: z.array(z.number()), counts: z.array(z.number()) }).nullable(),
  top: z.array(z.object({ value: z.string(), count: z.number().int() })),
});
export const profile = z.object({
  source: z.string(),
  snapshot: z.string(),
  rows: z.number().int(),
  columns: z.array(columnProfile),
});

export const featureView = z.object({
  name: z.string(),
  entity: z.string(),
  keys: z.array(z.string()),
  source: z.string(),
  features: z.array(z.object({ id: z.string(), type: z.string(), seasonal: z.boolean() })),
  materializedUntil: timestamp.nullable(),
  /** Versions besides the current one that can be read online. */
  earlierVersions: z.number().int(),
});

export const materializedView = z.object({
  view: z.string(),
  rows: z.number().int(),
  entities: z.number().int(),
  /** Which earlier version it is that a deployed model reads; absent for the view as the project defines it. */
  version: z.string().optional(),
  /** Why that stays as it is, readable and growing old. */
  halted: z.string().nullable().optional(),
});

export const viewVersion = z.object({
  version: z.string(),
  /** The one that the project defines, or defined last. */
  current: z.boolean(),
  /** When it was first whole; null where that was not written down. */
  since: timestamp.nullable(),
  materializedUntil: timestamp,
  newestEventAt: timestamp.nullable(),
  /** Deployed models that read it. */
  readers: z.array(z.object({ endpoint: z.string(), alias: z.string(), version: z.number().int() })),
  /** Since when none does; it is removed when that has been so for two hours. */
  unusedSince: timestamp.nullable(),
  /** Why it is not kept up to date any more. */
  halted: z.string().nullable(),
});

const figure = z.number().nullable();

export const viewStatistics = z.object({
  /** Null where everything was written anew. */
  from: timestamp.nullable(),
  until: timestamp,
  rows: z.number().int(),
  entities: z.number().int(),
  features: z.array(
    z.object({
      feature: z.string(),
      /** Entities that were looked at. */
      entities: z.number().int(),
      nulls: z.number().int(),
      min: figure,
      max: figure,
      mean: figure,
      std: figure,
      distinct: z.number().int().nullable(),
    }),
  ),
});

/** From columns of sources to a feature, and on to the versions and endpoints that read it. */
export const featureLineage = z.object({
  feature: z.string(),
  /** "source.column". */
  columns: z.array(z.string()),
  /** Other features that it is computed from. */
  inputs: z.array(z.string()),
  /** Versions that have an alias or are served. */
  versions: z.array(z.object({ model: z.string(), version: z.number().int(), aliases: z.array(z.string()) })),
  endpoints: z.array(z.string()),
});

const featureConsistency = z.object({
  feature: z.string(),
  compared: z.number().int(),
  /** Values that are wrong. */
  mismatched: z.number().int(),
  /** Values that were right for what had been materialized, when newer rows could have been known. */
  stale: z.number().int(),
  /** Of wrong values; without those of personal columns. */
  examples: z.array(
    z.object({
      at: timestamp,
      fields: z.record(z.string(), z.string()),
      prediction: z.string().nullable(),
      got: z.string().nullable(),
      expected: z.string().nullable(),
    }),
  ),
});

export const consistencyReport = z.object({
  at: timestamp,
  compared: z.number().int(),
  mismatched: z.number().int(),
  stale: z.number().int(),
  online: z.array(featureConsistency),
  endpoints: z.array(
    z.object({
      endpoint: z.string(),
      since: timestamp,
      predictions: z.number().int(),
      features: z.array(featureConsistency),
      /** Features that are defined otherwise since; what was logged of them is not compared. */
      changed: z.array(z.string()),
    }),
  ),
});

// Models ---------------------------------------------------------------------------------------------------------------

export const explanationSummary = z.object({
  /** What SHAP values are measured in: log-odds, probability, logarithm, or the target's own units (value). */
  scale: z.enum(["log-odds", "probability", "logarithm", "value"]),
  /** Mean |SHAP value|, largest first. */
  shap: z.array(z.object({ feature: z.string(), meanAbs: z.number() })),
  permutation: z.array(z.object({ feature: z.string(), drop: metricEstimate })),
  /** A sample of rows for the beeswarm: value scaled to 0…1 within the feature (null: missing or a category). */
  sample: z.array(
    z.object({ feature: z.string(), points: z.array(z.object({ value: z.number().nullable(), phi: z.number() })) }),
  ),
  segments: z.array(
    z.object({
      segment: z.string(),
      value: z.string(),
      rows: z.number().int(),
      /** null unless the target is binary. */
      positives: z.number().int().nullable(),
      metrics: metricTable,
    }),
  ),
});

export const modelReport = z.object({
  model: z.string(),
  version: z.number().int(),
  /** Name, metrics of every candidate on the same selection rows; baseline and rule among them. */
  candidates: z.array(z.object({ name: z.string(), selected: z.boolean(), metrics: metricTable })),
  /** On the test rows, opened once for the gate; null before. Positives are null unless the target is binary. */
  test: z
    .object({ rows: z.number().int(), positives: z.number().int().nullable(), days: z.number().int(), metrics: metricTable })
    .nullable(),
  explanation: explanationSummary.nullable(),
  cardMarkdown: z.string(),
});

/** What was in a version's training rows, before anything was trained. */
export const exploration = z.object({
  model: z.string(),
  version: z.number().int(),
  rows: z.number().int(),
  /** Rows that relations and suspicions were computed on. */
  sampledRows: z.number().int(),
  /** null for numbers. */
  balance: z
    .object({
      classes: z.array(z.object({ name: z.string(), rows: z.number().int(), share: metricEstimate })),
      imbalance: z.number().nullable(),
    })
    .nullable(),
  /** The features that tell most about the target by themselves, the strongest first. */
  relations: z.array(
    z.object({
      feature: z.string(),
      /** Share of the target's entropy that the feature explains, 0…1. */
      explained: z.number(),
      spearman: z.number().nullable(),
      auc: z.number().nullable(),
    }),
  ),
  /** Features that may know what they should not: what was seen, and what to check. */
  suspicions: z.array(z.object({ feature: z.string(), kind: z.string(), figure: z.number(), says: z.string() })),
});

/** A model with its preparation and calibration as one ONNX file. */
export const onnxFile = z.object({
  model: z.string(),
  version: z.number().int(),
  sha256: z.string(),
  bytes: z.number().int(),
  /** The file, base64. */
  content: z.string(),
});

/** The folder that a version's source names. */
export const modelFolder = z.object({
  model: z.string(),
  version: z.number().int(),
  files: z.array(
    z.object({
      /** Below the folder, with "/". */
      path: z.string(),
      sha256: z.string(),
      bytes: z.number().int(),
      /** The file, base64. */
      content: z.string(),
    }),
  ),
});

// Pipelines ------------------------------------------------------------------------------------------------------------

export const stepRun = z.object({
  step: z.string(),
  status: z.enum(["pending", "running", "succeeded", "cached", "failed", "skipped"]),
  needs: z.array(z.string()),
  attempt: z.number().int(),
  startedAt: timestamp.nullable(),
  endedAt: timestamp.nullable(),
  error: errorBody.nullable(),
  /** Why the candidate that a step was to train has no model; the step itself has ended well, and the other candidates go on. */
  candidateFailure: errorBody.nullable(),
});

export const pipelineRunSummary = z.object({
  id: z.string(),
  pipeline: z.string(),
  status: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
  trigger: z.object({ kind: z.string(), reason: z.string() }),
  actor: z.string(),
  createdAt: timestamp,
  startedAt: timestamp.nullable(),
  endedAt: timestamp.nullable(),
});
export const pipelineRun = pipelineRunSummary.extend({ traceId: z.string(), steps: z.array(stepRun) });

// Endpoints and predictions --------------------------------------------------------------------------------------------

export const endpoint = z.object({
  name: z.string(),
  model: z.string(),
  url: z.string().nullable(),
  ready: z.boolean(),
  revision: z.number().int().nullable(),
  routes: z.array(z.object({ alias: z.string(), version: z.number().int(), share })),
  keys: z.record(z.string(), z.string()),
  request: z.record(z.string(), z.string()),
});

export const prediction = z.object({
  id: z.string(),
  endpoint: z.string(),
  at: timestamp,
  reference: z.string().nullable(),
  probability: z.number(),
  decision: z.boolean(),
  version: z.number().int(),
  alias: z.string(),
  missing: z.array(z.string()),
  keys: z.record(z.string(), z.unknown()),
  request: z.record(z.string(), z.unknown()),
  features: z.record(z.string(), z.unknown()),
  latencyMs: z.number(),
  traceId: z.string().nullable(),
});

/** What an endpoint answers to one instance. */
export const answer = z.object({
  id: z.string(),
  probability: z.number(),
  decision: z.boolean(),
  modelVersion: z.number().int(),
  alias: z.string(),
  missing: z.array(z.string()),
});

export const explanation = z.object({
  predictionId: z.string(),
  model: z.string(),
  version: z.number().int(),
  /** How SHAP values were found; all add up exactly, and all but kernel are exact themselves. */
  method: z.enum(["tree-path-dependent", "tree-interventional", "linear-interventional", "kernel", "none"]),
  /** What base, output and every phi are measured in. */
  scale: z.enum(["log-odds", "probability", "logarithm", "value"]),
  /** base + the sum of phi is output. */
  base: z.number(),
  output: z.number(),
  probability: z.number(),
  contributions: z.array(
    z.object({ feature: z.string(), value: z.union([z.string(), z.number(), z.boolean()]).nullable(), phi: z.number() }),
  ),
});

const featureValue = z.union([z.string(), z.number(), z.boolean()]).nullable();

/** The smallest changes to one prediction's features that would have got another decision. */
export const counterfactuals = z.object({
  predictionId: z.string(),
  model: z.string(),
  version: z.number().int(),
  /** none-within-limits: there may be one that changes more features, or by more than the training rows did. */
  outcome: z.enum(["found", "none-within-limits", "already"]),
  /** What the probability would have to be, or which class the likeliest. */
  goal: z.union([
    z.object({ kind: z.enum(["at-least", "below"]), value: z.number() }),
    z.object({ kind: z.literal("class"), name: z.string() }),
  ]),
  /** Of the row as it is. */
  prediction: z.number(),
  /** The nearest first; each with other features. */
  counterfactuals: z.array(
    z.object({
      changes: z.array(z.object({ feature: z.string(), from: featureValue, to: featureValue })),
      /** In median absolute deviations of the training rows, summed; 1 for a category. */
      distance: z.number(),
      prediction: z.number(),
    }),
  ),
  /** Features that could be changed. */
  changeable: z.array(z.string()),
  /** Features that the project says nobody can change. */
  immutable: z.array(z.string()),
});

// Monitoring -----------------------------------------------------------------------------------------------------------

export const driftMatrix = z.object({
  windows: z.array(z.object({ start: timestamp, end: timestamp, rows: z.number().int() })),
  /** One row a feature ("prediction" last): score 1 is the limit of what days normally do; null: too few rows. */
  rows: z.array(z.object({ feature: z.string(), seasonal: z.boolean(), scores: z.array(z.number().nullable()) })),
});

export const performanceWindow = z.object({
  start: timestamp,
  end: timestamp,
  predictions: z.number().int(),
  /** Share of due labels that are there; censored ones are apart. */
  labelCoverage: share.nullable(),
  censored: z.number().int(),
  metrics: metricTable,
  /** Estimated without labels; assumes that the relation of features to label stands still. */
  estimatedRocAuc: z.number().nullable(),
  latencyP50Ms: z.number().nullable(),
  latencyP99Ms: z.number().nullable(),
});

export const monitoring = z.object({
  endpoint: z.string(),
  drift: driftMatrix,
  performance: z.array(performanceWindow),
  alerts: z.array(alert),
});

// System ---------------------------------------------------------------------------------------------------------------

export const system = z.object({
  version: z.string(),
  nodeVersion: z.string(),
  startedAt: timestamp,
  stateDirectory: z.string(),
  stateBytes: z.number().int().nullable(),
  cpu: z.object({ cores: z.number().int(), load: share.nullable() }),
  memory: z.object({ totalBytes: z.number(), usedBytes: z.number(), processBytes: z.number() }),
  disk: z
    .object({
      totalBytes: z.number(),
      freeBytes: z.number(),
      readBytesPerSecond: z.number().nullable(),
      writeBytesPerSecond: z.number().nullable(),
    })
    .nullable(),
  network: z.object({ receivedBytesPerSecond: z.number(), sentBytesPerSecond: z.number() }).nullable(),
  gpu: z.array(z.object({ name: z.string(), load: share.nullable(), memoryUsedBytes: z.number().nullable() })).nullable(),
  eventLoopLagP99Ms: z.number().nullable(),
  processes: z.array(z.object({ name: z.string(), pid: z.number().int(), alive: z.boolean(), url: z.string().nullable() })),
});
