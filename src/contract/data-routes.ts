import { z } from "zod";
import * as entities from "./entities.ts";
import type { Route } from "./routes.ts";

const byName = z.object({ name: z.string() });
const byId = z.object({ id: z.string() });
const change = <T extends z.ZodType>(of: T) => z.array(z.object({ column: z.string(), from: of, to: of }));

/** How two snapshots of one source differ. */
export const snapshotDiff = z.object({
  source: z.string(),
  from: entities.snapshot,
  to: entities.snapshot,
  added: z.array(z.object({ column: z.string(), type: z.string() })),
  /** `perhaps`: the added column that it may be called now. */
  removed: z.array(z.object({ column: z.string(), type: z.string(), perhaps: z.string().nullable() })),
  retyped: change(z.string()),
  /** Shares of null that are allowed. */
  nullability: change(z.number()),
});

const correlations = z.object({
  method: z.enum(["pearson", "spearman"]),
  features: z.array(z.string()),
  values: z.array(z.array(z.number().nullable())),
});

/** What is in a source's columns together. */
export const sourceExploration = z.object({
  source: z.string(),
  snapshot: z.string(),
  profile: entities.profile,
  missingness: z.object({
    patterns: z.array(z.object({ columns: z.array(z.string()), rows: z.number().int() })),
    pairs: z.array(z.object({ columns: z.array(z.string()), both: z.number().int(), correlation: z.number() })),
  }),
  /** Evenly spaced rows that correlations and relations were computed on. */
  sampledRows: z.number().int(),
  correlations: z.array(correlations),
  /** null where no target was named. */
  target: z
    .object({
      column: z.string(),
      task: z.enum(["binary", "multiclass", "regression"]),
      rows: z.number().int(),
      relations: z.array(
        z.object({
          feature: z.string(),
          /** Share of the target's entropy that the column explains, 0…1. */
          explained: z.number(),
          pearson: z.number().nullable(),
          spearman: z.number().nullable(),
          auc: z.number().nullable(),
        }),
      ),
    })
    .nullable(),
});

export const dataRoutes = {
  snapshots: {
    method: "GET",
    path: "/snapshots",
    permission: "read",
    summary: "Latest snapshot of every source",
    response: z.object({ items: z.array(entities.snapshot) }),
  },
  history: {
    method: "GET",
    path: "/sources/:name/snapshots",
    permission: "read",
    summary: "A source's snapshots, newest first",
    params: byName,
    query: z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
    response: z.object({ items: z.array(entities.snapshot) }),
  },
  snapshot: {
    method: "GET",
    path: "/snapshots/:id",
    permission: "read",
    summary: "One snapshot with its report",
    params: byId,
    response: entities.snapshot.extend({ columns: z.record(z.string(), z.string()) }),
  },
  diff: {
    method: "GET",
    path: "/snapshots/:id/diff/:other",
    permission: "read",
    summary: "How the columns of two snapshots of one source differ",
    params: z.object({ id: z.string(), other: z.string() }),
    response: snapshotDiff,
  },
  profile: {
    method: "GET",
    path: "/sources/:name/profile",
    permission: "read",
    summary: "Profile of a source's latest snapshot",
    params: byName,
    response: entities.profile,
  },
  exploration: {
    method: "GET",
    path: "/sources/:name/exploration",
    permission: "read",
    summary: "A source's columns together: what is missing with what, correlations, relations to a target",
    params: byName,
    query: z.object({ target: z.string().optional() }),
    response: sourceExploration,
  },
} satisfies Record<string, Route>;
