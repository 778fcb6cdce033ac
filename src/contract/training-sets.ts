import { z } from "zod";
import type { Route } from "./routes.ts";

const timestamp = z.iso.datetime();

/** A training set that a run has kept. What only a record says is null where there is none. */
export const trainingSet = z.object({
  /** Of the run that made it. */
  id: z.string(),
  model: z.string().nullable(),
  savedAt: timestamp,
  sha256: z.string(),
  bytes: z.number().int(),
  /** Whether what it was made of is on record, and nothing was erased from it or from its snapshots. */
  rebuildable: z.boolean(),
  /** Why it cannot be built again; null where nothing speaks against it. */
  problem: z.string().nullable(),
  rows: z.number().int().nullable(),
  labelled: z.number().int().nullable(),
  asOf: timestamp.nullable(),
  /** Version of DuckDB that wrote it. */
  engine: z.string().nullable(),
  snapshots: z.array(z.object({ source: z.string(), id: z.string(), contentHash: z.string() })),
  /** Erasures that took rows out of it. */
  erased: z.array(z.object({ erasure: z.string(), at: timestamp, rows: z.number().int() })),
});

export const trainingSetRoutes = {
  list: {
    method: "GET",
    path: "/training-sets",
    permission: "read",
    summary: "Training sets that runs have kept, newest first",
    response: z.object({ items: z.array(trainingSet) }),
  },
  get: {
    method: "GET",
    path: "/training-sets/:id",
    permission: "read",
    summary: "One training set with its record: all that it can be built from again",
    params: z.object({ id: z.string() }),
    response: trainingSet.extend({ record: z.record(z.string(), z.unknown()).nullable() }),
  },
  rebuild: {
    method: "POST",
    path: "/training-sets/:id/rebuild",
    permission: "run",
    summary: "Build a training set again from its record, and fail unless it is the same, byte for byte",
    params: z.object({ id: z.string() }),
    response: z.object({ id: z.string(), sha256: z.string(), bytes: z.number().int(), rows: z.number().int() }),
  },
} satisfies Record<string, Route>;

/** What POST /training-sets is told beside the entity rows, which are its body. */
export const trainingSetQuery = z
  .object({
    features: z.string().min(1).optional().describe("Ids of features, with commas between them: view.feature, on-demand.name"),
    service: z.string().min(1).optional().describe("A feature service, instead of features"),
    at: z.string().min(1).default("at").describe("The column that says when each row is asked about"),
    asOf: z.iso.datetime({ offset: true }).optional().describe("Only what was known by then counts; now unless given"),
  })
  .refine(({ features, service }) => (features === undefined) !== (service === undefined), {
    message: "takes either features or service",
    path: ["features"],
  });

/** Media types of tables, by what they are called in a request. */
export const TABLE_TYPES = {
  parquet: "application/vnd.apache.parquet",
  arrow: "application/vnd.apache.arrow.stream",
  json: "application/json",
} as const;
