import type { FeatureValue } from "../features/index.ts";
import { applyCalibration } from "./calibration/calibration.ts";
import type { Dataset, RowSelection } from "./dataset.ts";
import { trainErrors } from "./errors.ts";
import type { ModelPackage, ServableEstimator } from "./model.ts";
import { createRowEncoder, encode } from "./preparation/encode.ts";
import type { FittedPreparation } from "./preparation/fitted-preparation.ts";
import { applyLink, createRowScorer, logit, outputsOf, scoreMatrix } from "./score-estimator.ts";

export interface Predictions {
  /**
   * Before calibration. Binary: log-odds, also where the estimator itself says probabilities. Otherwise the estimator's raw output;
   * multiclass: one number a class, row by row.
   */
  readonly raw: Float64Array;
  /**
   * Binary: calibrated probability of the positive class. Multiclass: calibrated probabilities, one a class, row by row.
   * Regression: the value.
   */
  readonly prediction: Float64Array;
}

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
    const prediction = Float64Array.from(rows, (row) => dataset.rule[row]);
    return { raw: prediction.map(logit), prediction };
  }
  const own = rawOutputs(model.preparation, estimator, dataset, rows);
  const uncalibrated = asPredictions(model, estimator, own.slice());
  return {
    raw: saysProbability(model, estimator) ? uncalibrated.map(logit) : own,
    prediction: calibration === null ? uncalibrated : applyCalibration(calibration, uncalibrated),
  };
}

/** In place. A mean of many shares can pass 1 by rounding, which no metric would take for a probability. */
function asPredictions({ task }: ModelPackage, estimator: ServableEstimator, raw: Float64Array): Float64Array {
  applyLink(estimator.link, raw, outputsOf(estimator));
  if (task !== "regression" && estimator.link === "identity") {
    for (let i = 0; i < raw.length; i++) raw[i] = Math.min(1, Math.max(0, raw[i]));
  }
  return raw;
}

const saysProbability = ({ task }: ModelPackage, { link }: ServableEstimator): boolean =>
  task === "binary" && link === "identity";

/** The estimator's raw output of every row, rows x outputs, row by row. */
export function rawOutputs(
  preparation: FittedPreparation,
  estimator: ServableEstimator,
  dataset: Dataset,
  rows: RowSelection,
): Float64Array {
  if (estimator.kind !== "ensemble") {
    return scoreMatrix(estimator, encode(preparation, dataset, rows));
  }
  const mean = new Float64Array(rows.length * outputsOf(estimator));
  for (const { preparation: own, estimator: member, weight } of estimator.members) {
    const predicted = applyLink(member.link, rawOutputs(own, member, dataset, rows), outputsOf(member));
    for (let i = 0; i < mean.length; i++) mean[i] += weight * predicted[i];
  }
  return mean;
}

/** Writes the estimator's raw output for one row of feature values, in the plan's order, into `out`. */
type RowOutput = (values: readonly FeatureValue[], out: Float64Array) => void;

function createRowOutput(preparation: FittedPreparation, estimator: ServableEstimator): RowOutput {
  if (estimator.kind !== "ensemble") {
    const score = createRowScorer(estimator);
    if (estimator.kind === "baseline") return (_, out) => out.set(estimator.output);
    const encodeValues = createRowEncoder(preparation);
    return (values, out) => score(encodeValues(values), out);
  }
  const own = new Float64Array(outputsOf(estimator));
  const members = estimator.members.map((member) => ({
    ...member,
    write: createRowOutput(member.preparation, member.estimator),
  }));
  return (values, out) => {
    out.fill(0);
    for (const { write, estimator: member, weight } of members) {
      write(values, own);
      applyLink(member.link, own, own.length);
      for (let k = 0; k < own.length; k++) out[k] += weight * own[k];
    }
  };
}

/** What one row is predicted, uncalibrated and calibrated. The arrays are used again for the next row. */
export interface RowPrediction {
  readonly raw: Float64Array;
  readonly prediction: Float64Array;
}

/**
 * Prepares a model for one row at a time: feature values in the plan's order in, the figures of `predict` out.
 * @throws TRAIN_RULE_NOT_SERVABLE for the rule, which only SQL can evaluate
 */
export function createRowPredictor(model: ModelPackage): (values: readonly FeatureValue[]) => RowPrediction {
  const { estimator, preparation, calibration, candidate } = model;
  if (estimator.kind === "rule") throw trainErrors.TRAIN_RULE_NOT_SERVABLE(`candidate ${candidate.name} cannot be served`);
  const write = createRowOutput(preparation, estimator);
  const outputs = outputsOf(estimator);
  const raw = new Float64Array(outputs);
  const uncalibrated = new Float64Array(outputs);
  const isProbability = saysProbability(model, estimator);
  return (values) => {
    write(values, raw);
    uncalibrated.set(raw);
    asPredictions(model, estimator, uncalibrated);
    if (isProbability) raw[0] = logit(uncalibrated[0]);
    return { raw, prediction: calibration === null ? uncalibrated : applyCalibration(calibration, uncalibrated) };
  };
}

export interface Score {
  /** Log-odds before calibration. */
  readonly score: number;
  readonly probability: number;
}

export type Predictor = (values: readonly FeatureValue[]) => Score;

/** `createRowPredictor` of a binary model. */
export function createPredictor(model: ModelPackage): Predictor {
  const predictRow = createRowPredictor(model);
  return (values) => {
    const { raw, prediction } = predictRow(values);
    return { score: raw[0], probability: prediction[0] };
  };
}
