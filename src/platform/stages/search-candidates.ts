import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openLocalExecutor } from "../../adapters/executors/local.ts";
import { type AutoMlCandidate, type CandidateDefinition, higherIsBetter, type MetricName } from "../../core/definitions/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import { type ArtifactRef, type Executor, systemClock } from "../../core/ports/index.ts";
import type { Micros } from "../../core/time.ts";
import {
  automlCandidates,
  climbRungs,
  type Dataset,
  type DatasetSplit,
  type Direction,
  type EndedTrial,
  type EnsembleMember,
  evaluatePredictions,
  fitCandidate,
  gridSampler,
  halvingPruner,
  noPruner,
  openStudyJournal,
  pointFrom,
  randomSampler,
  runAutoml,
  runStep,
  runStudy,
  runTrial,
  type StudyJournal,
  type TrainingOptions,
  type TrialControl,
  type TrialScore,
  tpeSampler,
  trainErrors,
  tuningFold,
} from "../../core/training/index.ts";
import { fitElsewhere, isElsewhere } from "./fit-elsewhere.ts";
import { modelNamed } from "./model-named.ts";
import { type TrialDetail, type TrialParams, withParams } from "./score-trial.ts";
import type { Stage } from "./stage.ts";
import type { CandidateVariant, RetrainScope } from "./train.ts";

/** One trial of a search, as it is recorded as a run. */
export interface TrialRecord {
  readonly candidate: string;
  readonly number: number;
  readonly state: EndedTrial["state"];
  readonly params: EndedTrial["params"];
  /** Absent where it did not finish. */
  readonly score?: number;
  readonly error?: string;
  /** By the machine's clock, which a replay's clock is not. */
  readonly startedAt: Micros;
  readonly endedAt: Micros;
}

/** What a search works on. */
export interface SearchTask {
  readonly opened: Stage;
  readonly set: TrainingSet;
  readonly scope: RetrainScope;
  readonly variant: CandidateVariant;
}

const MODULE = new URL("./score-trial.ts", import.meta.url).href;
/** Trials that may be given up are fitted on a ninth and a third of the rows first. */
const RUNGS = 3;
const REDUCTION = 3;

/**
 * Finds a candidate's parameters in its ranges. Goes on where an earlier attempt was cut off.
 * @throws TRAIN_SEARCH_FAILED, TRAIN_SEARCH_SPACE_INVALID
 */
export async function tuneCandidate(
  task: SearchTask,
  onProgress: (done: number) => void,
): Promise<{ readonly candidate: CandidateDefinition; readonly trials: readonly TrialRecord[] }> {
  const { opened, scope, variant } = task;
  const { candidate } = variant;
  if (!("tune" in candidate) || candidate.tune === undefined) return { candidate, trials: [] };
  const { space, settings } = candidate.tune;
  const model = modelNamed(opened.project, scope.model);
  const pruner = settings.pruning
    ? halvingPruner({ minResource: 1, maxResource: REDUCTION ** (RUNGS - 1), reduction: REDUCTION })
    : noPruner();
  const sampler = { tpe: tpeSampler, random: randomSampler, grid: gridSampler }[settings.sampler]();
  const executor = openExecutor(settings.workers);
  const journal = await openJournal(task, "tune");
  const start = pointFrom(space, { ...candidate.params });
  let ended = 0;
  try {
    const result = await runStudy({
      space,
      sampler,
      pruner,
      direction: directionOf(model.select),
      seed: model.seed,
      budget: { trials: settings.trials, ...(settings.time !== null && { time: settings.time }) },
      workers: settings.workers,
      trialTime: settings.trialTime,
      initial: start === null ? [] : [start],
      clock: systemClock,
      journal,
      evaluate: (trial, control) =>
        runTrial(trial, (report) =>
          climbRungs(pruner, report, (share) =>
            scoreTrial(task, executor, control, {
              candidate: withParams(candidate, trial.params),
              folds: settings.folds,
              resource: share,
              keepPredictions: false,
            }),
          ),
        ),
      onTrial: () => onProgress(++ended / settings.trials),
    });
    if (result.best === null)
      throw trainErrors.TRAIN_SEARCH_FAILED(`the time was over before a trial of ${variant.name} finished`);
    return {
      candidate: withParams(candidate, result.best.params),
      trials: result.trials.map((trial) => recordOf(variant.name, trial)),
    };
  } finally {
    await journal.close();
    await executor.close();
  }
}

export interface BlendedMembers {
  readonly members: readonly EnsembleMember[];
  readonly trials: readonly TrialRecord[];
}

/**
 * Searches over every kind of candidate for the time given, and fits the members of the best blend on all training rows.
 * @throws TRAIN_SEARCH_FAILED, TRAIN_NO_CANDIDATE
 */
