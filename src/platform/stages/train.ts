import { withRun } from "../../client/tracking/index.ts";
import { type CandidateDefinition, decisionOf } from "../../core/definitions/index.ts";
import { OrreryError, toOrreryError } from "../../core/errors.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import { type ArtifactRef, systemClock, type TrainerResult } from "../../core/ports/index.ts";
import { durationToMicros, type Micros } from "../../core/time.ts";
import {
  checkCandidate,
  type Dataset,
  type DatasetSplit,
  type Evaluation,
  finishCandidate,
  loadDataset,
  NO_PREPARATION,
  packModel,
  type ReliabilityBin,
  splitDataset,
  type TrainedCandidate as Trained,
  type TrainingOptions,
  trainCandidate,
  type UnitChanges,
} from "../../core/training/index.ts";
import { platformErrors } from "../errors.ts";
import { fitElsewhere, isElsewhere } from "./fit-elsewhere.ts";
import { modelNamed } from "./model-named.ts";
import { type SearchTask, searchAll, type TrialRecord, tuneCandidate } from "./search-candidates.ts";
import { type Stage, stage } from "./stage.ts";
import { StepRun } from "./step-run.ts";

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
  /** Of the search for its parameters or members; empty where nothing was searched. */
  readonly trials: readonly TrialRecord[];
  /** What a Python program reported; null for candidates that are fitted here. */
  readonly trainer: TrainerReport | null;
  readonly trainingRows: number;
  readonly purged: number;
  readonly labelCutoff: Micros;
  readonly seconds: number;
  /** StepLog: what the project's code logged meanwhile; absent where it logged nothing. */
  readonly logged?: ArtifactRef;
}

/** A candidate that could not be trained; the others go on. */
export interface FailedCandidate {
  readonly variant: CandidateVariant;
  readonly failure: ReturnType<OrreryError["toJSON"]>;
}

export type TrainOutcome = TrainedCandidate | FailedCandidate;

export type TrainerReport = Omit<TrainerResult, "onnx" | "predictions" | "log"> & {
  /** Everything the program printed. */
  readonly log: ArtifactRef;
};

let loaded: { readonly file: string; readonly dataset: Dataset } | null = null;

/** The training set that this worker's last step used is mostly the one that its next step needs. */
async function loadOnce(opened: Stage, set: TrainingSet, segments: readonly string[]): Promise<Dataset> {
  const { sha256 } = set.file;
  if (loaded?.file === sha256) return loaded.dataset;
  loaded = null;
  const dataset = await loadDataset(
    await opened.engine(),
    await opened.artifacts.localPath(sha256),
    set.plan,
    segments,
    opened.project.charter.target.type,
  );
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
  const { alternative } = project.charter;
  return {
    candidate,
    prepare: model.prepare,
    plan: set.plan,
    decision: decisionOf(project.charter),
    ...(alternative !== undefined && { rule: alternative.condition }),
    model: model.name,
    seed: model.seed,
    select: model.select,
    trainedAt: environment.now,
    snapshots: set.snapshots,
    exclude,
    units,
    ...(model.classWeights !== undefined && { classWeights: model.classWeights }),
    ...(model.rowWeights !== undefined && { rowWeights: model.rowWeights }),
    ...(model.calibrate !== undefined && { calibrate: model.calibrate }),
  };
}

export default stage<TrainInput, TrainOutcome>(async (opened, { params, needs }, progress) => {
  const { variant } = params;
  const run = new StepRun(opened.artifacts, systemClock.now);
  try {
    const trained = await withRun(run, () => train(opened, needs["training-set"], params, progress));
    return run.isEmpty ? trained : { ...trained, logged: await opened.putJson(run.collected()) };
  } catch (error) {
    // What one candidate cannot do must not keep the others from being compared.
    const isOwnFault = error instanceof OrreryError && error.kind !== "internal";
    if (!isOwnFault || ALWAYS_THERE.has(variant.candidate.kind)) throw error;
    return { variant, failure: error.toJSON() };
  }
});

/** Where these fail, it is the training set that is at fault. */
const ALWAYS_THERE: ReadonlySet<CandidateDefinition["kind"]> = new Set(["baseline", "rule"]);

async function train(
  opened: Stage,
  set: TrainingSet,
  { variant, ...scope }: TrainInput["params"],
  progress: (done: unknown) => void,
): Promise<TrainedCandidate> {
  const started = performance.now();
  const { dataset, split } = await openTrainingSet(opened, set, scope);
  const onDone = (done: number) => progress({ candidate: variant.name, done });
  const found = await fitVariant({ opened, set, scope, variant }, dataset, split, onDone);
  const trained: TrainedCandidate = {
    variant: { ...variant, candidate: found.trained.package.candidate },
    package: await opened.artifacts.put(packModel(found.trained.package), "application/x-orrery-model"),
    selection: found.trained.selection,
    history: found.trained.history,
    calibrationCurve: found.trained.calibrationCurve,
    trials: found.trials,
    trainer: found.trainer,
    trainingRows: split.train.length,
    purged: split.purged,
    labelCutoff: split.labelCutoff,
    seconds: (performance.now() - started) / 1_000,
  };
  await tellProject(opened, scope.model, trained);
  return trained;
}

/** @throws PROJECT_ON_TRAINED_FAILED */
async function tellProject({ project }: Stage, modelName: string, trained: TrainedCandidate): Promise<void> {
  const { onTrained } = modelNamed(project, modelName);
  const { variant, selection, history, trainingRows, seconds } = trained;
  const { name, candidate } = variant;
  try {
    await onTrained?.({ name, kind: candidate.kind, metrics: selection.metrics, history, trainingRows, seconds });
  } catch (cause) {
    const { message } = toOrreryError(cause);
    throw platformErrors.PROJECT_ON_TRAINED_FAILED(`onTrained of ${modelName} failed for ${name}: ${message}`, { cause });
  }
}

interface FittedVariant {
  readonly trained: Trained;
  readonly trials: readonly TrialRecord[];
  readonly trainer: TrainerReport | null;
}

async function fitVariant(
  task: SearchTask,
  dataset: Dataset,
  split: DatasetSplit,
  onDone: (done: number) => void,
): Promise<FittedVariant> {
  const { opened, set, scope, variant } = task;
  const options = trainingOptions(opened, set, scope.model, variant);
  const { candidate } = variant;
  checkCandidate(candidate);
  if (isElsewhere(candidate)) {
    const { trainer, ...fitted } = await fitElsewhere(opened, dataset, split, candidate, options);
    return {
      trained: finishCandidate(dataset, split, options, fitted),
      trials: [],
      trainer: trainer === null ? null : { ...trainer, log: await opened.artifacts.put(trainer.log, "text/plain") },
    };
  }
  if (candidate.kind === "auto-ml") {
    const { members, trials } = await searchAll({ ...task, automl: candidate }, dataset, split, options, onDone);
    const fitted = {
      preparation: NO_PREPARATION,
      estimator: { kind: "ensemble", link: "identity", members },
      history: [],
    } as const;
    return { trained: finishCandidate(dataset, split, options, fitted), trials, trainer: null };
  }
  const tuned = await tuneCandidate(task, (done) => onDone(0.9 * done));
  const trained = trainCandidate(dataset, split, { ...options, candidate: tuned.candidate }, ({ done }) =>
    onDone(tuned.trials.length > 0 ? 0.9 + 0.1 * done : done),
  );
  return { trained, trials: tuned.trials, trainer: null };
}
