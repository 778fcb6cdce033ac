export { applyCalibration, fitCalibration } from "./calibration.ts";
export { convertDataset, convertUnits, type UnitChange, type UnitChanges } from "./convert-units.ts";
export type * from "./dataset.ts";
export { encode, encodeRow } from "./encode.ts";
export { trainErrors } from "./errors.ts";
export {
  evaluate,
  pairedDifference,
  type ReliabilityBin,
  type ResamplingOptions,
  reliabilityCurve,
  type SegmentEvaluation,
  segmentEvaluations,
} from "./evaluate.ts";
export { loadDataset } from "./load-dataset.ts";
export { type Decision, higherIsBetter, METRIC_NAMES } from "./metrics.ts";
export type * from "./model.ts";
export { packModel, unpackModel } from "./pack-model.ts";
export { createPredictor, type Predictions, type Predictor, predict, type Score, sigmoid } from "./predict.ts";
export { type EstimatorFamily, fitPreparation } from "./preparation.ts";
export { type RandomStream, seededRandom } from "./random.ts";
export { splitByTime, splitSince } from "./split-by-time.ts";
export {
  type ProgressListener,
  selectCandidate,
  type TrainedCandidate,
  type TrainingOptions,
  trainCandidate,
} from "./train-candidate.ts";