export async function searchAll(
  task: SearchTask & { readonly automl: AutoMlCandidate },
  dataset: Dataset,
  split: DatasetSplit,
  options: TrainingOptions,
  onProgress: (done: number) => void,
): Promise<BlendedMembers> {
  const { opened, scope, automl } = task;
  const { time, workers, ensemble, counts } = automl.params;
  const model = modelNamed(opened.project, scope.model);
  const fold = tuningFold(model.split, dataset, split.train, model.seed);
  const candidates = automlCandidates(model.candidates, dataset.task, { counts });
  const definitionOf = (name: string, params: EndedTrial["params"]) => {
    const found = candidates.find((candidate) => candidate.name === name);
    if (found === undefined) throw trainErrors.TRAIN_NO_CANDIDATE(`there is no candidate ${name}`);
    return withParams(found.definition, params);
  };
  const scoreOf = (prediction: Float64Array) =>
    evaluatePredictions(dataset, fold.test, prediction, options.decision, { resamples: 0 }).metrics[model.select]?.value ??
    Number.NaN;
  const executor = openExecutor(workers);
  const started = systemClock.now();
  try {
    const result = await runAutoml({
      candidates,
      direction: directionOf(model.select),
      seed: model.seed,
      rungs: RUNGS,
      reduction: REDUCTION,
      budget: { time },
      workers,
      trialTime: time,
      clock: systemClock,
      journal: (name) => openJournal(task, name),
      evaluate: ({ candidate, params, resource }, control) =>
        scoreTrial(task, executor, control, {
          candidate: definitionOf(candidate, params),
          folds: null,
          resource,
          keepPredictions: resource === 1,
        }),
      ensemble: {
        size: ensemble,
        score: scoreOf,
        predictionsOf: async ({ trial }) => float64(await opened.artifacts.read(predictionsOf(trial.detail).sha256)),
      },
      onTrial: () => onProgress(Math.min(1, (systemClock.now() - started) / time)),
    });
    if (result.ensemble === null) throw trainErrors.TRAIN_SEARCH_FAILED("the time was over before any trial finished");
    const members: EnsembleMember[] = [];
    for (const { candidate, trial, weight } of result.ensemble.members) {
      const fitted = await fitMember(opened, dataset, split, definitionOf(candidate, trial.params), options);
      members.push({ name: `${candidate} ${trial.number}`, weight, ...fitted });
    }
    return { members, trials: result.trials.map(({ candidate, trial }) => recordOf(candidate, trial)) };
  } finally {
    await executor.close();
  }
}

/** Fits one member of a blend on all training rows. @throws TRAIN_CANDIDATE_ELSEWHERE, TRAIN_RULE_NOT_SERVABLE for what cannot be blended */
async function fitMember(
  opened: Stage,
  dataset: Dataset,
  split: DatasetSplit,
  definition: CandidateDefinition,
  options: TrainingOptions,
): Promise<Pick<EnsembleMember, "preparation" | "estimator">> {
  if (definition.kind === "auto-ml") throw trainErrors.TRAIN_CANDIDATE_ELSEWHERE(`${definition.name} cannot be blended`);
  const { preparation, estimator } = isElsewhere(definition)
    ? await fitElsewhere(opened, dataset, split, definition, options)
    : fitCandidate(dataset, { train: split.train, validation: split.select }, definition, options);
  if (estimator.kind === "rule") throw trainErrors.TRAIN_RULE_NOT_SERVABLE("a rule cannot be blended");
  return { preparation, estimator };
}

async function scoreTrial(
  { opened, set, scope, variant }: SearchTask,
  executor: Executor,
  control: TrialControl,
  { candidate, ...how }: Omit<TrialParams, keyof RetrainScope | "variant"> & { readonly candidate: CandidateDefinition },
): Promise<TrialScore> {
  const params: TrialParams = { ...scope, variant: { ...variant, candidate }, ...how };
  const input = { params, needs: { "training-set": set } };
  const task = { id: `${variant.name} ${candidate.name}`, module: MODULE, input, context: { ...opened.environment } };
  // What the module answers is what it makes.
  return (await runStep(executor, task, control)) as TrialScore;
}

const directionOf = (metric: MetricName): Direction => (higherIsBetter(metric) ? "maximize" : "minimize");

const openExecutor = (workers: number): Executor =>
  openLocalExecutor({ workers, log: { info: () => undefined, warn: (fields, message) => console.error(message, fields) } });

/** Named after everything that its trials depend on, so that an attempt that was cut off goes on and nothing else is taken for it. */
async function openJournal({ opened, set, scope, variant }: SearchTask, name: string): Promise<StudyJournal> {
  const folder = join(opened.paths.root, "studies");
  mkdirSync(folder, { recursive: true });
  const about = JSON.stringify([set.file.sha256, scope, variant, name]);
  return openStudyJournal(join(folder, `${createHash("sha256").update(about).digest("hex")}.ndjson`));
}

function predictionsOf(detail: unknown): ArtifactRef {
  // The detail of a trial that was scored on all rows is what score-trial.ts made of it.
  const { predictions } = detail as TrialDetail;
  if (predictions === null) throw trainErrors.TRAIN_STUDY_CORRUPT("A finished trial has no predictions");
  return predictions;
}

const float64 = (bytes: Uint8Array): Float64Array => new Float64Array(new Uint8Array(bytes).buffer);

const recordOf = (candidate: string, trial: EndedTrial): TrialRecord => ({
  candidate,
  number: trial.number,
  state: trial.state,
  params: trial.params,
  startedAt: trial.startedAt,
  endedAt: trial.endedAt,
  ...(trial.state === "finished" && { score: trial.score }),
  ...(trial.state === "failed" && { error: `${trial.error.code}: ${trial.error.message}` }),
});
