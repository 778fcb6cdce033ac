import { OrreryError } from "../../core/errors.ts";
import { evenSample } from "../../core/explain/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import { buildReference } from "../../core/monitoring/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import {
  convertDataset,
  type Dataset,
  type Exploration,
  exploreTrainingSet,
  exportOnnx,
  type FrameModel,
  frameModel,
  labelTarget,
  type ModelPackage,
  predict,
  type RowSelection,
  unpackModel,
} from "../../core/training/index.ts";
import { type CandidateComparison, compareWithWinner } from "./compare-candidates.ts";
import type { EvaluateOutput } from "./evaluate.ts";
import { explainModel, type StoredExplanation } from "./model-explanations.ts";
import { modelNamed } from "./model-named.ts";
import { referenceSample } from "./reference-sample.ts";
import { type Stage, stage } from "./stage.ts";
import { openTrainingSet, type RetrainScope } from "./train.ts";

/** Artifact `exploration.json` of a model's run. */
export interface StoredExploration extends Exploration {
  /** What the indexes of classes stand for, where there are several. */
  readonly classes: readonly string[];
}

export interface ExplainOutput {
  readonly explanation: ArtifactRef;
  /** ReferenceProfile of the training rows (core/monitoring); null for a model that cannot be monitored. */
  readonly reference: ArtifactRef | null;
  /** StoredExploration of the training rows. */
  readonly exploration: ArtifactRef;
  /** Sentences about features that may know what they should not. */
  readonly suspicions: readonly string[];
  /** ReferenceSample: training rows that single predictions are compared with. */
  readonly background: ArtifactRef;
  /** The model as an ONNX file; null where it cannot be written as one, and why. */
  readonly onnx: ArtifactRef | null;
  readonly onnxProblem: string | null;
  /** What the folder that MLflow loads is made of; null where there is no ONNX file. */
  readonly mlflow: MlflowParts | null;
  /** Every other candidate against the winner, on the same selection rows. */
  readonly comparisons: readonly CandidateComparison[];
}

export interface MlflowParts {
  /** The model as a graph over the columns of a data frame. */
  readonly onnx: ArtifactRef;
  readonly signature: FrameModel["signature"];
}

/** Profiles and relations are much the same on so many rows, evenly taken, and exploring all of a million takes seconds. */
const EXPLORED_ROWS = 30_000;

export default stage<{ params: RetrainScope; needs: { "training-set": TrainingSet; evaluate: EvaluateOutput } }, ExplainOutput>(
  async (opened, { params, needs }, progress) => {
    const set = needs["training-set"];
    const { winner, candidates } = needs.evaluate;
    const model = modelNamed(opened.project, params.model);
    const packaged = unpackModel(await opened.artifacts.read(winner.package.sha256));
    const { dataset, split } = await openTrainingSet(opened, set, params);
    const explanation: StoredExplanation = explainModel(packaged, dataset, split.select, {
      select: model.select,
      protected: model.protected,
      target: opened.project.charter.target.name,
    });
    progress({ done: 0.6 });
    const explored = evenSample(split.train, EXPLORED_ROWS);
    const exploration = exploreTrainingSet(dataset, explored, labelTarget(dataset, explored), {
      timestamps: set.plan.features.filter(({ type }) => type === "timestamp").map(({ id }) => id),
    });
    const comparisons = await compareWithWinner(opened, dataset, split.select, candidates, winner, model.select);
    progress({ done: 0.9 });
    const delivered = convertDataset(dataset, winner.variant.units);
    return {
      explanation: await opened.putJson(explanation),
      reference: await writeReference(opened, packaged, delivered, split.train),
      background: await opened.putJson(referenceSample(delivered, split.train)),
      exploration: await opened.putJson({ ...exploration, classes: dataset.classes } satisfies StoredExploration),
      suspicions: exploration.suspicions.map(({ feature, says }) => `${feature}: ${says}`),
      ...(await writeOnnx(opened, packaged, completeFeatures(delivered, split.train))),
      comparisons,
    };
  },
);

/** What is normal from now on: the training rows as they would be delivered today. */
async function writeReference(
  opened: Stage,
  model: ModelPackage,
  delivered: Dataset,
  rows: RowSelection,
): Promise<ArtifactRef | null> {
  if (model.task !== "binary") return null;
  return opened.putJson(buildReference(delivered, rows, predict(model, delivered, rows).prediction, model.plan));
}

/** Ids of features that have a value in all of these rows. */
function completeFeatures({ features }: Dataset, rows: RowSelection): ReadonlySet<string> {
  const complete = features.filter((column) =>
    column.kind === "numeric"
      ? rows.every((row) => !Number.isNaN(column.values[row]))
      : rows.every((row) => column.codes[row] >= 0),
  );
  return new Set(complete.map(({ id }) => id));
}

async function writeOnnx(
  opened: Stage,
  model: ModelPackage,
  complete: ReadonlySet<string>,
): Promise<Pick<ExplainOutput, "onnx" | "onnxProblem" | "mlflow">> {
  const put = (bytes: Uint8Array) => opened.artifacts.put(bytes, "application/octet-stream");
  try {
    const onnx = exportOnnx(model);
    const frame = frameModel(model, complete);
    return {
      onnx: await put(onnx),
      onnxProblem: null,
      mlflow: { onnx: await put(frame.onnx), signature: frame.signature },
    };
  } catch (error) {
    // Graphs of other trainers may use what cannot be joined with our preparation; the model is served all the same.
    if (!(error instanceof OrreryError && error.code === "TRAIN_ONNX_UNSUPPORTED")) throw error;
    return { onnx: null, onnxProblem: error.message, mlflow: null };
  }
}
