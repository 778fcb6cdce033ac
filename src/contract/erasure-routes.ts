import { z } from "zod";
import * as entities from "./entities.ts";
import type { Route } from "./routes.ts";

const count = z.number().int().nonnegative();

/** Where something was found, and how much. "left: …" is what stays. */
export const erasedPlace = z.object({ what: z.string(), where: z.string(), rows: count });

/** An erasure names nobody: keys are there by their salted hashes. */
export const erasure = z.object({
  /** null where it was only asked what would be erased. */
  id: z.string().nullable(),
  entity: z.string(),
  state: z.enum(["planned", "running", "done"]),
  actor: z.string(),
  startedAt: entities.timestamp,
  endedAt: entities.timestamp.nullable(),
  hashes: z.array(z.string()),
  /** Whether rows of these keys are not taken in again. */
  blocks: z.boolean(),
  places: z.array(erasedPlace),
});

export const erasureRoutes = {
  create: {
    method: "POST",
    path: "/erasures",
    permission: "administer",
    // The trail has it with the hashes of its keys and what was found.
    audited: false,
    summary: "Erase everything of some entities, by their keys; with dryRun only tell where it is",
    body: z.object({
      entity: z.string(),
      /** One object an entity; timestamps in ISO 8601, integers beyond 2^53 as text. */
      keys: z
        .array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])))
        .min(1)
        .max(100),
      dryRun: z.boolean().default(false),
      /** Take no rows of these keys in again. */
      block: z.boolean().default(true),
    }),
    response: erasure,
  },
  list: {
    method: "GET",
    path: "/erasures",
    permission: "administer",
    summary: "Erasures, newest first",
    response: z.object({ items: z.array(erasure) }),
  },
  get: {
    method: "GET",
    path: "/erasures/:id",
    permission: "administer",
    summary: "One erasure",
    params: z.object({ id: z.string() }),
    response: erasure,
  },
} as const satisfies Record<string, Route>;
