import { randomUUID } from "node:crypto";
import type { Registry, Stage } from "../../../core/registry/index.ts";
import { registryErrors } from "../../../core/registry/index.ts";
import { ask, changes, get, type MlflowCall, type MlflowEndpoint } from "./endpoint.ts";
import { modelMessage, versionMessage, versionOf } from "./version-messages.ts";
import { cursor, nextPage, pageSize, pairs, refused, requiredText, some, text, texts } from "./wire.ts";

const register = changes("register");
const promote = changes("promote");

const STAGES: readonly Stage[] = ["None", "Staging", "Production", "Archived"];

/** In any case, as clients write it. */
export function stageOf(name: string): Stage {
  const found = STAGES.find((stage) => stage.toLowerCase() === name.toLowerCase());
  if (found === undefined)
    throw refused(`Invalid Model Version stage: ${name.slice(0, 100)}. Value must be one of ${STAGES.join(", ")}.`, "stage");
  return found;
}

async function messageOf(registry: Registry, name: string) {
  const [model, latest] = await Promise.all([registry.model(name), registry.latestByStage(name)]);
  return { registered_model: modelMessage(model, latest) };
}

async function latestVersions({ fields, room }: MlflowCall) {
  const stages = texts(fields, "stages").map(stageOf);
  const found = await room.registry.latestByStage(requiredText(fields, "name"), stages);
  return some("model_versions", found.map(versionMessage));
}

const REASON = "asked for by a client of the MLflow protocol";

export const registeredModelEndpoints: readonly MlflowEndpoint[] = [
  register.post("/registered-models/create", async ({ fields, room }) => {
    const model = await room.registry.createModel({
      name: requiredText(fields, "name"),
      description: text(fields, "description"),
      tags: pairs(fields, "tags"),
    });
    return { registered_model: modelMessage(model, []) };
  }),
  get("/registered-models/get", ({ fields, room }) => messageOf(room.registry, requiredText(fields, "name"))),
  register.post("/registered-models/rename", async ({ fields, room }) => {
    const to = requiredText(fields, "new_name");
    await room.registry.renameModel(requiredText(fields, "name"), to);
    return messageOf(room.registry, to);
  }),
  register.patch("/registered-models/update", async ({ fields, room }) => {
    const name = requiredText(fields, "name");
    await room.registry.describeModel(name, text(fields, "description") ?? "");
    return messageOf(room.registry, name);
  }),
  register.delete("/registered-models/delete", async ({ fields, room }) => {
    await room.registry.deleteModel(requiredText(fields, "name"));
    return {};
  }),
  get("/registered-models/search", async ({ fields, room }) => {
    const found = await room.registry.searchModels({
      filter: text(fields, "filter"),
      orderBy: texts(fields, "order_by"),
      limit: pageSize(fields, 100, 1_000),
      cursor: cursor(fields),
    });
    return {
      ...some(
        "registered_models",
        found.items.map((model) => modelMessage(model, model.latestVersions)),
      ),
      ...nextPage(found.nextCursor),
    };
  }),
  get("/registered-models/get-latest-versions", latestVersions),
  ask("/registered-models/get-latest-versions", latestVersions),
  register.post("/registered-models/set-tag", async ({ fields, room }) => {
    const key = requiredText(fields, "key");
    await room.registry.setModelTag(requiredText(fields, "name"), key, text(fields, "value") ?? "");
    return {};
  }),
  register.delete("/registered-models/delete-tag", async ({ fields, room }) => {
    await room.registry.deleteModelTag(requiredText(fields, "name"), requiredText(fields, "key"));
    return {};
  }),
  promote.post("/registered-models/alias", async ({ fields, room, actor }) => {
    const model = requiredText(fields, "name");
    const alias = requiredText(fields, "alias");
    await room.decisions.point({
      model,
      alias,
      version: versionOf(fields),
      reason: REASON,
      actor,
      // A traced program sets an alias more than once in one trace.
      idempotencyKey: randomUUID(),
    });
    return {};
  }),
  promote.delete("/registered-models/alias", async ({ fields, room, actor }) => {
    const decision = { model: requiredText(fields, "name"), alias: requiredText(fields, "alias"), actor, reason: REASON };
    await room.registry.deleteAlias(decision);
    return {};
  }),
  get("/registered-models/alias", async ({ fields, room }) => {
    const name = requiredText(fields, "name");
    const alias = requiredText(fields, "alias");
    const version = await room.registry.byAlias(name, alias);
    if (version !== null) return { model_version: versionMessage(version) };
    throw registryErrors.REGISTRY_ALIAS_UNKNOWN(`Registered model alias ${alias} not found.`);
  }),
];
