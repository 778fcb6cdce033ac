import { z } from "zod";
import type { Route } from "./routes.ts";

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const pushAnswer = z.object({
  /** Rows that are new. */
  accepted: z.number().int(),
  /** Rows that were pushed before. */
  duplicates: z.number().int(),
  /** Rows that break the source's contract. */
  quarantined: z.number().int(),
  /** The first quarantined rows, counted from 0, and what each broke. */
  problems: z.array(z.object({ row: z.number().int(), problem: z.string() })),
  /** Rows of somebody who was erased, which are not taken; absent where there are none. */
  blocked: z.number().int().optional(),
});

/** How a source's rows come, and what they look like. */
export const sourceShape = z.object({
  name: z.string(),
  kind: z.enum(["files", "postgres", "rows", "push", "joined"]),
  columns: z.record(z.string(), z.string()),
  key: z.array(z.string()),
  eventTime: z.string().nullable(),
});

export const sourceRoutes = {
  list: {
    method: "GET",
    path: "/sources",
    permission: "read",
    summary: "The project's sources with their columns and types",
    response: z.object({ items: z.array(sourceShape) }),
  },
  push: {
    method: "POST",
    path: "/sources/:name/rows",
    permission: "run",
    audited: false,
    summary: "Push rows to a source: they are on disk when this answers, and go online at once",
    params: z.object({ name: z.string() }),
    body: z.object({
      /** Values by column; timestamps in ISO 8601, integers beyond 2^53 as text. */
      rows: z.array(z.record(z.string(), value)).min(1).max(10_000),
      /** Answer only when the online store has the rows too. */
      online: z.boolean().default(false),
    }),
    response: pushAnswer,
  },
} as const satisfies Record<string, Route>;
