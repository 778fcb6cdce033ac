import type { BaselineCandidate, CandidateDefinition, GradientBoostingParams } from "../definitions/index.ts";
import { fitBestFeature } from "./baselines/best-feature.ts";
import { fitBaseline } from "./baselines/fit-baseline.ts";
import type { BoostingObjective, BoostingParams } from "./boosting/boosting-params.ts";
import { fitGradientBoosting } from "./boosting/gradient-boosting.ts";
import { checkCandidate } from "./check-candidate.ts";
import { checkSeed } from "./check-values.ts";
import type { Dataset, RowSelection } from "./dataset.ts";
import { trainErrors } from "./errors.ts";
import { findFeature } from "./find-feature.ts";
import { fitForest } from "./forest/fit-forest.ts";
import { labelsOf } from "./labels.ts";
import { fitLinearRegression } from "./linear/linear-regression.ts";
import { fitLogisticRegression } from "./linear/logistic-regression.ts";
import { fitPoissonRegression } from "./linear/poisson-regression.ts";
import type { Matrix, Target } from "./matrix.ts";
import type { FittedEstimator } from "./model.ts";
import { convertUnits } from "./preparation/convert-units.ts";
import { encode } from "./preparation/encode.ts";
import { type EstimatorFamily, fitPreparation } from "./preparation/fit-preparation.ts";
import { type EncodedColumn, type FittedPreparation, featuresOf, NO_PREPARATION } from "./preparation/fitted-preparation.ts";
import { trainingWeights } from "./preparation/training-weights.ts";
import type { TrainingOptions } from "./training-options.ts";

export interface FitRows {
  readonly train: RowSelection;
  /** Stop estimators early that are grown step by step. */
  readonly validation: RowSelection;
}

export interface FittedCandidate {
  readonly preparation: FittedPreparation;
  readonly estimator: FittedEstimator;
  /** Loss on the validation rows after 0, 1, 2 … steps; empty for estimators that are not grown step by step, or do not stop early. */
  readonly history: readonly number[];
}

/** Candidates that are fitted here: a Python program and AutoML need other processes, a file is fitted already. */
export type FittableCandidate = Exclude<CandidateDefinition, { kind: "python" | "auto-ml" | "model-file" }>;

/**
 * Fits preparation and estimator on `rows.train`. Deterministic for a seed. Takes the thread: call it in a worker.
 *
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_SEARCH_SPACE_INVALID for a wrong definition, TRAIN_TASK_UNSUPPORTED for an estimator that
 * cannot do the dataset's task, and what preparations and estimators throw
 */
export function fitCandidate(
  dataset: Dataset,
  rows: FitRows,
  candidate: FittableCandidate,
  options: TrainingOptions,
  onDone: (done: number) => void = () => {},
): FittedCandidate {
  checkCandidate(candidate);
  checkSeed(options.seed);
  requireTask(candidate, dataset);
  const classes = classesOf(dataset);
  switch (candidate.kind) {
    case "baseline":
      return fitBaselineCandidate(dataset, rows.train, candidate, options);
    case "rule":
      return { preparation: NO_PREPARATION, estimator: { kind: "rule", condition: options.rule ?? "" }, history: [] };
    case "logistic-regression":
    case "linear-regression":
    case "poisson-regression": {
      const { preparation, matrix, target } = prepareRows(dataset, rows.train, options, "linear");
      return {
        preparation: deliver(preparation, options),
        estimator: fitLinear(candidate, matrix, target, classes),
        history: [],
      };
    }
    case "random-forest":
    case "extra-trees": {
      const { preparation, matrix, target } = prepareRows(dataset, rows.train, options, "tree");
      const { kind, params } = candidate;
      const { estimator } = fitForest(matrix, target, params, { kind, classes, seed: options.seed, onDone });
      return { preparation: deliver(preparation, options), estimator, history: [] };
    }
    case "gradient-boosting": {
      const { preparation, matrix, target } = prepareRows(dataset, rows.train, options, "tree");
      const delivered = deliver(preparation, options);
      const stopsEarly = candidate.params.earlyStopping > 0 && rows.validation.length > 0;
      const { estimator, history } = fitGradientBoosting(
        matrix,
        target,
        boostingParams(candidate.params, objectiveOf(dataset, candidate.params), preparation, options),
        {
          seed: options.seed,
          ...(classes > 0 && { classes }),
          threads: options.threads ?? 1,
          onDone,
          ...(stopsEarly && {
            validation: {
              matrix: encode(delivered, dataset, rows.validation),
              target: { values: labelsOf(dataset, rows.validation) },
            },
          }),
        },
      );
      return { preparation: delivered, estimator, history: history.loss };
    }
  }
}

/** The rows' matrix and target as an estimator of this family takes them, with the preparation that was fitted on them. */
export function prepareRows(
  dataset: Dataset,
  rows: RowSelection,
  options: TrainingOptions,
  family: EstimatorFamily,
): { readonly preparation: FittedPreparation; readonly matrix: Matrix; readonly target: Target } {
  const { prepare, exclude = [], plan, seed } = options;
  const target = targetOf(dataset, rows, options);
  const { preparation, matrix } = fitPreparation(dataset, rows, {
    steps: prepare,
    family,
    target,
    task: dataset.task,
    seed,
    exclude,
    timestamps: plan.features.filter(({ type }) => type === "timestamp").map(({ id }) => id),
  });
  return { preparation, matrix, target };
}

