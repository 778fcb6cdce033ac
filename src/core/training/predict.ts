import type { FeatureValue } from "../features/index.ts";
import { applyCalibration } from "./calibration/calibration.ts";
import type { Dataset, RowSelection } from "./dataset.ts";
import { trainErrors } from "./errors.ts";
import type { FittedEstimator, ModelPackage } from "./model.ts";
import { createRowEncoder, encode } from "./preparation/encode.ts";
import { addTree, flattenTrees, scoreRow } from "./trees/trees.ts";

export interface Predictions {
  /** Log-odds before calibration, one per row. */
  readonly raw: Float64Array;
  /** Calibrated probability of the positive class, one per row. */
  readonly probability: Float64Array;
}

/** Log-odds are kept finite (JSON has no infinity): a certain answer stands for odds of 10^15. */
const MAX_LOG_ODDS = Math.log(1e15);

export const sigmoid = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds));
const logit = (probability: number): number =>
  Math.min(MAX_LOG_ODDS, Math.max(-MAX_LOG_ODDS, Math.log(probability / (1 - probability))));

/**
 * Scores `rows` of a dataset whose features are those of the model's plan, in its order.
 * @throws TRAIN_FEATURES_DIFFER
 */
export function predict(model: ModelPackage, dataset: Dataset, rows: RowSelection): Predictions {
  const { plan, estimator, calibration } = model;
  plan.features.forEach(({ id }, index) => {
    if (dataset.features[index]?.id !== id) {
      throw trainErrors.TRAIN_FEATURES_DIFFER(`feature ${index} is ${dataset.features[index]?.id ?? "absent"}, not ${id}`);
    }
  });
  if (estimator.kind === "rule") {
    const probability = Float64Array.from(rows, (row) => dataset.rule[row]);
    return { raw: probability.map(logit), probability };
  }
  const raw = scoreColumns(estimator, encode(model.preparation, dataset, rows), rows.length);
  const probability = raw.map(sigmoid);
  return { raw, probability: calibration === null ? probability : applyCalibration(calibration, probability) };
}

/** Log-odds of every row of a column-major matrix. */
export function scoreColumns(
  estimator: Exclude<FittedEstimator, { kind: "rule" }>,
  columns: readonly Float64Array[],
  rows: number,
): Float64Array {
  if (estimator.kind === "baseline") return new Float64Array(rows).fill(logit(estimator.probability));
  if (estimator.kind === "logistic-regression") {
    const scores = new Float64Array(rows).fill(estimator.intercept);
    columns.forEach((column, index) => {
      const coefficient = estimator.coefficients[index];
      for (let i = 0; i < rows; i++) scores[i] += coefficient * column[i];
    });
    return scores;
  }
  const scores = new Float64Array(rows).fill(estimator.baseScore);
  for (const tree of estimator.trees) addTree(tree, columns, scores);
  return scores;
}

export interface Score {
  /** Log-odds before calibration. */
  readonly score: number;
  readonly probability: number;
}

export type Predictor = (values: readonly FeatureValue[]) => Score;

/**
 * Prepares a model for one row at a time: feature values in the plan's order in, the figures of `predict` out.
 * @throws TRAIN_RULE_NOT_SERVABLE for the rule, which only SQL can evaluate
 */
export function createPredictor(model: ModelPackage): Predictor {
  const score = rowScorer(model);
  const { calibration } = model;
  const one = new Float64Array(1);
  return (values) => {
    const logOdds = score(values);
    one[0] = sigmoid(logOdds);
    return { score: logOdds, probability: calibration === null ? one[0] : applyCalibration(calibration, one)[0] };
  };
}

function rowScorer({ estimator, preparation, candidate }: ModelPackage): (values: readonly FeatureValue[]) => number {
  if (estimator.kind === "rule") throw trainErrors.TRAIN_RULE_NOT_SERVABLE(`candidate ${candidate.name} cannot be served`);
  if (estimator.kind === "baseline") {
    const score = logit(estimator.probability);
    return () => score;
  }
  const encodeValues = createRowEncoder(preparation);
  if (estimator.kind === "logistic-regression") {
    const { intercept, coefficients } = estimator;
    return (values) => {
      const row = encodeValues(values);
      let score = intercept;
      for (let i = 0; i < row.length; i++) score += coefficients[i] * row[i];
      return score;
    };
  }
  const trees = flattenTrees(estimator.trees);
  return (values) => scoreRow(trees, encodeValues(values), estimator.baseScore);
}
