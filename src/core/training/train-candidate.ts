import { type CharterDecision, higherIsBetter, type MetricName } from "../definitions/index.ts";
import type { FeatureValue } from "../features/index.ts";
import { fitCalibration, fitClassCalibration } from "./calibration/calibration.ts";
import type { Dataset, DatasetSplit, RowSelection } from "./dataset.ts";
import { trainErrors } from "./errors.ts";
import { evaluatePredictions } from "./evaluate-candidate.ts";
import { type FittedCandidate, fitCandidate } from "./fit-candidate.ts";
import { binaryLabels, labelsOf } from "./labels.ts";
import { chooseThreshold } from "./metrics/choose-threshold.ts";
import { type ReliabilityBin, reliabilityCurve } from "./metrics/evaluate.ts";
import { rankRows } from "./metrics/rank-rows.ts";
import type { Calibration, Evaluation, ModelPackage } from "./model.ts";
import { predict } from "./predict.ts";
import { requireBothClasses } from "./splits/split-by-time.ts";
import type { TrainingOptions } from "./training-options.ts";

export interface TrainedCandidate {
  readonly package: ModelPackage;
  /** On the selection part of validation, by calibrated prediction. */
  readonly selection: Evaluation;
  /** On the selection part, which calibration has not seen; empty unless the task is binary. */
  readonly calibrationCurve: readonly ReliabilityBin[];
  /** Loss on the selection part after 0, 1, 2 … steps; empty for estimators that are not grown step by step. */
  readonly history: readonly number[];
}

/** Called as training goes on, with the share done (0…1). */
export type ProgressListener = (progress: { readonly candidate: string; readonly done: number }) => void;

/**
 * Fits preparation and estimator on `split.train`, calibrates on `split.calibrate`, and evaluates on `split.select`; `split.test`
 * is not touched. Boosting stops early by the selection part. Deterministic for a seed. Takes the thread: call it in a worker.
 *
 * @throws TRAIN_CANDIDATE_ELSEWHERE for a Python program or AutoML; what `fitCandidate` and `finishCandidate` throw
 */
export function trainCandidate(
  dataset: Dataset,
  split: DatasetSplit,
  options: TrainingOptions,
  onProgress: ProgressListener = () => {},
): TrainedCandidate {
  const { candidate } = options;
  if (candidate.kind === "python" || candidate.kind === "auto-ml" || candidate.kind === "model-file") {
    throw trainErrors.TRAIN_CANDIDATE_ELSEWHERE(`${candidate.name} trains in processes of its own`);
  }
  requireVariety(dataset, split, options);
  const fitted = fitCandidate(dataset, { train: split.train, validation: split.select }, candidate, options, (done) =>
    onProgress({ candidate: candidate.name, done }),
  );
  return finishCandidate(dataset, split, options, fitted);
}

/**
 * Calibrates on `split.calibrate`, evaluates on `split.select` and packs up what was fitted, wherever that was.
 * @throws TRAIN_ONE_CLASS, TRAIN_EVALUATION_INVALID
 */
export function finishCandidate(
  dataset: Dataset,
  split: DatasetSplit,
  options: TrainingOptions,
  { preparation, estimator, history }: FittedCandidate,
): TrainedCandidate {
  requireVariety(dataset, split, options);
  const { candidate, decision: asked } = options;
  const uncalibrated: ModelPackage = {
    formatVersion: 2,
    model: options.model,
    task: dataset.task,
    classes: dataset.classes,
    candidate,
    plan: options.plan,
    preparation,
    estimator,
    calibration: null,
    background: estimator.kind === "onnx" || estimator.kind === "ensemble" ? backgroundOf(dataset, split.train) : [],
    decision: { threshold: asked.threshold, payoff: asked.payoff },
    trainedAt: options.trainedAt,
    labelCutoff: split.labelCutoff,
    trainingRows: split.train.length,
    snapshots: options.snapshots,
    seed: options.seed,
  };
  const calibrated = { ...uncalibrated, calibration: calibrate(uncalibrated, dataset, split.calibrate, options) };
  const decision = { ...calibrated.decision, threshold: thresholdOf(calibrated, dataset, split.calibrate, asked) };
  const model = { ...calibrated, decision };
  const { prediction } = predict(model, dataset, split.select);
  return {
    package: model,
    selection: evaluatePredictions(dataset, split.select, prediction, decision, {
      seed: options.seed,
      ...(options.resamples !== undefined && { resamples: options.resamples }),
    }),
    calibrationCurve: dataset.task === "binary" ? reliabilityCurve(binaryLabels(dataset, split.select), prediction) : [],
    history,
  };
}

