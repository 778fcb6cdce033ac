import type { MetricPoint, RunDataset, RunRecord, RunStatus, RunSummary } from "../../../core/tracking/index.ts";
import { double, entries, type Fields, object, objects, pairs, requiredText, some, text, toMillis } from "./wire.ts";

export const STATUSES: ReadonlyMap<string, RunStatus> = new Map([
  ["RUNNING", "running"],
  ["SCHEDULED", "scheduled"],
  ["FINISHED", "finished"],
  ["FAILED", "failed"],
  ["KILLED", "killed"],
]);
/** Their numbers in the protocol's enumeration. */
export const STATUS_NUMBERS = ["", ...STATUSES.keys()];

export const runInfo = (run: RunSummary) => ({
  run_id: run.id,
  run_uuid: run.id,
  run_name: run.name,
  experiment_id: run.experimentId,
  user_id: run.userName,
  status: run.status.toUpperCase(),
  start_time: toMillis(run.startedAt),
  ...(run.endedAt === null ? {} : { end_time: toMillis(run.endedAt) }),
  artifact_uri: run.artifactUri,
  lifecycle_stage: run.lifecycle,
});

export const metricMessage = (key: string, { value, at, step }: MetricPoint) => ({
  key,
  value: double(value),
  timestamp: toMillis(at),
  step,
});

export function runMessage(run: RunSummary | RunRecord) {
  const metrics = Object.entries(run.metrics).map(([key, point]) => metricMessage(key, point));
  const tags = some("tags", entries(run.tags));
  if (!("params" in run)) return { info: runInfo(run), data: { ...some("metrics", metrics), ...tags } };
  const inputs = {
    ...some(
      "dataset_inputs",
      run.datasets.map(({ dataset: { name, digest, sourceType, source, schema, profile }, tags: given }) => ({
        ...some("tags", entries(given)),
        dataset: {
          name,
          digest,
          source_type: sourceType,
          source,
          ...(schema === null ? {} : { schema }),
          ...(profile === null ? {} : { profile }),
        },
      })),
    ),
    ...some(
      "model_inputs",
      run.modelInputs.map(({ modelId }) => ({ model_id: modelId })),
    ),
  };
  const outputs = some(
    "model_outputs",
    run.modelOutputs.map(({ modelId, step }) => ({ model_id: modelId, step })),
  );
  return {
    info: runInfo(run),
    data: { ...some("metrics", metrics), ...some("params", entries(run.params)), ...tags },
    inputs,
    ...(run.modelOutputs.length === 0 ? {} : { outputs }),
  };
}

/** Data sets of log-inputs. */
export const datasetsOf = (fields: Fields): readonly RunDataset[] =>
  objects(fields, "datasets").map((each, at) => {
    const path = `datasets[${at}].dataset`;
    const dataset = object(each, "dataset", path) ?? {};
    return {
      tags: pairs(each, "tags"),
      dataset: {
        name: requiredText(dataset, "name", `${path}.name`),
        digest: requiredText(dataset, "digest", `${path}.digest`),
        sourceType: text(dataset, "source_type", `${path}.source_type`) ?? "",
        source: text(dataset, "source", `${path}.source`) ?? "",
        schema: text(dataset, "schema", `${path}.schema`) ?? null,
        profile: text(dataset, "profile", `${path}.profile`) ?? null,
      },
    };
  });
