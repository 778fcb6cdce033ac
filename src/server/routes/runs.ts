import type { RunSummary } from "../../core/tracking/index.ts";
import type { RoomHandlers } from "../handlers.ts";
import { estimates, optionalTime, time } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";

export function runHandlers({ platform }: RouteContext): RoomHandlers<"runs"> {
  const { runs } = platform.tracking;
  return {
    async list({ limit, cursor, experiment, status, parentRunId, trials }) {
      const { items, nextCursor } = await runs.list({
        limit,
        cursor,
        experiment,
        parentRunId,
        // A pipeline run's record has candidates below it, and those their trials.
        depth: trials === "show" || parentRunId !== undefined ? undefined : 1,
        status: status as RunSummary["status"] | undefined,
      });
      return { items: items.map(runEntity), nextCursor };
    },
    async get({ id }) {
      const run = await runs.get(id);
      return {
        ...runEntity(run),
        params: { ...run.params },
        artifacts: run.artifacts.map(({ path, sha256, bytes, mediaType }) => ({ path, sha256, bytes, mediaType })),
        snapshots: [...run.snapshots],
        gitCommit: run.gitCommit,
        gitDiff: run.gitDiff,
        traceId: run.traceId,
      };
    },
  };
}

const runEntity = (run: RunSummary) => ({
  id: run.id,
  name: run.name,
  experiment: run.experiment,
  status: run.status,
  parentRunId: run.parentRunId,
  startedAt: time(run.startedAt),
  endedAt: optionalTime(run.endedAt),
  actor: run.actor,
  metrics: estimates(run.metrics),
  tags: { ...run.tags },
});