/** What has to be beaten is what the rows say as they are: weights are part of the candidates' craft. */
const withoutWeights = ({ classWeights: _, rowWeights: __, ...options }: TrainingOptions): TrainingOptions => options;

/** Labels and weights of training rows. */
function targetOf(dataset: Dataset, rows: RowSelection, { classWeights, rowWeights }: TrainingOptions): Target {
  const values = labelsOf(dataset, rows);
  const weights = trainingWeights(dataset, rows, values, {
    ...(classWeights !== undefined && { classes: classWeights }),
    ...(rowWeights !== undefined && { rows: rowWeights }),
  });
  return weights === undefined ? { values } : { values, weights };
}

function fitBaselineCandidate(
  dataset: Dataset,
  rows: RowSelection,
  { params: { strategy } }: BaselineCandidate,
  options: TrainingOptions,
): FittedCandidate {
  const classes = classesOf(dataset);
  const unweighted = withoutWeights(options);
  if (strategy === "best-feature") {
    const { preparation, matrix, target } = prepareRows(dataset, rows, unweighted, "tree");
    const { estimator } = fitBestFeature(matrix, target, { classes, seed: options.seed });
    return { preparation: deliver(preparation, options), estimator, history: [] };
  }
  const knownAt = Float64Array.from(rows, (row) => dataset.labelAt[row]);
  const estimator = fitBaseline(targetOf(dataset, rows, unweighted), { strategy, classes, knownAt });
  return { preparation: NO_PREPARATION, estimator, history: [] };
}

/** The preparation as rows are delivered now, where their units have changed since training. */
export const deliver = (preparation: FittedPreparation, { plan, units = {} }: TrainingOptions): FittedPreparation =>
  convertUnits(
    preparation,
    plan.features.map(({ id }) => id),
    units,
  );

/** 0 for regression. */
export const classesOf = ({ task, classes }: Dataset): number =>
  task === "regression" ? 0 : task === "binary" ? 2 : classes.length;

function requireTask({ kind, name }: FittableCandidate, { task }: Dataset): void {
  const refuse = (wanted: string) => {
    throw trainErrors.TRAIN_TASK_UNSUPPORTED(`${name} (${kind}) is for ${wanted}, and the task is ${task}`, {
      hint: "Take the candidate out of the model, or correct the charter's target type.",
    });
  };
  if (kind === "rule" && task !== "binary") refuse("binary targets");
  if (kind === "logistic-regression" && task === "regression") refuse("classes");
  if ((kind === "linear-regression" || kind === "poisson-regression") && task !== "regression") refuse("regression");
}

type LinearCandidate = Extract<FittableCandidate, { kind: "logistic-regression" | "linear-regression" | "poisson-regression" }>;

function fitLinear(candidate: LinearCandidate, matrix: Matrix, target: Target, classes: number) {
  switch (candidate.kind) {
    case "logistic-regression":
      return fitLogisticRegression(matrix, target, { ...candidate.params, classes });
    case "linear-regression":
      return fitLinearRegression(matrix, target, candidate.params);
    case "poisson-regression":
      return fitPoissonRegression(matrix, target, candidate.params);
  }
}

const objectiveOf = ({ task }: Dataset, { loss }: GradientBoostingParams): BoostingObjective =>
  task === "regression" ? loss : task;

/** Constraints speak of features, boosting of columns: a constraint holds for all columns that are made of the features alone. */
function boostingParams(
  { monotone, interactions, loss: _, ...params }: GradientBoostingParams,
  objective: BoostingObjective,
  { columns }: FittedPreparation,
  { plan }: TrainingOptions,
): Partial<BoostingParams> {
  const ids = plan.features.map(({ id }) => id);
  const directions = new Map(
    Object.entries(monotone).map(([name, direction]) => [findFeature(ids, name, "`monotone`"), direction]),
  );
  const groups = interactions.map((names) => new Set(names.map((name) => findFeature(ids, name, "`interactions`"))));
  const within = (group: ReadonlySet<number>) => (column: EncodedColumn) =>
    featuresOf(column).every((feature) => group.has(feature));
  return {
    ...params,
    objective,
    monotone: directions.size === 0 ? [] : columns.map((column) => directionOf(column, directions)),
    interactions: groups.map((group) => columns.flatMap((column, index) => (within(group)(column) ? [index] : []))),
  };
}

function directionOf(column: EncodedColumn, directions: ReadonlyMap<number, number>): number {
  const [feature, ...others] = featuresOf(column);
  const direction = directions.get(feature) ?? 0;
  if (direction === 0 || others.length > 0) return 0;
  const kinds = new Set(column.maps.map(({ kind }) => kind));
  if (kinds.has("is-missing") || kinds.has("date-part") || kinds.has("wave")) return 0;
  if (column.source.kind === "number") return direction;
  throw trainErrors.TRAIN_PARAMETER_INVALID(`\`monotone\` names a feature whose column ${column.name} does not rise with it`);
}
