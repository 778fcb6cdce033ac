import type { PipelineRunSummary } from "../../core/pipelines/index.ts";
import { formatTimestamp } from "../../core/time.ts";
import type { FailedCandidate } from "../../platform/stages/train.ts";
import type { RoomHandlers } from "../handlers.ts";
import { optionalTime, time } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";

export function pipelineHandlers({ platform }: RouteContext): RoomHandlers<"pipelines"> {
  const { project, pipelines } = platform;
  return {
    async list() {
      return {
        items: project.pipelines.map(({ name, schedule, stages, on }) => ({
          name,
          schedule: schedule ?? null,
          stages: [...stages],
          triggers: on.map((trigger) => (trigger.kind === "alert" ? `alert: ${trigger.alert}` : trigger.kind)),
        })),
      };
    },
    async runs({ limit, cursor, pipeline }) {
      const { items, nextCursor } = await pipelines.list({ limit, cursor, pipeline });
      return { items: items.map(summaryEntity), nextCursor };
    },
    async run({ id }) {
      const run = await pipelines.get(id);
      return {
        ...summaryEntity(run),
        traceId: run.traceId,
        steps: run.steps.map((step) => ({
          step: step.step,
          status: step.status,
          needs: [...step.needs],
          attempt: step.attempt,
          startedAt: optionalTime(step.startedAt),
          endedAt: optionalTime(step.endedAt),
          error: step.error,
          candidateFailure: candidateFailure(step.output),
        })),
      };
    },
    async start({ name, dedupeKey, reason }, { actor, traceId }) {
      const runId = await platform.startPipeline(name, {
        trigger: { kind: "person", reason },
        actor,
        traceId,
        ...(dedupeKey === undefined ? {} : { dedupeKey: `person:${name}:${dedupeKey}` }),
      });
      return { runId };
    },
    async cancel({ id }) {
      await pipelines.cancel(id);
      return { ok: true };
    },
  };
}

const summaryEntity = (run: PipelineRunSummary) => ({
  id: run.id,
  pipeline: run.pipeline,
  status: run.status,
  trigger: { kind: run.trigger.kind, reason: run.trigger.reason },
  actor: run.actor,
  createdAt: formatTimestamp(run.createdAt),
  startedAt: run.startedAt === null ? null : time(run.startedAt),
  endedAt: optionalTime(run.endedAt),
});

/** The error in a train step's output (platform/stages/train.ts); null for every other output. */
function candidateFailure(output: unknown): FailedCandidate["failure"] | null {
  const isFailure = typeof output === "object" && output !== null && "failure" in output;
  // Only the train stage names something so.
  return isFailure ? (output as FailedCandidate).failure : null;
}
