import { z } from "zod";
import * as entities from "./entities.ts";
import type { Route } from "./routes.ts";

const count = z.number().int().nonnegative();

export const garbageRoutes = {
  collect: {
    method: "POST",
    path: "/garbage",
    permission: "administer",
    summary: "Remove for good what was deleted before a time, and bytes that nothing names; with dryRun only count it",
    body: z.object({ deletedBefore: entities.timestamp, dryRun: z.boolean() }),
    response: z.object({
      experiments: count,
      runs: count,
      loggedModels: count,
      registeredModels: count,
      modelVersions: count,
      files: count,
      artifacts: count,
      bytes: count,
    }),
  },
} as const satisfies Record<string, Route>;
