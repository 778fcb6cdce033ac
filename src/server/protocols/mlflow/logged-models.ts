import type { LoggedModel } from "../../../core/tracking/index.ts";
import { ask, changes, get, type MlflowEndpoint } from "./endpoint.ts";
import {
  choice,
  cursor,
  double,
  entries,
  type Fields,
  flag,
  nextPage,
  objects,
  pageSize,
  pairs,
  refused,
  requiredText,
  some,
  text,
  texts,
  toMillis,
} from "./wire.ts";

const track = changes("track");

const STATUS_NAMES = {
  pending: "LOGGED_MODEL_PENDING",
  ready: "LOGGED_MODEL_READY",
  failed: "LOGGED_MODEL_UPLOAD_FAILED",
} as const;
/** Their numbers in the protocol's enumeration. */
const STATUS_NUMBERS = ["LOGGED_MODEL_STATUS_UNSPECIFIED", ...Object.values(STATUS_NAMES)];
const STATUSES: ReadonlyMap<string, LoggedModel["status"]> = new Map([
  [STATUS_NAMES.pending, "pending"],
  [STATUS_NAMES.ready, "ready"],
  [STATUS_NAMES.failed, "failed"],
]);

const loggedModelMessage = (model: LoggedModel) => ({
  info: {
    model_id: model.id,
    experiment_id: model.experimentId,
    name: model.name,
    creation_timestamp_ms: toMillis(model.createdAt),
    last_updated_timestamp_ms: toMillis(model.updatedAt),
    artifact_uri: model.artifactLocation,
    status: STATUS_NAMES[model.status],
    ...(model.modelType === null ? {} : { model_type: model.modelType }),
    ...(model.sourceRunId === null ? {} : { source_run_id: model.sourceRunId }),
    ...(model.statusMessage === null ? {} : { status_message: model.statusMessage }),
    ...some("tags", entries(model.tags)),
  },
  data: {
    ...some("params", entries(model.params)),
    ...some(
      "metrics",
      model.metrics.map(({ key, value, step, at, runId, dataset }) => ({
        key,
        value: double(value),
        timestamp: toMillis(at),
        step,
        model_id: model.id,
        run_id: runId,
        ...(dataset === null ? {} : { dataset_name: dataset.name, dataset_digest: dataset.digest }),
      })),
    ),
  },
});

const modelId = (fields: Fields) => requiredText(fields, "model_id");

/** The data set of a field, or of an element of datasets. */
function datasetIn(fields: Fields) {
  const name = text(fields, "dataset_name") || undefined;
  const digest = text(fields, "dataset_digest") || undefined;
  if (name === undefined && digest === undefined) return undefined;
  return { ...(name === undefined ? {} : { name }), ...(digest === undefined ? {} : { digest }) };
}

export const loggedModelEndpoints: readonly MlflowEndpoint[] = [
  track.post("/logged-models", async ({ fields, room }) => ({
    model: loggedModelMessage(
      await room.tracking.loggedModels.create({
        experimentId: requiredText(fields, "experiment_id"),
        name: text(fields, "name") || undefined,
        modelType: text(fields, "model_type") || undefined,
        sourceRunId: text(fields, "source_run_id") || undefined,
        params: pairs(fields, "params"),
        tags: pairs(fields, "tags"),
      }),
    ),
  })),
  ask("/logged-models/search", async ({ fields, room }) => {
    const experimentIds = texts(fields, "experiment_ids");
    if (experimentIds.length === 0) requiredText({}, "experiment_ids");
    const found = await room.tracking.loggedModels.search({
      experimentIds,
      filter: text(fields, "filter"),
      datasets: objects(fields, "datasets").map((each) => {
        const dataset = datasetIn(each);
        if (dataset?.name === undefined) throw refused("`dataset_name` in the `datasets` clause must be specified.", "datasets");
        return dataset;
      }),
      orderBy: objects(fields, "order_by").map((each) => {
        const dataset = datasetIn(each);
        return {
          field: text(each, "field_name") || missingField(),
          ascending: flag(each, "ascending") ?? true,
          ...(dataset === undefined ? {} : { dataset }),
        };
      }),
      limit: pageSize(fields, 100, 1_000),
      cursor: cursor(fields),
    });
    return { ...some("models", found.items.map(loggedModelMessage)), ...nextPage(found.nextCursor) };
  }),
  get("/logged-models/:model_id", async ({ fields, room }) => ({
    model: loggedModelMessage(
      await room.tracking.loggedModels.get(modelId(fields), flag(fields, "allow_deleted") === true ? "all" : "active"),
    ),
  })),
  track.patch("/logged-models/:model_id", async ({ fields, room }) => {
    const status = choice(fields, "status", STATUSES, STATUS_NUMBERS);
    if (status === undefined) requiredText({}, "status");
    if (status !== "ready" && status !== "failed")
      throw refused(`A logged model is finalized as ${STATUS_NAMES.ready} or ${STATUS_NAMES.failed}.`, "status");
    return { model: loggedModelMessage(await room.tracking.loggedModels.finalize(modelId(fields), status)) };
  }),
  track.delete("/logged-models/:model_id", async ({ fields, room }) => {
    await room.tracking.loggedModels.delete(modelId(fields));
    return {};
  }),
  track.patch("/logged-models/:model_id/tags", async ({ fields, room }) => {
    await room.tracking.loggedModels.setTags(modelId(fields), pairs(fields, "tags"));
    return {};
  }),
  track.delete("/logged-models/:model_id/tags/:tag_key", async ({ fields, room }) => {
    await room.tracking.loggedModels.deleteTag(modelId(fields), requiredText(fields, "tag_key"));
    return {};
  }),
  track.post("/logged-models/:model_id/params", async ({ fields, room }) => {
    await room.tracking.loggedModels.logParams(modelId(fields), pairs(fields, "params"));
    return {};
  }),
];

function missingField(): never {
  throw refused("`field_name` in the `order_by` clause must be specified.", "order_by");
}
