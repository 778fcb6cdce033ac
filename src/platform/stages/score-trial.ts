import type { CandidateDefinition } from "../../core/definitions/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import { finishCandidate, predict, type TrialScore, trainCandidate, trainErrors, tuningFold } from "../../core/training/index.ts";
import { fitElsewhere, isElsewhere } from "./fit-elsewhere.ts";
import { modelNamed } from "./model-named.ts";
import { stage } from "./stage.ts";
import { type CandidateVariant, openTrainingSet, type RetrainScope, trainingOptions } from "./train.ts";

export interface TrialParams extends RetrainScope {
  /** With the parameters to try. */
  readonly variant: Omit<CandidateVariant, "name">;
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
    const fold = tuningFold(model.split, dataset, split.train, model.seed);
    const rows = fold.train.filter((_, i) => Math.floor((i + 1) * params.resource) > Math.floor(i * params.resource));
    const none = new Uint32Array(0);
    const options = { ...trainingOptions(opened, set, params.model, params.variant), resamples: 0 };
    const parts = { ...split, train: rows, select: fold.test, calibrate: none, test: none };
    const { candidate } = params.variant;
    const trained = isElsewhere(candidate)
      ? finishCandidate(dataset, parts, options, await fitElsewhere(opened, dataset, parts, candidate, options))
      : trainCandidate(dataset, parts, options);
    const score = trained.selection.metrics[model.select]?.value;
    if (score === undefined)
      throw trainErrors.TRAIN_TRIAL_SCORE_INVALID(`${model.select} is undefined on ${fold.test.length} rows`);
    return { score, detail: { predictions: params.keepPredictions ? await keep() : null } satisfies TrialDetail };

    function keep(): Promise<ArtifactRef> {
      const { prediction } = predict(trained.package, dataset, fold.test);
      return opened.artifacts.put(Buffer.from(prediction.buffer), "application/octet-stream");
    }
  },
);

/** The candidate with these parameters instead of the ranges. */
export function withParams(candidate: CandidateDefinition, values: Readonly<Record<string, unknown>>): CandidateDefinition {
  if (!("tune" in candidate)) return candidate;
  const { tune: _, ...rest } = candidate;
  // A search space names parameters of the candidate's own kind, with values of their types.
  return { ...rest, params: { ...candidate.params, ...values } } as CandidateDefinition;
}
