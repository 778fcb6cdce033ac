export { applyCalibration, fitCalibration } from "./calibration/calibration.ts";
export type * from "./dataset.ts";
export { trainErrors } from "./errors.ts";
export { packModel, unpackModel } from "./formats/pack-model.ts";
export { createKernelMemory, type KernelMemory, type MemoryPlan, planMemory } from "./kernels/kernel-memory.ts";
export { type Kernel, type KernelFunction, loadKernel, startKernel } from "./kernels/load-kernel.ts";
export { type CholeskyFactor, factorize } from "./linear/cholesky.ts";
export { loadDataset } from "./load-dataset.ts";
export type { Matrix } from "./matrix.ts";
export {
  evaluate,
  pairedDifference,
  type ReliabilityBin,
  type ResamplingOptions,
  reliabilityCurve,
  type SegmentEvaluation,
  segmentEvaluations,
} from "./metrics/evaluate.ts";
export { type Decision, higherIsBetter, METRIC_NAMES } from "./metrics/metrics.ts";
export type * from "./model.ts";
export {
  createPredictor,
  createRowPredictor,
  type Predictions,
  type Predictor,
  predict,
  type RowPrediction,
  type Score,
} from "./predict.ts";
export { convertDataset, convertUnits, type UnitChange, type UnitChanges } from "./preparation/convert-units.ts";
export { encode, encodeRow } from "./preparation/encode.ts";
export {
  type EstimatorFamily,
  type FittedColumns,
  fitPreparation,
  type PreparationOptions,
} from "./preparation/fit-preparation.ts";
export {
  type CategoryEncoding,
  type ColumnFormula,
  type ColumnSource,
  type EncodedColumn,
  type FittedPreparation,
  featuresOf,
  NO_PREPARATION,
  type NumberMap,
} from "./preparation/fitted-preparation.ts";
export { type RandomStream, seededRandom } from "./random.ts";
export type { Fold } from "./splits/folds.ts";
export { makeFolds, makeNestedFolds, type NestedFold } from "./splits/make-folds.ts";
export { splitByTime, splitSince } from "./splits/split-by-time.ts";
export { type SplitOptions, splitDataset } from "./splits/split-dataset.ts";
export {
  type ProgressListener,
  selectCandidate,
  type TrainedCandidate,
  type TrainingOptions,
  trainCandidate,
} from "./train-candidate.ts";
export { goesLeft } from "./trees/goes-left.ts";
export {
  BLOCK,
  createKernelRanker,
  createPlainRanker,
  placeRanks,
  type RankPlace,
  type RowRanker,
  writeRankTables,
} from "./trees/rank-rows.ts";
export { groupTrees, type RankedSplits, rankSplits } from "./trees/ranked-splits.ts";
export { createTreesScorer, type TreesScorer, treesScorer } from "./trees/trees-scorer.ts";
