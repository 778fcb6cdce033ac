import { REGRESSION_METRICS, type RegressionMetric } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import { definedMetrics } from "./metrics.ts";
import { checkFinite, checkWeights, rowsByScore } from "./rank-rows.ts";
import { denseUnits, type Resampled, weightsOfRows } from "./resampling.ts";

export { REGRESSION_METRICS } from "../../definitions/index.ts";

/** Predicted values beside the true ones, ready to be measured under any weights. */
export interface ScoredValues {
  readonly truth: Float64Array;
  readonly prediction: Float64Array;
  readonly weight: Float64Array | null;
  /** Rows by absolute error, greatest first. */
  readonly byError: Uint32Array;
  /** Of the pinball loss. */
  readonly quantile: number;
}

export interface RegressionOptions {
  readonly weights?: Float64Array;
  /** Which quantile the pinball loss is of, between 0 and 1; 0.5 unless said, where it is half the absolute error. */
  readonly quantile?: number;
}

/** @throws TRAIN_EVALUATION_INVALID, TRAIN_PARAMETER_INVALID */
export function scoreValues(truth: Float64Array, prediction: Float64Array, options: RegressionOptions = {}): ScoredValues {
  const { weights, quantile = 0.5 } = options;
  if (truth.length !== prediction.length) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(`${truth.length} values, ${prediction.length} predictions`);
  }
  if (!(quantile > 0 && quantile < 1)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`the quantile is ${quantile}`, { hint: "Give a quantile between 0 and 1." });
  }
  checkFinite(truth, "value");
  checkFinite(prediction, "prediction");
  checkWeights(weights, truth.length);
  const byError = rowsByScore(truth.map((value, row) => Math.abs(value - prediction[row])));
  return { truth, prediction, weight: weights ?? null, byError, quantile };
}

/**
 * Every defined metric. Absent where undefined: all for no rows; mape where a true value is 0 (scikit-learn divides by the smallest
 * double instead); r2 and explained_variance where all true values are alike; poisson_deviance where a true value is below 0
 * or a prediction not above 0. mape and smape are shares, not percent; smape is the mean of 2|y - p| / (|y| + |p|), a row
 * of two zeros counting 0. median_ae of weighted rows is the averaged inverted distribution function at one half.
 * @param weights by row, in place of the rows' own
 */
export function regressionValues(
  scored: ScoredValues,
  weights: Float64Array | null = scored.weight,
): Partial<Record<RegressionMetric, number>> {
  const { truth, prediction, quantile } = scored;
  const sums = { weight: 0, truth: 0, error: 0, absolute: 0, squares: 0, percent: 0, symmetric: 0, pinball: 0, deviance: 0 };
  let greatest = 0;
  for (let row = 0; row < truth.length; row++) {
    const count = weights === null ? 1 : weights[row];
    if (count === 0) continue;
    const [value, predicted] = [truth[row], prediction[row]];
    const error = value - predicted;
    const absolute = Math.abs(error);
    greatest = Math.max(greatest, absolute);
    sums.weight += count;
    sums.truth += count * value;
    sums.error += count * error;
    sums.absolute += count * absolute;
    sums.squares += count * error * error;
    sums.percent += value === 0 ? Number.NaN : (count * absolute) / Math.abs(value);
    sums.symmetric += absolute === 0 ? 0 : (2 * count * absolute) / (Math.abs(value) + Math.abs(predicted));
    sums.pinball += count * (error >= 0 ? quantile * error : (quantile - 1) * error);
    sums.deviance += count * poissonDeviance(value, predicted);
  }
  const rows = sums.weight;
  if (rows === 0) return {};
  const spread = spreadOf(scored, weights, sums.truth / rows, sums.error / rows);
  const numberOrAbsent = (value: number) => (Number.isNaN(value) ? undefined : value);
  return definedMetrics(REGRESSION_METRICS, {
    mae: sums.absolute / rows,
    median_ae: medianError(scored, weights, rows),
    mse: sums.squares / rows,
    rmse: Math.sqrt(sums.squares / rows),
    mape: numberOrAbsent(sums.percent / rows),
    smape: sums.symmetric / rows,
    max_error: greatest,
    r2: spread.truth > 0 ? 1 - sums.squares / spread.truth : undefined,
    explained_variance: spread.truth > 0 ? 1 - spread.error / spread.truth : undefined,
    pinball: sums.pinball / rows,
    poisson_deviance: numberOrAbsent(sums.deviance / rows),
  });
}

/** Unit deviance 2 (y log(y / p) - y + p); NaN where it has none. */
function poissonDeviance(value: number, predicted: number): number {
  if (value < 0 || !(predicted > 0)) return Number.NaN;
  return 2 * ((value === 0 ? 0 : value * Math.log(value / predicted)) - value + predicted);
}

/** Weighted squared distances from the means. In a second pass: the mean of squares less the square of the mean would cancel. */
function spreadOf({ truth, prediction }: ScoredValues, weights: Float64Array | null, meanTruth: number, meanError: number) {
  let ofTruth = 0;
  let ofError = 0;
  for (let row = 0; row < truth.length; row++) {
    const count = weights === null ? 1 : weights[row];
    ofTruth += count * (truth[row] - meanTruth) ** 2;
    ofError += count * (truth[row] - prediction[row] - meanError) ** 2;
  }
  return { truth: ofTruth, error: ofError };
}

function medianError({ truth, prediction, byError }: ScoredValues, weights: Float64Array | null, total: number): number {
  const errorAt = (row: number) => Math.abs(truth[row] - prediction[row]);
  let below = 0;
  for (let place = byError.length - 1; place >= 0; place--) {
    const row = byError[place];
    const count = weights === null ? 1 : weights[row];
    if (count === 0) continue;
    below += count;
    if (below - total / 2 > Number.EPSILON * total) return errorAt(row);
    if (below < total / 2) continue;
    // Half of the weight lies at and below this row exactly: the median is in the middle to the next that counts.
    let next = place - 1;
    while (next >= 0 && weights !== null && weights[byError[next]] === 0) next--;
    return next < 0 ? errorAt(row) : (errorAt(row) + errorAt(byError[next])) / 2;
  }
  return Number.NaN;
}

/** For `estimateMetrics` and `compareCandidates`. @param units day, group or number of each row */
export function resampledValues(scored: ScoredValues, units: Int32Array): Resampled<RegressionMetric> {
  const { count, index } = denseUnits(units);
  return {
    names: REGRESSION_METRICS,
    units: count,
    measure: (weights) => regressionValues(scored, weightsOfRows(index, weights, scored.weight)),
  };
}
