import { ask, changes, get, type MlflowEndpoint } from "./endpoint.ts";
import { datasetsOf, runInfo, runMessage, STATUS_NUMBERS, STATUSES } from "./run-messages.ts";
import {
  choice,
  cursor,
  type Fields,
  fromMillis,
  integer,
  listIn,
  nextPage,
  objects,
  pageSize,
  pairs,
  refused,
  requiredText,
  some,
  text,
  texts,
  view,
} from "./wire.ts";

const track = changes("track");

/** Old clients say run_uuid. */
export const runIdOf = (fields: Fields) => text(fields, "run_id") || text(fields, "run_uuid") || requiredText(fields, "run_id");

const timeOf = (fields: Fields, name: string) => {
  const at = integer(fields, name);
  return at === undefined ? undefined : fromMillis(at);
};

export const runEndpoints: readonly MlflowEndpoint[] = [
  track.post("/runs/create", async ({ fields, room, actor }) => {
    const startedAt = timeOf(fields, "start_time");
    const run = await room.tracking.runs.create({
      experimentId: text(fields, "experiment_id") || "0",
      name: text(fields, "run_name") ?? "",
      userName: text(fields, "user_id") ?? "",
      ...(startedAt === undefined ? {} : { startedAt }),
      tags: pairs(fields, "tags"),
      actor,
    });
    return { run: { ...runMessage(run), inputs: {} } };
  }),
  get("/runs/get", async ({ fields, room }) => ({ run: runMessage(await room.tracking.runs.record(runIdOf(fields))) })),
  track.post("/runs/update", async ({ fields, room }) => {
    const status = choice(fields, "status", STATUSES, STATUS_NUMBERS);
    const run = await room.tracking.runs.update(runIdOf(fields), {
      status,
      // Clients send 0 for a run that has not ended.
      endedAt: timeOf(fields, "end_time") || undefined,
      name: text(fields, "run_name") || undefined,
    });
    return { run_info: runInfo(run) };
  }),
  track.post("/runs/delete", async ({ fields, room }) => {
    await room.tracking.runs.delete(runIdOf(fields));
    return {};
  }),
  track.post("/runs/restore", async ({ fields, room }) => {
    await room.tracking.runs.restore(runIdOf(fields));
    return {};
  }),
  ask("/runs/search", async ({ fields, room }) => {
    const found = await room.tracking.runs.search({
      experimentIds: texts(fields, "experiment_ids"),
      filter: text(fields, "filter"),
      orderBy: texts(fields, "order_by"),
      view: view(fields, "run_view_type"),
      limit: pageSize(fields, 1_000, 50_000),
      cursor: cursor(fields),
    });
    return { ...some("runs", found.items.map(runMessage)), ...nextPage(found.nextCursor) };
  }),
  track.post("/runs/log-inputs", async ({ fields, room }) => {
    const models = objects(fields, "models").map((each, at) => ({
      modelId: requiredText(each, "model_id", `models[${at}].model_id`),
      step: 0,
    }));
    await room.tracking.logInputs(runIdOf(fields), { datasets: datasetsOf(fields), models });
    return {};
  }),
  track.post("/runs/outputs", async ({ fields, room }) => {
    const models = objects(fields, "models").map((each, at) => ({
      modelId: requiredText(each, "model_id", `models[${at}].model_id`),
      step: integer(each, "step", `models[${at}].step`) ?? 0,
    }));
    if (models.length === 0) requiredText({}, "models");
    await room.tracking.logOutputs(runIdOf(fields), models);
    return {};
  }),
  track.post("/runs/log-model", async ({ fields, room }) => {
    const runId = runIdOf(fields);
    const given = requiredText(fields, "model_json");
    const { tags } = await room.tracking.runs.record(runId);
    const models = [...listIn(tags[MODELS_TAG]), modelIn(given)];
    await room.tracking.setTags(runId, { [MODELS_TAG]: JSON.stringify(models) });
    return {};
  }),
];

/** Where clients before 3.0 kept the models of a run. */
const MODELS_TAG = "mlflow.log-model.history";
const MODEL_FIELDS = ["artifact_path", "flavors", "utc_time_created", "run_id"];

function modelIn(json: string): object {
  let model: unknown;
  try {
    model = JSON.parse(json);
  } catch {
    throw refused(`Malformed model info. \n ${json.slice(0, 200)} \n is not a valid JSON.`, "model_json");
  }
  if (typeof model !== "object" || model === null) throw refused("Malformed model info: it is no object.", "model_json");
  const absent = MODEL_FIELDS.filter((name) => !(name in model));
  if (absent.length > 0)
    throw refused(`Model json is missing mandatory fields: {${absent.map((name) => `'${name}'`).join(", ")}}`, "model_json");
  return model;
}