/** The charter's own, or the one that serves its goal best on the calibration rows, which neither trained nor select. */
function thresholdOf(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  { threshold, goal, payoff }: CharterDecision,
): number {
  // What says 0 or 1 acts by itself.
  if (goal === undefined || model.task !== "binary" || model.estimator.kind === "rule" || rows.length === 0) return threshold;
  const ranked = rankRows(binaryLabels(dataset, rows), predict(model, dataset, rows).prediction);
  const objective = goal.kind === "payoff" ? { kind: "payoff" as const, payoff } : goal;
  return chooseThreshold(ranked, objective)?.threshold ?? threshold;
}

const BACKGROUND_ROWS = 25;

/** Feature values of some rows, evenly taken. */
function backgroundOf({ features }: Dataset, rows: RowSelection): FeatureValue[][] {
  const count = Math.min(BACKGROUND_ROWS, rows.length);
  return Array.from({ length: count }, (_, i) => {
    const row = rows[Math.floor((i * rows.length) / count)];
    return features.map((column): FeatureValue => {
      if (column.kind === "categorical") return column.categories[column.codes[row]] ?? null;
      return Number.isFinite(column.values[row]) ? column.values[row] : null;
    });
  });
}

/** null: what cannot or need not be calibrated says what it says. */
function calibrate(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  { calibrate: method }: TrainingOptions,
): Calibration | null {
  const { task, estimator } = model;
  const isConstant = estimator.kind === "baseline" || estimator.kind === "rule";
  if (task === "regression" || isConstant || method === "none" || rows.length === 0) return null;
  const { prediction } = predict(model, dataset, rows);
  if (task === "multiclass") {
    return fitClassCalibration(prediction, labelsOf(dataset, rows), dataset.classes.length, method && { method });
  }
  const labels = binaryLabels(dataset, rows);
  if (method === "temperature") {
    throw trainErrors.TRAIN_PARAMETER_INVALID(
      `temperature calibrates several classes, and ${estimator.kind} says one probability`,
      {
        hint: "Calibrate by isotonic or sigmoid.",
      },
    );
  }
  return fitCalibration(prediction, labels, method && { method });
}

/** Metrics that need no second class. */
const ONE_CLASS_IS_ENOUGH: ReadonlySet<MetricName> = new Set([
  "log_loss",
  "brier",
  "accuracy",
  "ece",
  "mce",
  "payoff_per_decision",
]);

function requireVariety(dataset: Dataset, split: DatasetSplit, { select }: TrainingOptions): void {
  if (dataset.task !== "binary") return;
  requireBothClasses(dataset, split.train, "train");
  if (!ONE_CLASS_IS_ENOUGH.has(select)) requireBothClasses(dataset, split.select, "select");
}

/**
 * The candidate with the best selection metric; of equal ones the first.
 * @throws TRAIN_NO_CANDIDATE when none has the metric
 */
export function selectCandidate<T extends { readonly selection: Evaluation }>(results: readonly T[], metric: MetricName): T {
  const sign = higherIsBetter(metric) ? 1 : -1;
  let best: T | undefined;
  let bestValue = Number.NEGATIVE_INFINITY;
  for (const result of results) {
    const estimate = result.selection.metrics[metric];
    if (estimate === undefined || sign * estimate.value <= bestValue) continue;
    best = result;
    bestValue = sign * estimate.value;
  }
  if (best === undefined) throw trainErrors.TRAIN_NO_CANDIDATE(`none of ${results.length} candidates has a ${metric} to compare`);
  return best;
}
