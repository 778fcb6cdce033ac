import { join } from "node:path";
import type { TrainerRequest } from "../../core/ports/index.ts";

/** The JSON file that tells a program what to do; described in docs/guides/python-trainers.md. */
export interface TrainingSpec {
  readonly version: 1;
  readonly task: TrainerRequest["task"];
  readonly classes: number;
  readonly seed: number;
  readonly threads: number;
  readonly params: TrainerRequest["params"];
  readonly features: TrainerRequest["features"];
  /** Names of the columns beside the features. */
  readonly target: string;
  readonly weight: string | null;
  readonly train: RowsFile;
  readonly validation: RowsFile | null;
  readonly output: OutputPaths;
}

export interface RowsFile {
  readonly path: string;
  readonly rows: number;
}

/** Where a program puts what it made. Only the model must be there. */
export interface OutputPaths {
  readonly model: string;
  readonly metrics: string;
  readonly predictions: string;
  /** Written by whatever ran the program, when it raised something. */
  readonly failure: string;
}

export const outputPaths = (folder: string): OutputPaths => ({
  model: join(folder, "output", "model.onnx"),
  metrics: join(folder, "output", "metrics.json"),
  predictions: join(folder, "output", "predictions.json"),
  failure: join(folder, "output", "failure.json"),
});

export function trainingSpec(request: TrainerRequest, folder: string): TrainingSpec {
  const { task, classes, seed, threads, params, features, train, validation } = request;
  const weighted = train.target.weights !== undefined || validation?.target.weights !== undefined;
  return {
    version: 1,
    task,
    classes,
    seed,
    threads,
    params,
    features,
    target: nameBeside(features, "target"),
    weight: weighted ? nameBeside(features, "weight") : null,
    train: { path: join(folder, "train.parquet"), rows: train.matrix.rows },
    validation:
      validation === null || validation.matrix.rows === 0
        ? null
        : { path: join(folder, "validation.parquet"), rows: validation.matrix.rows },
    output: outputPaths(folder),
  };
}

/** A column's name that no feature has, whatever its case. */
function nameBeside(features: TrainerRequest["features"], wanted: string): string {
  const taken = new Set(features.map(({ name }) => name.toLowerCase()));
  let name = wanted;
  while (taken.has(name)) name = `_${name}`;
  return name;
}
