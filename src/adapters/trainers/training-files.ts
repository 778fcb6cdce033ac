import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TrainerRequest, TrainerRows } from "../../core/ports/index.ts";
import { trainerErrors } from "./errors.ts";
import { type OutputPaths, type TrainingSpec, trainingSpec } from "./training-spec.ts";
import { NumberTooLarge, type ParquetColumn, writeParquet } from "./write-parquet.ts";

/**
 * @throws TRAIN_PYTHON_DATA_INVALID for rows that do not fit each other, TRAIN_PYTHON_OUT_OF_MEMORY where the data alone would not fit
 * the limit
 */
export function checkRows({ features, train, validation, memoryBytes, program }: TrainerRequest): void {
  if (features.length === 0) throw trainerErrors.TRAIN_PYTHON_DATA_INVALID("there are no feature columns");
  if (train.matrix.rows === 0) throw trainerErrors.TRAIN_PYTHON_DATA_INVALID("there are no training rows");
  const names = new Set<string>();
  for (const { name } of features) {
    // DuckDB, which writes the file and may read it, does not tell names apart by case.
    if (name === "" || names.has(name.toLowerCase()))
      throw trainerErrors.TRAIN_PYTHON_DATA_INVALID(`two columns are called "${name}", or would be but for case`);
    names.add(name.toLowerCase());
  }
  for (const rows of [train, validation]) if (rows !== null) checkShape(rows, features.length);
  // A float32 each is the least that any program holds while it reads all of them.
  const bytes = train.matrix.rows * features.length * Float32Array.BYTES_PER_ELEMENT;
  if (memoryBytes !== null && bytes > memoryBytes)
    throw trainerErrors.TRAIN_PYTHON_OUT_OF_MEMORY(
      `${program} would need ${megabytes(bytes)} for its training rows alone; its limit is ${megabytes(memoryBytes)}`,
      { details: { bytes, memoryBytes } },
    );
}

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;

function checkShape({ matrix, target }: TrainerRows, columns: number): void {
  const { rows } = matrix;
  const lengths = [...matrix.columns.map(({ length }) => length), target.values.length, target.weights?.length ?? rows];
  if (matrix.columns.length !== columns || lengths.some((length) => length !== rows))
    throw trainerErrors.TRAIN_PYTHON_DATA_INVALID(`a matrix of ${rows} rows and ${columns} columns has parts of other lengths`);
}

/** For what a program puts aside while it runs. */
export const temporaryFolder = (folder: string): string => join(folder, "tmp");

/**
 * Writes all that a program reads into `folder`, and makes the folders that it writes to.
 * @throws TRAIN_PYTHON_DATA_INVALID
 */
export async function writeTrainingFiles(
  request: TrainerRequest,
  folder: string,
): Promise<{ readonly specPath: string; readonly output: OutputPaths }> {
  const spec = trainingSpec(request, folder);
  const { train, validation } = spec;
  await Promise.all([mkdir(dirname(spec.output.model)), mkdir(temporaryFolder(folder))]);
  await writeRows(train.path, spec, request.train);
  if (validation !== null && request.validation !== null) await writeRows(validation.path, spec, request.validation);
  const specPath = join(folder, "spec.json");
  await writeFile(specPath, JSON.stringify(spec, null, 2));
  return { specPath, output: spec.output };
}

/**
 * Writes features as float32 (what the graph will be given when it serves, so that it is trained on the same), the target as int32 or
 * float64, and weights as float64.
 * @throws TRAIN_PYTHON_DATA_INVALID for a number that a float32 cannot hold
 */
async function writeRows(path: string, spec: TrainingSpec, { matrix, target }: TrainerRows): Promise<void> {
  const columns: ParquetColumn[] = spec.features.map(({ name }, index) => ({
    name,
    type: "float32",
    values: matrix.columns[index],
  }));
  columns.push({ name: spec.target, type: spec.task === "regression" ? "float64" : "int32", values: target.values });
  if (spec.weight !== null)
    columns.push({ name: spec.weight, type: "float64", values: target.weights ?? new Float64Array(matrix.rows).fill(1) });
  try {
    await writeParquet(path, matrix.rows, columns);
  } catch (error) {
    if (!(error instanceof NumberTooLarge)) throw error;
    const { column, row, value } = error;
    throw trainerErrors.TRAIN_PYTHON_DATA_INVALID(`row ${row} of column ${column} is ${value}, which a float32 cannot hold`, {
      hint: "Scale, clip or take the logarithm of the feature in the model's preparation.",
      details: { column, row },
    });
  }
}
