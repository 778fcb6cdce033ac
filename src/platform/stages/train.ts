import type { CandidateDefinition } from "../../core/definitions/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import { durationToMicros, type Micros } from "../../core/time.ts";
import {
  type Dataset,
  type DatasetSplit,
  type Evaluation,
  loadDataset,
  packModel,
  type ReliabilityBin,
  splitDataset,
  type TrainingOptions,
  trainCandidate,
  type UnitChanges,
} from "../../core/training/index.ts";
import { modelNamed } from "./model-named.ts";
import { type Stage, stage } from "./stage.ts";

/** One estimator with the features it may use. */
export interface CandidateVariant {
  /** Unique within the run: the candidate's name, and what was left out. */
  readonly name: string;
  readonly candidate: CandidateDefinition;
  readonly exclude: readonly string[];
  /** Features that have come in other units since `RetrainScope.since`. */
  readonly units: UnitChanges;
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
  readonly calibrationCurve: readonly ReliabilityBin[];
  readonly trainingRows: number;
  readonly purged: number;
  readonly labelCutoff: Micros;
  readonly seconds: number;
}

let loaded: { readonly file: string; readonly dataset: Dataset } | null = null;

/** The training set that this worker's last step used is mostly the one that its next step needs. */
async function loadOnce(opened: Stage, set: TrainingSet, segments: readonly string[]): Promise<Dataset> {
  const { sha256 } = set.file;
  if (loaded?.file === sha256) return loaded.dataset;
  loaded = null;
  const dataset = await loadDataset(await opened.engine(), await opened.artifacts.localPath(sha256), set.plan, segments);
  loaded = { file: sha256, dataset };
  return dataset;
}

export async function openTrainingSet(
  opened: Stage,
  set: TrainingSet,
  scope: RetrainScope,
): Promise<{ dataset: Dataset; split: DatasetSplit }> {
  const model = modelNamed(opened.project, scope.model);
  const dataset = await loadOnce(opened, set, model.segments);
  // Outcomes that came early are no fair sample of their day: only predictions whose truth is due are split.
  const maturedUntil = set.asOf - model.labels.lead - durationToMicros(opened.project.charter.target.groundTruthAfter);
  const since = scope.since === null ? {} : { since: scope.since };
  const split = splitDataset(dataset, model.split, set.asOf, { seed: model.seed, maturedUntil, ...since });
  return { dataset, split };
}

/** How this project trains a candidate on this training set. */
export function trainingOptions(
  { project, environment }: Stage,
  set: TrainingSet,
  modelName: string,
  { candidate, exclude, units }: Omit<CandidateVariant, "name">,
): TrainingOptions {
  const model = modelNamed(project, modelName);
  const { decision, alternative } = project.charter;
  return {
    candidate,
    prepare: model.prepare,
    plan: set.plan,
    decision: { threshold: decision.when.at, payoff: decision.payoff },
    rule: alternative.condition,
    model: model.name,
    seed: model.seed,
    select: model.select,
    trainedAt: environment.now,
    snapshots: set.snapshots,
    exclude,
    units,
  };
}

export default stage<TrainInput, TrainedCandidate>(async (opened, { params, needs }, progress) => {
  const started = performance.now();
  const set = needs["training-set"];
  const { dataset, split } = await openTrainingSet(opened, set, params);
  const trained = trainCandidate(dataset, split, trainingOptions(opened, set, params.model, params.variant), progress);
  return {
    variant: params.variant,
    package: await opened.artifacts.put(packModel(trained.package), "application/x-orrery-model"),
    selection: trained.selection,
    history: trained.history,
    calibrationCurve: trained.calibrationCurve,
    trainingRows: split.train.length,
    purged: split.purged,
    labelCutoff: split.labelCutoff,
    seconds: (performance.now() - started) / 1_000,
  };
});
