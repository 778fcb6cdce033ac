import type { Experiment } from "../../../core/tracking/index.ts";
import { ask, changes, get, type MlflowCall, type MlflowEndpoint } from "./endpoint.ts";
import {
  cursor,
  entries,
  type Fields,
  nextPage,
  pageSize,
  pairs,
  refused,
  requiredText,
  some,
  text,
  texts,
  toMillis,
  view,
} from "./wire.ts";

const track = changes("track");

const experimentMessage = (experiment: Experiment) => ({
  experiment_id: experiment.id,
  name: experiment.name,
  artifact_location: experiment.artifactLocation,
  lifecycle_stage: experiment.lifecycle,
  last_update_time: toMillis(experiment.updatedAt),
  creation_time: toMillis(experiment.createdAt),
  ...some("tags", entries(experiment.tags)),
});

const experimentId = (fields: Fields) => requiredText(fields, "experiment_id");

async function search({ fields, room }: MlflowCall) {
  const found = await room.tracking.experiments.search({
    filter: text(fields, "filter"),
    orderBy: texts(fields, "order_by"),
    view: view(fields, "view_type"),
    // Clients of old ask for none and mean all.
    limit: pageSize(fields, 1_000, 50_000),
    cursor: cursor(fields),
  });
  return { ...some("experiments", found.items.map(experimentMessage)), ...nextPage(found.nextCursor) };
}

const MOST_EXPERIMENTS = 20;

export const experimentEndpoints: readonly MlflowEndpoint[] = [
  track.post("/experiments/create", async ({ fields, room }) => {
    const { id } = await room.tracking.experiments.create({
      name: requiredText(fields, "name"),
      artifactLocation: text(fields, "artifact_location") || undefined,
      tags: pairs(fields, "tags"),
    });
    return { experiment_id: id };
  }),
  get("/experiments/get", async ({ fields, room }) => ({
    experiment: experimentMessage(await room.tracking.experiments.get(experimentId(fields))),
  })),
  get("/experiments/get-by-name", async ({ fields, room }) => ({
    experiment: experimentMessage(await room.tracking.experiments.named(requiredText(fields, "experiment_name"))),
  })),
  get("/experiments/search", search),
  ask("/experiments/search", search),
  track.post("/experiments/delete", async ({ fields, room }) => {
    await room.tracking.experiments.delete(experimentId(fields));
    return {};
  }),
  track.post("/experiments/restore", async ({ fields, room }) => {
    await room.tracking.experiments.restore(experimentId(fields));
    return {};
  }),
  track.post("/experiments/update", async ({ fields, room }) => {
    await room.tracking.experiments.rename(experimentId(fields), requiredText(fields, "new_name"));
    return {};
  }),
  track.post("/experiments/set-experiment-tag", async ({ fields, room }) => {
    const key = requiredText(fields, "key");
    await room.tracking.experiments.setTag(experimentId(fields), key, text(fields, "value") ?? "");
    return {};
  }),
  track.post("/experiments/delete-experiment-tag", async ({ fields, room }) => {
    await room.tracking.experiments.deleteTag(experimentId(fields), requiredText(fields, "key"));
    return {};
  }),
  ask("/experiments/search-datasets", async ({ fields, room }) => {
    const ids = texts(fields, "experiment_ids");
    if (ids.length === 0) throw refused("SearchDatasets request must specify at least one experiment_id.", "experiment_ids");
    if (ids.length > MOST_EXPERIMENTS)
      throw refused(
        `SearchDatasets request cannot specify more than ${MOST_EXPERIMENTS} experiment_ids. Received ${ids.length} experiment_ids.`,
        "experiment_ids",
      );
    const found = await room.tracking.searchDatasets(ids);
    const summaries = found.map(({ experimentId: id, context, ...dataset }) => ({
      experiment_id: id,
      ...dataset,
      ...(context === null ? {} : { context }),
    }));
    return some("dataset_summaries", summaries);
  }),
];
