import { availableParallelism } from "node:os";
import { join } from "node:path";
import { PythonTrainer } from "../../adapters/trainers/python.ts";
import type { PythonCandidate } from "../../core/definitions/index.ts";
import type { TrainerPredictions, TrainerResult } from "../../core/ports/index.ts";
import {
  applyLink,
  classesOf,
  type Dataset,
  type DatasetSplit,
  deliver,
  encode,
  type FittedCandidate,
  fillCovers,
  importOnnx,
  labelsOf,
  type Matrix,
  outputsOf,
  prepareRows,
  type ServableEstimator,
  scoreMatrix,
  type TrainingOptions,
  trainErrors,
} from "../../core/training/index.ts";
import type { Stage } from "./stage.ts";

export interface PythonFit extends FittedCandidate {
  readonly trainer: Pick<TrainerResult, "metrics" | "log" | "seconds" | "peakBytes" | "environment">;
}

/** float32 sums on one side and doubles on the other, through a sigmoid or an exponential. */
const TOLERANCE = 1e-4;

/**
 * Has a Python program fit on the prepared training rows, and takes its ONNX graph as an estimator: translated where its structure
 * is known, interpreted otherwise.
 * @throws TRAIN_PYTHON_… and TRAIN_ONNX_… errors
 */
export async function fitInPython(
  { environment, paths }: Stage,
  dataset: Dataset,
  split: DatasetSplit,
  candidate: PythonCandidate,
  options: TrainingOptions,
  onOutput: (line: string) => void,
): Promise<PythonFit> {
  const { preparation, matrix, target } = prepareRows(dataset, split.train, options, candidate.columns);
  const delivered = deliver(preparation, options);
  const validation = encode(delivered, dataset, split.select);
  const trainer = new PythonTrainer({
    cacheFolder: join(paths.root, "python"),
    workFolder: join(paths.tmp, "trainers"),
  });
  const { onnx, predictions, ...rest } = await trainer.train({
    program: candidate.program,
    folder: environment.projectDirectory,
    requirements: candidate.requirements,
    params: candidate.params,
    task: dataset.task,
    classes: classesOf(dataset),
    features: preparation.columns.map(({ name, categories }) => ({ name, categories })),
    train: { matrix, target },
    validation: { matrix: validation, target: { values: labelsOf(dataset, split.select) } },
    seed: options.seed,
    threads: availableParallelism(),
    timeoutMs: candidate.timeout / 1_000,
    memoryBytes: candidate.memory,
    onOutput,
  });
  const imported = importOnnx(onnx);
  if (imported.task !== dataset.task) {
    throw trainErrors.TRAIN_ONNX_UNSUPPORTED(
      `${candidate.name} handed back a model for ${imported.task}, not for ${dataset.task}`,
    );
  }
  if (imported.columns !== preparation.columns.length) {
    throw trainErrors.TRAIN_ONNX_UNSUPPORTED(
      `${candidate.name} handed back a model of ${imported.columns} columns, and was given ${preparation.columns.length}`,
    );
  }
  const estimator =
    imported.estimator.kind === "trees" ? fillCovers(imported.estimator, matrix, target.weights) : imported.estimator;
  if (predictions !== null) compare(candidate, estimator, predictions.part === "train" ? matrix : validation, predictions);
  return { preparation: delivered, estimator, history: [], trainer: rest };
}

/** The graph must say what the program's own model said of the same rows. */
function compare(
  { name }: PythonCandidate,
  estimator: Exclude<ServableEstimator, { kind: "ensemble" }>,
  matrix: Matrix,
  { rows, values, outputs }: TrainerPredictions,
): void {
  const own = outputsOf(estimator);
  const first = { ...matrix, rows, columns: matrix.columns.map((column) => column.subarray(0, rows)) };
  const said = applyLink(estimator.link, scoreMatrix(estimator, first), own);
  const differs =
    own !== outputs
      ? -1
      : said.findIndex((value, i) => !(Math.abs(value - values[i]) <= TOLERANCE * Math.max(1, Math.abs(values[i]))));
  if (own === outputs && differs < 0) return;
  const where =
    own === outputs
      ? `row ${Math.floor(differs / own)}: ${said[differs]} against ${values[differs]}`
      : `${own} outputs against ${outputs}`;
  throw trainErrors.TRAIN_ONNX_DIFFERS(`the graph of ${name} does not say what its model said (${where})`);
}
