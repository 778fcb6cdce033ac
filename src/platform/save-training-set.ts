import { DATASET_CONTEXT_TAG, type RunDataset, type Tracking } from "../core/tracking/index.ts";
import type { TrainingSetOutput } from "./stages/training-set.ts";
import { TRAINING_SET_FILE, TRAINING_SET_RECORD, TRAINING_SET_TAG } from "./training-sets.ts";

/** Tracking clients allow a digest so many characters. */
const DIGEST_LENGTH = 36;

/** Keeps a training set and its record with a run, whose id becomes the training set's. May be repeated. */
export async function saveTrainingSet(tracking: Tracking, runId: string, model: string, set: TrainingSetOutput): Promise<void> {
  await tracking.logArtifact(runId, TRAINING_SET_FILE, set.file);
  if (set.record !== undefined) await tracking.logArtifact(runId, TRAINING_SET_RECORD, set.record);
  await nameTrainingSet(tracking, runId, runId, model, set);
}

/** Says of a run which training set it learned from. May be repeated. */
export async function nameTrainingSet(
  tracking: Tracking,
  runId: string,
  trainingSet: string,
  model: string,
  { file, rows, labelled, columns, plan }: TrainingSetOutput,
): Promise<void> {
  await tracking.setTags(runId, { [TRAINING_SET_TAG]: trainingSet });
  const dataset: RunDataset["dataset"] = {
    name: `${model} training set`,
    digest: file.sha256.slice(0, DIGEST_LENGTH),
    sourceType: "orrery-training-set",
    source: JSON.stringify({ run_id: trainingSet, path: TRAINING_SET_FILE, sha256: file.sha256 }),
    schema: JSON.stringify({
      mlflow_colspec: plan.features.map(({ id, type }) => ({ name: id, type: COLUMN_TYPES[type], required: false })),
    }),
    profile: JSON.stringify({ num_rows: rows, num_elements: rows * columns.length, labelled }),
  };
  await tracking.logInputs(runId, { datasets: [{ dataset, tags: { [DATASET_CONTEXT_TAG]: "training" } }] });
}

/** What tracking clients call our types. */
const COLUMN_TYPES = {
  string: "string",
  int32: "integer",
  int64: "long",
  float64: "double",
  bool: "boolean",
  timestamp: "datetime",
} as const;
