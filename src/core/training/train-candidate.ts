import type { CandidateDefinition, ModelDefinition, PreparationStep } from "../definitions/index.ts";
import type { FeaturePlan } from "../features/index.ts";
import type { Micros } from "../time.ts";
import { fitGradientBoosting } from "./boosting/gradient-boosting.ts";
import { fitCalibration } from "./calibration/calibration.ts";
import type { Dataset, DatasetSplit, RowSelection } from "./dataset.ts";
import { trainErrors } from "./errors.ts";
import { fitLogisticRegression } from "./linear/logistic-regression.ts";
import { evaluate, type ReliabilityBin, reliabilityCurve } from "./metrics/evaluate.ts";
import { type Decision, higherIsBetter } from "./metrics/metrics.ts";
import type { Evaluation, FittedEstimator, ModelPackage } from "./model.ts";
import { predict } from "./predict.ts";
import { convertUnits, type UnitChanges } from "./preparation/convert-units.ts";
import { encode } from "./preparation/encode.ts";
import { type EstimatorFamily, type FittedColumns, fitPreparation } from "./preparation/fit-preparation.ts";
import { type FittedPreparation, NO_PREPARATION } from "./preparation/fitted-preparation.ts";
import { logit } from "./score-estimator.ts";
import { requireBothClasses } from "./splits/split-by-time.ts";

export interface TrainingOptions {
  readonly candidate: CandidateDefinition;
  readonly prepare: readonly PreparationStep[];
  readonly plan: FeaturePlan;
  readonly decision: Decision;
  /** The charter's alternative, to be kept in the rule candidate's package. */
  readonly rule?: string;
  readonly model: string;
  readonly seed: number;
  /** What candidates are compared by: ranking metrics require both classes in the selection part. */
  readonly select: ModelDefinition["select"];
  readonly trainedAt: Micros;
  /** Snapshot id by source. */
  readonly snapshots: Readonly<Record<string, string>>;
  /** Feature ids that the estimator must not use; the plan keeps them. */
  readonly exclude?: readonly string[];
  /** Features delivered in other units since after the last training row: selection, calibration and serving read them converted. */
  readonly units?: UnitChanges;
}

export interface TrainedCandidate {
  readonly package: ModelPackage;
  /** On the selection part of validation, by calibrated probability. */
  readonly selection: Evaluation;
  /** On the selection part, which calibration has not seen. */
  readonly calibrationCurve: readonly ReliabilityBin[];
  /** Log loss on the selection part after 0, 1, 2 … trees; empty for estimators that are not grown step by step. */
  readonly history: readonly number[];
}

/** Called as training goes on, with the share done (0…1). */
export type ProgressListener = (progress: { readonly candidate: string; readonly done: number }) => void;

/**
 * Fits preparation and estimator on `split.train`, calibrates on `split.calibrate`, and evaluates on `split.select`; `split.test`
 * is not touched. Boosting stops early by log loss on the selection part. Deterministic for a seed. Takes the thread: call it
 * in a worker.
 *
 * @throws TRAIN_ONE_CLASS, TRAIN_NO_FEATURES, TRAIN_TOO_MANY_COLUMNS, TRAIN_PARAMETER_INVALID, TRAIN_NOT_CONVERGED
 */
export function trainCandidate(
  dataset: Dataset,
  split: DatasetSplit,
  options: TrainingOptions,
  onProgress: ProgressListener = () => {},
): TrainedCandidate {
  const { candidate, decision, select } = options;
  requireBothClasses(dataset, split.train, "train");
  if (select !== "log_loss") requireBothClasses(dataset, split.select, "select");
  const { preparation, estimator, history } = fit(dataset, split, options, (done) =>
    onProgress({ candidate: candidate.name, done }),
  );
  const uncalibrated: ModelPackage = {
    formatVersion: 2,
    model: options.model,
    task: "binary",
    classes: [],
    candidate,
    plan: options.plan,
    preparation,
    estimator,
    calibration: null,
    decision: { threshold: decision.threshold, payoff: decision.payoff },
    trainedAt: options.trainedAt,
    labelCutoff: split.labelCutoff,
    trainingRows: split.train.length,
    snapshots: options.snapshots,
    seed: options.seed,
  };
  const learns = candidate.kind === "logistic-regression" || candidate.kind === "gradient-boosting";
  const calibration = learns
    ? fitCalibration(predict(uncalibrated, dataset, split.calibrate).prediction, labelsOf(dataset, split.calibrate))
    : null;
  const model = { ...uncalibrated, calibration };
  const labels = labelsOf(dataset, split.select);
  const { prediction } = predict(model, dataset, split.select);
  const days = Int32Array.from(split.select, (row) => dataset.day[row]);
  return {
    package: model,
    selection: evaluate(labels, prediction, days, decision, { seed: options.seed }),
    calibrationCurve: reliabilityCurve(labels, prediction),
    history,
  };
}

interface Fitted {
  readonly preparation: FittedPreparation;
  readonly estimator: FittedEstimator;
  readonly history: readonly number[];
}

function fit(dataset: Dataset, split: DatasetSplit, options: TrainingOptions, onDone: (done: number) => void): Fitted {
  const { candidate, units = {} } = options;
  const ids = options.plan.features.map(({ id }) => id);
  const labels = labelsOf(dataset, split.train);
  switch (candidate.kind) {
    case "baseline": {
      const probability = labels.reduce((sum, label) => sum + label, 0) / labels.length;
      return {
        preparation: NO_PREPARATION,
        estimator: { kind: "baseline", link: "logit", output: Float64Array.of(logit(probability)) },
        history: [],
      };
    }
    case "rule":
      return { preparation: NO_PREPARATION, estimator: { kind: "rule", condition: options.rule ?? "" }, history: [] };
    case "logistic-regression": {
      const { preparation, matrix } = prepared(dataset, split.train, labels, options, "linear");
      const estimator = fitLogisticRegression(matrix, { values: labels }, candidate.params);
      return { preparation: convertUnits(preparation, ids, units), estimator, history: [] };
    }
    case "gradient-boosting": {
      const { preparation, matrix } = prepared(dataset, split.train, labels, options, "tree");
      const delivered = convertUnits(preparation, ids, units);
      const { estimator, history } = fitGradientBoosting(matrix.columns, labels, candidate.params, {
        seed: options.seed,
        validation: { columns: encode(delivered, dataset, split.select).columns, labels: labelsOf(dataset, split.select) },
        onDone,
      });
      return { preparation: delivered, estimator, history: history.logLoss };
    }
  }
}

function prepared(
  dataset: Dataset,
  rows: RowSelection,
  labels: Uint8Array,
  { prepare, exclude = [], plan, seed }: TrainingOptions,
  family: EstimatorFamily,
): FittedColumns {
  return fitPreparation(dataset, rows, {
    steps: prepare,
    family,
    target: { values: labels },
    task: "binary",
    seed,
    exclude,
    timestamps: plan.features.filter(({ type }) => type === "timestamp").map(({ id }) => id),
    treeCategories: "rank",
  });
}

const labelsOf = (dataset: Dataset, rows: RowSelection): Uint8Array => Uint8Array.from(rows, (row) => dataset.label[row]);

/**
 * The candidate with the best selection metric; of equal ones the first.
 * @throws TRAIN_NO_CANDIDATE when none has the metric
 */
export function selectCandidate<T extends { readonly selection: Evaluation }>(
  results: readonly T[],
  metric: ModelDefinition["select"],
): T {
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
