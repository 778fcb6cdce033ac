import { trainErrors } from "../errors.ts";
import type {
  Calibration,
  IsotonicCalibration,
  OneVsRestCalibration,
  SigmoidCalibration,
  TemperatureCalibration,
} from "../model.ts";
import { logit, sigmoid } from "../score-estimator.ts";
import { fitIsotonic } from "./isotonic.ts";
import { fitSigmoid } from "./sigmoid.ts";
import { fitTemperature, logProbability } from "./temperature.ts";

export interface CalibrationFitOptions {
  /** By row, at least 0; absent: every row counts once. */
  readonly weights?: Float64Array;
}

/**
 * Calibration of a classifier of two classes: isotonic follows any monotone shape and wants a few thousand rows; sigmoid has two
 * parameters and does with few. See `fitIsotonic` and `fitSigmoid`.
 *
 * @param probabilities raw probabilities of rows that were not trained on
 * @returns null when the rows have one class only, or are fewer than 100 (isotonic)
 * @throws TRAIN_EVALUATION_INVALID, TRAIN_PARAMETER_INVALID for a method that there is not
 */
export function fitCalibration(
  probabilities: Float64Array,
  labels: Uint8Array,
  { method = "isotonic", weights }: CalibrationFitOptions & { readonly method?: "isotonic" | "sigmoid" } = {},
): IsotonicCalibration | SigmoidCalibration | null {
  switch (method) {
    case "isotonic":
      return fitIsotonic(probabilities, labels, weights);
    case "sigmoid":
      return fitSigmoid(probabilities, labels, weights);
    default:
      throw unknownMethod(method, "isotonic or sigmoid");
  }
}

/**
 * Calibration of a classifier of several classes: one temperature, or a map a class against the rest, renormalised.
 *
 * @param probabilities rows x classes, row by row, of rows that were not trained on
 * @param labels class of each row
 * @returns null where nothing can be learnt of any class
 * @throws TRAIN_EVALUATION_INVALID, TRAIN_PARAMETER_INVALID for a method that there is not
 */
export function fitClassCalibration(
  probabilities: Float64Array,
  labels: ArrayLike<number>,
  classes: number,
  { method = "temperature", weights }: CalibrationFitOptions & { readonly method?: "temperature" | "isotonic" | "sigmoid" } = {},
): TemperatureCalibration | OneVsRestCalibration | null {
  if (method === "temperature") return fitTemperature(probabilities, labels, classes, weights);
  if (method !== "isotonic" && method !== "sigmoid") throw unknownMethod(method, "temperature, isotonic or sigmoid");
  if (probabilities.length !== labels.length * classes) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(
      `${labels.length} labels, ${probabilities.length} probabilities, ${classes} classes`,
    );
  }
  const rows = Array.from(labels);
  const maps = Array.from({ length: classes }, (_, k) =>
    fitCalibration(
      Float64Array.from(rows, (_, row) => probabilities[row * classes + k]),
      Uint8Array.from(rows, (label) => (label === k ? 1 : 0)),
      { method, ...(weights === undefined ? {} : { weights }) },
    ),
  );
  return maps.every((map) => map === null) ? null : { kind: "one-vs-rest", classes: maps };
}

/** Definitions come as JSON, where types have not seen to it. */
const unknownMethod = (method: unknown, methods: string) =>
  trainErrors.TRAIN_PARAMETER_INVALID(`${String(method)} calibrates nothing here`, { hint: `Calibrate by ${methods}.` });

/**
 * Calibrated predictions.
 * @param predictions probabilities of the positive class; for the calibrations of several classes rows x classes, row by row
 */
export function applyCalibration(calibration: Calibration, predictions: Float64Array): Float64Array {
  switch (calibration.kind) {
    case "isotonic":
      return predictions.map((p) => interpolate(calibration, p));
    case "sigmoid":
      return predictions.map((p) => onLogOdds(calibration, p));
    case "temperature":
      return sharpen(calibration, predictions);
    case "one-vs-rest":
      return calibrateClasses(calibration, predictions);
  }
}

/** Linear between the calibration's points, constant outside. */
function interpolate({ x, y }: IsotonicCalibration, p: number): number {
  const last = x.length - 1;
  if (p <= x[0]) return y[0];
  if (p >= x[last]) return y[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] <= p) low = middle;
    else high = middle;
  }
  return y[low] + ((y[high] - y[low]) * (p - x[low])) / (x[high] - x[low]);
}

const onLogOdds = ({ slope, intercept }: SigmoidCalibration, p: number): number => sigmoid(slope * logit(p) + intercept);

function sharpen({ classes, temperature }: TemperatureCalibration, predictions: Float64Array): Float64Array {
  const sharpened = predictions.map((p) => logProbability(p) / temperature);
  for (let at = 0; at < sharpened.length; at += classes) {
    const row = sharpened.subarray(at, at + classes);
    const greatest = row.reduce((most, each) => Math.max(most, each), Number.NEGATIVE_INFINITY);
    for (let k = 0; k < classes; k++) row[k] = Math.exp(row[k] - greatest);
    normalise(row);
  }
  return sharpened;
}

function calibrateClasses({ classes }: OneVsRestCalibration, predictions: Float64Array): Float64Array {
  const calibrated = new Float64Array(predictions.length);
  for (let at = 0; at < predictions.length; at += classes.length) {
    classes.forEach((map, k) => {
      const p = predictions[at + k];
      calibrated[at + k] = map === null ? p : map.kind === "isotonic" ? interpolate(map, p) : onLogOdds(map, p);
    });
    normalise(calibrated.subarray(at, at + classes.length));
  }
  return calibrated;
}

/** To a sum of 1; where all are 0, every class is as probable. */
function normalise(row: Float64Array): void {
  const sum = row.reduce((total, each) => total + each, 0);
  for (let k = 0; k < row.length; k++) row[k] = sum > 0 ? row[k] / sum : 1 / row.length;
}
