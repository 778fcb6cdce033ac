import type { CandidateDefinition, FoldDefinition } from "../../core/definitions/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import {
  type Dataset,
  type DatasetSplit,
  type Fold,
  finishCandidate,
  makeFolds,
  predict,
  type TrainedCandidate,
  type TrainingOptions,
  type TrialScore,
  trainCandidate,
  trainErrors,
  tuningFold,
} from "../../core/training/index.ts";
import { fitElsewhere, isElsewhere } from "./fit-elsewhere.ts";
import { modelNamed } from "./model-named.ts";
import { type Stage, stage } from "./stage.ts";
import { type CandidateVariant, openTrainingSet, type RetrainScope, trainingOptions } from "./train.ts";

export interface TrialParams extends RetrainScope {
  /** With the parameters to try. */
  readonly variant: Omit<CandidateVariant, "name">;
  /** The score is the mean over these. null: one fold like the model's split judges. */
  readonly folds: FoldDefinition | null;
  /** Share of the training rows to fit on, evenly taken (0…1). */
  readonly resource: number;
  /** Keeps the predictions of the rows that judge. */
  readonly keepPredictions: boolean;
}

export interface TrialDetail {
  /** Float64 array of predictions of the fold's rows that judge, in their order. */
  readonly predictions: ArtifactRef | null;
}

/** Fits one candidate with one set of parameters, in a process of its own, and judges it by the model's selection metric. */
export default stage<{ params: TrialParams; needs: { "training-set": TrainingSet } }, TrialScore>(
  async (opened, { params, needs }) => {
    const set = needs["training-set"];
    const model = modelNamed(opened.project, params.model);
    const { dataset, split } = await openTrainingSet(opened, set, params);
    const options = { ...trainingOptions(opened, set, params.model, params.variant), resamples: 0 };
    const folds =
      params.folds === null
        ? [tuningFold(model.split, dataset, split.train, model.seed)]
        : makeFolds(params.folds, dataset, split.train, model.seed);
    let sum = 0;
    let predictions: ArtifactRef | null = null;
    for (const fold of folds) {
      const trained = await trainOn(opened, dataset, split, fold, params, options);
      const score = trained.selection.metrics[model.select]?.value;
      if (score === undefined)
        throw trainErrors.TRAIN_TRIAL_SCORE_INVALID(`${model.select} is undefined on ${fold.test.length} rows`);
      sum += score;
      if (!params.keepPredictions) continue;
      const { prediction } = predict(trained.package, dataset, fold.test);
      predictions = await opened.artifacts.put(Buffer.from(prediction.buffer), "application/octet-stream");
    }
    return { score: sum / folds.length, detail: { predictions } satisfies TrialDetail };
  },
);

/** Fits on a share of the fold's training rows; the fold's other rows stop it early and judge it. */
async function trainOn(
  opened: Stage,
  dataset: Dataset,
  split: DatasetSplit,
  fold: Fold,
  { variant, resource }: TrialParams,
  options: TrainingOptions,
): Promise<TrainedCandidate> {
  const rows = fold.train.filter((_, i) => Math.floor((i + 1) * resource) > Math.floor(i * resource));
  const none = new Uint32Array(0);
  const parts = { ...split, train: rows, select: fold.test, calibrate: none, test: none };
  const { candidate } = variant;
  return isElsewhere(candidate)
    ? finishCandidate(dataset, parts, options, await fitElsewhere(opened, dataset, parts, candidate, options))
    : trainCandidate(dataset, parts, options);
}

/** The candidate with these parameters instead of the ranges. */
export function withParams(candidate: CandidateDefinition, values: Readonly<Record<string, unknown>>): CandidateDefinition {
  if (!("tune" in candidate)) return candidate;
  const { tune: _, ...rest } = candidate;
  // A search space names parameters of the candidate's own kind, with values of their types.
  return { ...rest, params: { ...candidate.params, ...values } } as CandidateDefinition;
}
