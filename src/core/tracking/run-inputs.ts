import type { Kysely } from "kysely";
import type { Database, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { trackingErrors } from "./errors.ts";
import { inChunks } from "./in-chunks.ts";
import type { RunDataset, RunLogs, RunModel } from "./interfaces.ts";
import { checkText, TRACKING_LIMITS } from "./limits.ts";
import { deletedRun, unknownRun } from "./run-records.ts";
import { DATASET_CONTEXT_TAG } from "./well-known-tags.ts";

const MOST_DATASETS = 1_000;

/** What runs read and made: data sets and logged models. */
export function runInputs(
  store: MetadataStore,
  { workspace, project }: Scope,
): Pick<RunLogs, "logInputs" | "logOutputs" | "searchDatasets"> {
  const own = { workspace, project };

  /** The experiment of a run that may be written to. */
  async function experimentOf(db: Kysely<Database>, runId: string): Promise<string> {
    const run = await db
      .selectFrom("runs")
      .select(["experiment_id", "lifecycle"])
      .where((each) => each.and({ ...own, id: runId }))
      .executeTakeFirst();
    if (run === undefined) throw unknownRun(runId);
    if (run.lifecycle === "deleted") throw deletedRun(runId);
    return run.experiment_id;
  }

  const writeModels = (db: Kysely<Database>, runId: string, direction: "input" | "output", models: readonly RunModel[]) =>
    store.insertMany(
      db,
      "run_models",
      // Of one that comes twice the last counts.
      [...new Map(models.map((model) => [model.modelId, model])).values()].map(({ modelId, step }) => ({
        ...own,
        run_id: runId,
        direction,
        model_id: modelId,
        step,
      })),
      { key: ["workspace", "project", "run_id", "direction", "model_id"], update: ["step"] },
    );

  async function writeDatasets(db: Kysely<Database>, experimentId: string, runId: string, given: readonly RunDataset[]) {
    const stored = await db
      .selectFrom("run_datasets")
      .select(["name", "digest", "position"])
      .where((each) => each.and({ ...own, run_id: runId, experiment_id: experimentId }))
      .execute();
    const before = new Set(stored.map(keyOf));
    let position = stored.reduce((last, row) => Math.max(last, row.position + 1), 0);
    // Of one that comes twice the first counts.
    const datasets = new Map(given.toReversed().map((each) => [keyOf(each.dataset), each]));
    const added = [...datasets].toReversed().filter(([key]) => !before.has(key));
    const links = added.map(([, { dataset, tags }]) => ({
      ...own,
      run_id: runId,
      experiment_id: experimentId,
      name: dataset.name,
      digest: dataset.digest,
      position: position++,
      tags: JSON.stringify(tags),
    }));
    await store.insertMany(
      db,
      "datasets",
      [...datasets.values()].map(({ dataset }) => ({
        ...own,
        experiment_id: experimentId,
        name: dataset.name,
        digest: dataset.digest,
        source_type: dataset.sourceType,
        source: dataset.source,
        schema: dataset.schema,
        profile: dataset.profile,
      })),
      "ignore",
    );
    await store.insertMany(db, "run_datasets", links, "ignore");
  }

  return {
    async logInputs(runId, { datasets = [], models = [] }) {
      if (datasets.length > MOST_DATASETS)
        throw trackingErrors.TRACKING_BATCH_TOO_LARGE(`The call has ${datasets.length} data sets`, {
          hint: `At most ${MOST_DATASETS} a call.`,
        });
      for (const each of datasets) checkDataset(each);
      await store.transaction(async (db) => {
        const experimentId = await experimentOf(db, runId);
        if (datasets.length > 0) await writeDatasets(db, experimentId, runId, datasets);
        await writeModels(db, runId, "input", models);
      });
    },

    async logOutputs(runId, models) {
      await store.transaction(async (db) => {
        await experimentOf(db, runId);
        await writeModels(db, runId, "output", models);
      });
    },

    async searchDatasets(experimentIds) {
      const rows = await inChunks([...new Set(experimentIds)], (some) =>
        store.db
          .selectFrom("run_datasets")
          .select(["experiment_id", "name", "digest", "tags"])
          .distinct()
          .where((each) => each.and(own))
          .where("experiment_id", "in", some)
          .orderBy("experiment_id")
          .orderBy("name")
          .orderBy("digest")
          .orderBy("tags")
          .execute(),
      );
      const found = new Map(
        rows.map(({ experiment_id, name, digest, tags }) => {
          // Written by logInputs above.
          const context = (JSON.parse(tags) as Record<string, string>)[DATASET_CONTEXT_TAG] ?? null;
          return [JSON.stringify([experiment_id, name, digest, context]), { experimentId: experiment_id, name, digest, context }];
        }),
      );
      return [...found.values()].slice(0, MOST_DATASETS);
    },
  };
}

const keyOf = ({ name, digest }: { readonly name: string; readonly digest: string }) => JSON.stringify([name, digest]);

/** @throws TRACKING_DATASET_INVALID, TRACKING_VALUE_TOO_LONG */
function checkDataset({ dataset, tags }: RunDataset): void {
  const { datasetName, datasetDigest, datasetSource, datasetSchema, datasetProfile, inputTagKey, inputTagValue } =
    TRACKING_LIMITS;
  const limits = [
    ["name", dataset.name, datasetName],
    ["digest", dataset.digest, datasetDigest],
    ["source type", dataset.sourceType, datasetName],
    ["source", dataset.source, datasetSource],
    ["schema", dataset.schema ?? "", datasetSchema],
    ["profile", dataset.profile ?? "", datasetProfile],
  ] as const;
  if (dataset.name === "" || dataset.digest === "")
    throw trackingErrors.TRACKING_DATASET_INVALID("A data set needs a name and a digest");
  for (const [what, text, most] of limits) {
    if (text.length > most)
      throw trackingErrors.TRACKING_DATASET_INVALID(`A data set's ${what} has ${text.length} characters, ${most} are the limit`);
    checkText(`A data set's ${what}`, text, most);
  }
  for (const [key, value] of Object.entries(tags)) {
    checkText("A data set's tag", key, inputTagKey);
    checkText(`A data set's tag ${key.slice(0, 60)}`, value, inputTagValue);
  }
}
