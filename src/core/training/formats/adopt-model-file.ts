import type { ModelFileCandidate } from "../../definitions/index.ts";
import type { Dataset, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import { findFeature } from "../find-feature.ts";
import { deliver, type FittedCandidate } from "../fit-candidate.ts";
import type { LinearEstimator, OnnxEstimator, Task, TreesEstimator } from "../model.ts";
import { encode } from "../preparation/encode.ts";
import type { FittedPreparation } from "../preparation/fitted-preparation.ts";
import { outputsOf } from "../score-estimator.ts";
import type { TrainingOptions } from "../training-options.ts";
import { fillCovers } from "./fill-covers.ts";
import { readLightgbmModel } from "./lightgbm-model.ts";
import { importOnnx } from "./onnx/import-onnx.ts";
import { readXgboostModel } from "./xgboost-model.ts";

const unsuited = trainErrors.TRAIN_MODEL_FILE_UNSUITED;

/** What any of the formats says of itself. */
interface ReadModel {
  readonly estimator: TreesEstimator | LinearEstimator | OnnxEstimator;
  readonly task: Task;
  readonly columns: number;
  /** null where the format has no names. */
  readonly names: readonly string[] | null;
  readonly categories: readonly number[];
  /** Names of classes where the file has them. */
  readonly classes: readonly string[];
  readonly hasCovers: boolean;
}

/**
 * Takes a saved model as an estimator of the dataset's features: columns are found by their names (or the candidate's `columns`) and read as
 * they are, numbers that may be missing. Nothing is trained; `rows` only count covers where the file has none (ONNX).
 *
 * @throws TRAIN_MODEL_FILE_UNSUITED for columns that are no numbers, are left out or have no names, and for another task or other classes;
 *   TRAIN_PARAMETER_INVALID for names that are no feature's; what the formats' readers throw
 */
export function adoptModelFile(
  bytes: Uint8Array,
  candidate: ModelFileCandidate,
  dataset: Dataset,
  rows: RowSelection,
  options: TrainingOptions,
): FittedCandidate {
  const { path } = candidate;
  const read = readModelFile(bytes);
  checkTask(read, dataset, path);
  const features = featuresRead(read, candidate, dataset, options);
  const asTheyAre: FittedPreparation = {
    columns: features.map((feature) => ({
      name: dataset.features[feature].id,
      categories: 0,
      source: { kind: "number", feature },
      maps: [],
    })),
    encodings: [],
  };
  const { estimator } = read;
  const counted =
    estimator.kind === "trees" && !read.hasCovers ? fillCovers(estimator, encode(asTheyAre, dataset, rows)) : estimator;
  return { preparation: deliver(asTheyAre, options), estimator: counted, history: [] };
}

/** LightGBM's text begins with "tree", both of XGBoost's forms with a brace, ONNX with neither. */
function readModelFile(bytes: Uint8Array): ReadModel {
  const start = new TextDecoder().decode(bytes.subarray(0, 4));
  if (!start.startsWith("{") && start !== "tree") {
    const { estimator, task, columns, categories, classes } = importOnnx(bytes);
    return { estimator, task, columns, names: null, categories, classes, hasCovers: false };
  }
  const { estimator, features, categories } =
    start === "tree" ? readLightgbmModel(new TextDecoder().decode(bytes)) : readXgboostModel(bytes);
  const task = estimator.link === "logit" ? "binary" : estimator.link === "softmax" ? "multiclass" : "regression";
  return { estimator, task, columns: features.length, names: features, categories, classes: [], hasCovers: true };
}

function checkTask({ estimator, task, classes }: ReadModel, dataset: Dataset, path: string): void {
  if (task !== dataset.task) throw unsuited(`${path} is a model for ${task}, and the task is ${dataset.task}`);
  if (task !== "multiclass") return;
  const outputs = outputsOf(estimator);
  if (outputs !== dataset.classes.length)
    throw unsuited(`${path} tells ${outputs} classes apart, and the target has ${dataset.classes.length}`);
  // A file that numbers its classes means them in the target's order.
  const isSame = classes.every((name, k) => name === dataset.classes[k] || name === String(k));
  if (!isSame) throw unsuited(`${path} has the classes ${classes.join(", ")}, and the target ${dataset.classes.join(", ")}`);
}

/** Positions of the features that the file's columns are. */
function featuresRead(
  { columns, names, categories }: ReadModel,
  candidate: ModelFileCandidate,
  { features }: Dataset,
  { exclude = [] }: TrainingOptions,
): number[] {
  const { path } = candidate;
  const given = candidate.columns ?? names;
  if (given === null) throw unsuited(`${path} does not name its ${columns} columns`);
  if (given.length !== columns) throw unsuited(`${path} has ${columns} columns, and ${given.length} are named`);
  const ids = features.map(({ id }) => id);
  return given.map((name, column) => {
    const feature = findFeature(ids, name, path);
    const { id, kind } = features[feature];
    if (kind !== "numeric" || categories[column] > 0)
      throw unsuited(`${path} reads categories in ${id} by codes of its own, which are not known here`);
    if (exclude.includes(id)) throw unsuited(`${path} reads ${id}, which is left out`);
    return feature;
  });
}
