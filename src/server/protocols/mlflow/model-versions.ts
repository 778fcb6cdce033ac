import type { ModelVersion } from "../../../core/registry/index.ts";
import type { TrackingRoom } from "../../../platform/tracking-rooms.ts";
import { changes, get, type MlflowEndpoint } from "./endpoint.ts";
import { stageOf } from "./registered-models.ts";
import { versionMessage, versionOf } from "./version-messages.ts";
import { cursor, type Fields, flag, listIn, nextPage, pageSize, pairs, requiredText, some, text, texts } from "./wire.ts";

const register = changes("register");
const promote = changes("promote");

const keyOf = (fields: Fields) => [requiredText(fields, "name"), versionOf(fields)] as const;

/** Where clients look for the versions that a logged model became. */
const VERSIONS_TAG = "mlflow.modelVersions";

/** With the spaces that Python's writer of JSON puts: there are programs that compare the text. */
const spaced = (_match: string, name: string, version: string) => `{"name": ${name}, "version": ${version}}`;

async function tellLoggedModel({ tracking }: TrackingRoom, id: string, { model, version }: ModelVersion): Promise<void> {
  const { tags } = await tracking.loggedModels.get(id, "all");
  const before = listIn(tags[VERSIONS_TAG]).map((each) =>
    JSON.stringify(each).replace(/^\{"name":("(?:[^"\\]|\\.)*"),"version":(\d+)\}$/, spaced),
  );
  const all = [...before, spaced("", JSON.stringify(model), String(version))];
  await tracking.loggedModels.setTags(id, { [VERSIONS_TAG]: `[${all.join(", ")}]` });
}

export const modelVersionEndpoints: readonly MlflowEndpoint[] = [
  register.post("/model-versions/create", async ({ fields, room, actor }) => {
    const version = await room.registry.createVersion(
      requiredText(fields, "name"),
      {
        source: requiredText(fields, "source"),
        runId: text(fields, "run_id"),
        runLink: text(fields, "run_link") || null,
        modelId: text(fields, "model_id") || null,
        description: text(fields, "description"),
        tags: pairs(fields, "tags"),
      },
      actor,
    );
    if (version.modelId !== null) await tellLoggedModel(room, version.modelId, version);
    return { model_version: versionMessage(version) };
  }),
  get("/model-versions/get", async ({ fields, room }) => ({
    model_version: versionMessage(await room.registry.version(...keyOf(fields))),
  })),
  register.patch("/model-versions/update", async ({ fields, room }) => {
    const [name, number] = keyOf(fields);
    const description = text(fields, "description");
    const version =
      description === undefined
        ? await room.registry.version(name, number)
        : await room.registry.describeVersion(name, number, description);
    return { model_version: versionMessage(version) };
  }),
  register.delete("/model-versions/delete", async ({ fields, room, actor }) => {
    await room.registry.deleteVersion(...keyOf(fields), actor);
    return {};
  }),
  promote.post("/model-versions/transition-stage", async ({ fields, room, actor }) => {
    const stage = stageOf(requiredText(fields, "stage"));
    const archiveOthers = flag(fields, "archive_existing_versions") ?? false;
    return { model_version: versionMessage(await room.registry.setStage(...keyOf(fields), stage, archiveOthers, actor)) };
  }),
  get("/model-versions/search", async ({ fields, room }) => {
    const found = await room.registry.searchVersions({
      filter: text(fields, "filter"),
      orderBy: texts(fields, "order_by"),
      limit: pageSize(fields, 10_000, 200_000),
      cursor: cursor(fields),
    });
    return { ...some("model_versions", found.items.map(versionMessage)), ...nextPage(found.nextCursor) };
  }),
  get("/model-versions/get-download-uri", async ({ fields, room }) => ({
    artifact_uri: (await room.registry.version(...keyOf(fields))).location,
  })),
  register.post("/model-versions/set-tag", async ({ fields, room }) => {
    await room.registry.setVersionTag(...keyOf(fields), requiredText(fields, "key"), text(fields, "value") ?? "");
    return {};
  }),
  register.delete("/model-versions/delete-tag", async ({ fields, room }) => {
    await room.registry.deleteVersionTag(...keyOf(fields), requiredText(fields, "key"));
    return {};
  }),
];
