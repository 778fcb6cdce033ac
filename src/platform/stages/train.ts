import type { CandidateDefinition } from "../../core/definitions/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import type { Micros } from "../../core/time.ts";
import { type DatasetSplit, type Dataset, type Evaluation, loadDataset, packModel, splitByTime, splitSince, trainCandidate } from "../../core/training/index.ts";
import { modelNamed } from "./model-named.ts";
import { type Stage, stage } from "./stage.ts";

/** One estimator with the features it may use. */
export interface CandidateVariant {
  /** Unique within the run: the candidate's name, and what was left out. */
  readonly name: string;
  readonly candidate: CandidateDefinition;
  readonly exclude: readonly string[];
}

export interface RetrainScope {
  readonly model: string;
  /** When the trouble began that this training answers; candidates are selected and tested on what came after. `null`: the model's own split. */
  readonly since: Micros | null;
}

export interface TrainInput {
  readonly params: RetrainScope & { readonly variant: CandidateVariant };
  readonly needs: { readonly "training-set": TrainingSet };
}

export interface TrainedCandidate {
  readonly variant: CandidateVariant;
  readonly package: ArtifactRef;
  /** On the selection part of validation. */
  readonly selection: Evaluation;
  /** Loss on the selection part after each tree, where the estimator has steps. */
  readonly history: readonly number[];
  readonly trainingRows: number;
  readonly purged: number;
  readonly labelCutoff: Micros;
  readonly seconds: number;
}

export async function openTrainingSet(opened: Stage, set: TrainingSet, scope: RetrainScope): Promise<{ dataset: Dataset; split: DatasetSplit }> {
  const model = modelNamed(opened.project, scope.model);
  const path = await opened.artifacts.localPath(set.file.sha256);
  const dataset = await loadDataset(await opened.engine(), path, set.plan, model.segments);
  const split = scope.since === null ? splitByTime(dataset, model.split, set.asOf) : splitSince(dataset, model.split, set.asOf, scope.since);
  return { dataset, split };
}

export default stage<TrainInput, TrainedCandidate>(async (opened, { params, needs }, progress) => {
  const { project, artifacts, environment } = opened;
  const started = performance.now();
  const set = needs["training-set"];
  const model = modelNamed(project, params.model);
  const { dataset, split } = await openTrainingSet(opened, set, params);
  const { when, payoff } = project.charter.decision;
  const trained = trainCandidate(
    dataset,
    split,
    {
      candidate: params.variant.candidate,
      prepare: model.prepare,
      plan: set.plan,
      decision: { threshold: when.at, payoff },
      model: model.name,
      seed: model.seed,
      select: model.select,
      trainedAt: environment.now,
      snapshots: set.snapshots,
      exclude: params.variant.exclude,
    },
    progress,
  );
  return {
    variant: params.variant,
    package: await artifacts.put(packModel(trained.package), "application/x-orrery-model"),
    selection: trained.selection,
    history: trained.history,
    trainingRows: split.train.length,
    purged: split.purged,
    labelCutoff: split.labelCutoff,
    seconds: (performance.now() - started) / 1_000,
  };
});
