import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CandidateDefinition, ModelFileCandidate, PythonCandidate } from "../../core/definitions/index.ts";
import {
  adoptModelFile,
  type Dataset,
  type DatasetSplit,
  type FittedCandidate,
  type TrainingOptions,
  trainErrors,
} from "../../core/training/index.ts";
import type { Stage } from "./stage.ts";
import { fitInPython, type PythonFit } from "./train-python.ts";

/** Candidates whose estimator comes from outside: from a program, or from a file that one wrote. */
export type ElsewhereCandidate = PythonCandidate | ModelFileCandidate;

export const isElsewhere = (candidate: CandidateDefinition): candidate is ElsewhereCandidate =>
  candidate.kind === "python" || candidate.kind === "model-file";

export type ElsewhereFit = FittedCandidate & { readonly trainer: PythonFit["trainer"] | null };

/** @throws TRAIN_MODEL_FILE_MISSING, and what `fitInPython` and `adoptModelFile` throw */
export async function fitElsewhere(
  opened: Stage,
  dataset: Dataset,
  split: DatasetSplit,
  candidate: ElsewhereCandidate,
  options: TrainingOptions,
): Promise<ElsewhereFit> {
  if (candidate.kind === "python") return fitInPython(opened, dataset, split, candidate, options, () => undefined);
  const bytes = await readModelFile(opened, candidate);
  return { ...adoptModelFile(bytes, candidate, dataset, split.train, options), trainer: null };
}

async function readModelFile({ environment }: Stage, { path, name }: ModelFileCandidate): Promise<Uint8Array> {
  try {
    return await readFile(resolve(environment.projectDirectory, path));
  } catch (cause) {
    throw trainErrors.TRAIN_MODEL_FILE_MISSING(`The candidate ${name} is the file ${path}, which cannot be read`, { cause });
  }
}
