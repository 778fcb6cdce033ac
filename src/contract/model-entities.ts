import { z } from "zod";

const timestamp = z.iso.datetime();
const texts = z.record(z.string(), z.string());

export const gateVerdict = z.object({
  text: z.string(),
  /** null: undefined on this data, which counts as not passed, or waiting for people. */
  passed: z.boolean().nullable(),
  /** Of an approval that people have not decided yet. */
  waiting: z.boolean(),
  observed: z.number().nullable(),
  required: z.number().nullable(),
  detail: z.string(),
});

export const stage = z.enum(["None", "Staging", "Production", "Archived"]);

export const modelVersion = z.object({
  model: z.string(),
  version: z.number().int(),
  aliases: z.array(z.string()),
  tags: texts,
  /** null for a version that came without a run. */
  runId: z.string().nullable(),
  /** sha256 of the packaged model; null for a version that another tool trained. */
  artifact: z.string().nullable(),
  /** URI of the model's folder, as its creator named it. */
  source: z.string(),
  status: z.enum(["pending", "ready", "failed"]),
  stage,
  createdAt: timestamp,
  updatedAt: timestamp,
  actor: z.string(),
  description: z.string(),
});

/** One decision about an alias: who, when, from which version to which, and why. */
export const promotion = z.object({
  id: z.string(),
  alias: z.string(),
  fromVersion: z.number().int().nullable(),
  /** For "removed" the version that the alias pointed at. */
  toVersion: z.number().int(),
  decision: z.enum(["promoted", "rejected", "rolled-back", "removed"]),
  at: timestamp,
  actor: z.string(),
  reason: z.string(),
  gateId: z.string().nullable(),
});

export const gate = z.object({
  id: z.string(),
  version: z.number().int(),
  championVersion: z.number().int().nullable(),
  openedAt: timestamp,
  /** "waiting": nothing is missing but people's approval. */
  state: z.enum(["passed", "failed", "waiting"]),
  passed: z.boolean(),
  verdicts: z.array(gateVerdict),
});

/** A promotion with what its gate said. */
export const promotionRecord = promotion.extend({ gate: gate.nullable() });

export const approval = z.object({
  id: z.string(),
  version: z.number().int(),
  decision: z.enum(["approved", "declined"]),
  /** The person's roles then; empty where nobody has one. */
  roles: z.array(z.string()),
  at: timestamp,
  actor: z.string(),
  reason: z.string(),
});

export const registeredModel = z.object({
  name: z.string(),
  description: z.string(),
  createdAt: timestamp,
  updatedAt: timestamp,
  tags: texts,
  aliases: z.record(z.string(), z.number().int()),
  versions: z.array(modelVersion),
  promotions: z.array(promotion),
  gates: z.array(gate),
  approvals: z.array(approval),
});

const change = <T extends z.ZodType>(value: T) => z.object({ key: z.string(), from: value.nullable(), to: value.nullable() });

/** How one version differs from another of the same model; only what differs is listed, but for the gates. */
export const versionDiff = z.object({
  model: z.string(),
  from: z.number().int(),
  to: z.number().int(),
  params: z.array(change(z.string())),
  /** `by` is to minus from; what is not a finite number is text. */
  metrics: z.array(change(z.union([z.number(), z.string()])).extend({ by: z.number().nullable() })),
  tags: z.array(change(z.string())),
  /** Snapshots by source, and data sets by name: what was read. */
  data: z.array(change(z.string())),
  /** sha256 of the training set; null where a version has none, or both are the same. */
  trainingSet: change(z.string()).nullable(),
  features: z.object({
    added: z.array(z.string()),
    removed: z.array(z.string()),
    /** Same name, another type or definition. */
    changed: z.array(z.object({ feature: z.string(), from: z.string(), to: z.string() })),
    /** Versions whose package is not here: their features are not known. */
    unknown: z.array(z.number().int()),
  }),
  code: z.object({
    /** Commits; null where a version has none, or both are the same. */
    commit: change(z.string()).nullable(),
    /** Uncommitted changes that a version was trained with, as a diff against its commit; null where there were none. */
    uncommitted: z.object({ from: z.string().nullable(), to: z.string().nullable() }),
  }),
  /** What was trained: candidate, algorithm, model type. */
  algorithm: z.array(change(z.string())),
  gates: z.object({ from: gate.nullable(), to: gate.nullable() }),
});

const lineageSource = z.object({
  /** A source of the project, or the data set as its run describes it. */
  source: z.string(),
  /** Snapshot id, or the data set's digest. */
  id: z.string(),
  kind: z.enum(["snapshot", "dataset"]),
  contentHash: z.string().nullable(),
  asOf: timestamp.nullable(),
  rows: z.number().int().nullable(),
});

/** Where a version comes from. */
export const versionLineage = z.object({
  model: z.string(),
  version: z.number().int(),
  run: z
    .object({
      id: z.string(),
      name: z.string(),
      experimentId: z.string(),
      parentRunId: z.string().nullable(),
      gitCommit: z.string().nullable(),
      startedAt: timestamp,
    })
    .nullable(),
  loggedModel: z.object({ id: z.string(), name: z.string() }).nullable(),
  /** Version that it is a copy of. */
  copyOf: z.object({ model: z.string(), version: z.number().int() }).nullable(),
  data: z.array(lineageSource),
  /** Erasures that took rows out of this data after it was read: the version can no longer be made again. */
  erased: z.array(z.object({ erasure: z.string(), at: timestamp, rows: z.number().int() })),
  /** Other models that its run read, say a foundation it was tuned from. */
  inputModels: z.array(z.string()),
});

/** What was made from a source. */
export const sourceDependents = z.object({
  source: z.string(),
  items: z.array(
    z.object({
      model: z.string(),
      version: z.number().int(),
      aliases: z.array(z.string()),
      runId: z.string(),
      snapshot: z.string(),
      /** Endpoints that answer with it now. */
      endpoints: z.array(z.string()),
    }),
  ),
});
