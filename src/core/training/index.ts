export { fitBestFeature } from "./baselines/best-feature.ts";
export { type BaselineOptions, fitBaseline } from "./baselines/fit-baseline.ts";
export { BOOSTING_DEFAULTS, type BoostingParams } from "./boosting/boosting-params.ts";
export { type BoostingHistory, type BoostingOptions, fitGradientBoosting } from "./boosting/gradient-boosting.ts";
export { applyCalibration, type CalibrationFitOptions, fitCalibration, fitClassCalibration } from "./calibration/calibration.ts";
export { checkCandidate } from "./check-candidate.ts";
export type * from "./dataset.ts";
export { trainErrors } from "./errors.ts";
export { evaluatePredictions } from "./evaluate-candidate.ts";
export type { ClassBalance } from "./exploration/class-balance.ts";
export { type CorrelationMatrix, correlationMatrix } from "./exploration/correlation.ts";
export { type ExplorationTarget, labelTarget } from "./exploration/exploration-target.ts";
export { type Exploration, type ExplorationOptions, exploreTrainingSet } from "./exploration/explore-training-set.ts";
export { type FeatureProfile, profileFeatures } from "./exploration/feature-profile.ts";
export { type LeakageSuspicion, leakageSuspicions } from "./exploration/leakage-suspicions.ts";
export { type RelationBin, type TargetRelation, targetRelations } from "./exploration/target-relation.ts";
export { findFeature } from "./find-feature.ts";
export { classesOf, deliver, type FitRows, type FittedCandidate, fitCandidate, prepareRows } from "./fit-candidate.ts";
export { type FittedForest, type ForestOptions, fitForest } from "./forest/fit-forest.ts";
export { type ForestParams, forestDefaults } from "./forest/forest-params.ts";
export { adoptModelFile } from "./formats/adopt-model-file.ts";
export { fillCovers } from "./formats/fill-covers.ts";
export { readLightgbmModel } from "./formats/lightgbm-model.ts";
export { type FrameModel, frameModel } from "./formats/mlflow-model/frame-model.ts";
export { exportOnnx } from "./formats/onnx/export-onnx.ts";
export { importOnnx } from "./formats/onnx/import-onnx.ts";
export { packModel, unpackModel } from "./formats/pack-model.ts";
export { readXgboostModel } from "./formats/xgboost-model.ts";
export { createKernelMemory, type KernelMemory, type MemoryPlan, planMemory } from "./kernels/kernel-memory.ts";
export { type Kernel, loadKernel, startKernel } from "./kernels/load-kernel.ts";
export { binaryLabels, labelsOf } from "./labels.ts";
export { factorize } from "./linear/cholesky.ts";
export { fitLinearRegression } from "./linear/linear-regression.ts";
export { fitLogisticRegression } from "./linear/logistic-regression.ts";
export { fitPoissonRegression } from "./linear/poisson-regression.ts";
export { loadDataset } from "./load-dataset.ts";
export { type Matrix, type Target, takeRows } from "./matrix.ts";
export { averagePrecision, kolmogorovSmirnov, liftAt, rankingMetrics, rocAuc, topMetrics } from "./metrics/binary-metrics.ts";
export { type CalibrationError, calibrationError, equalWidthBin } from "./metrics/calibration-error.ts";
export { type ChosenThreshold, chooseThreshold, type ThresholdObjective, thresholdAbove } from "./metrics/choose-threshold.ts";
export { adjustPValues, type Comparison, compareCandidates, pairedBootstrap } from "./metrics/compare-candidates.ts";
export { type Confusion, confusionAt, decisionMetrics, fBeta, totalPayoff } from "./metrics/confusion.ts";
export { cumulate, gainCurve, precisionRecallCurve, rocCurve, thinCurve } from "./metrics/curves.ts";
export { deLongTest } from "./metrics/de-long.ts";
export {
  type EvaluateOptions,
  evaluate,
  pairedDifference,
  type ReliabilityBin,
  type ResamplingOptions,
  reliabilityCurve,
  resampledRows,
  type SegmentEvaluation,
  segmentEvaluations,
} from "./metrics/evaluate.ts";
export { type Decision, METRIC_NAMES, scoreRows } from "./metrics/metrics.ts";
export {
  classMetrics,
  cohenKappa,
  confusionMatrix,
  MULTICLASS_METRICS,
  resampledClasses,
  scoreClasses,
} from "./metrics/multiclass-metrics.ts";
export { correctedResampledTest, fiveByTwoTest, mcNemarTest } from "./metrics/paired-tests.ts";
export { brierScore, logLoss } from "./metrics/probability-metrics.ts";
export { meanAveragePrecision, ndcg } from "./metrics/query-metrics.ts";
export { type RankedRows, rankRows, reweigh } from "./metrics/rank-rows.ts";
export { REGRESSION_METRICS, resampledValues, scoreValues } from "./metrics/regression-metrics.ts";
export {
  denseUnits,
  estimateMetrics,
  intervalOf,
  type Resampled,
  unitResamples,
  weightsOfRows,
} from "./metrics/resampling.ts";
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
export { convertDataset, type UnitChange, type UnitChanges } from "./preparation/convert-units.ts";
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
export { pairedPredictions, resampledPredictions } from "./resampled-predictions.ts";
export { applyLink, outputsOf, scoreMatrix } from "./score-estimator.ts";
export { automlCandidates } from "./search/automl-candidates.ts";
export { type DefaultCandidate, defaultCandidates } from "./search/default-candidates.ts";
export { type EnsembleSelection, selectEnsemble } from "./search/ensemble-selection.ts";
export { halvingPruner, medianPruner, noPruner, type Pruner } from "./search/pruning.ts";
export { type AutomlCandidate, type AutomlOptions, type AutomlResult, runAutoml } from "./search/run-automl.ts";
export { runStudy, type StudyOptions, type StudyResult } from "./search/run-study.ts";
export {
  climbRungs,
  evaluateHere,
  evaluateInProcesses,
  type ProcessOptions,
  type ReportScore,
  runStep,
  runTrial,
  type TrialControl,
  type TrialEvaluator,
  type TrialScore,
  type TrialStepInput,
  type TrialTask,
  trialStep,
} from "./search/run-trial.ts";
export { gridSampler, randomSampler, type Sampler, tpeSampler } from "./search/samplers.ts";
export type { SearchBudget } from "./search/search-budget.ts";
export { pointFrom } from "./search/space.ts";
export { Study, type StudyDefinition, type StudySpec, type StudyState, studySpec } from "./search/study.ts";
export { openStudyJournal, type StudyJournal } from "./search/study-journal.ts";
export type { Direction, EndedTrial, FinishedTrial, TrialResult } from "./search/trial.ts";
export type { Fold } from "./splits/folds.ts";
export { assignGroupKFold, assignKFold, assignStratifiedKFold, foldsOf } from "./splits/folds.ts";
export { makeFolds, makeNestedFolds, type NestedFold } from "./splits/make-folds.ts";
export { splitByTime, splitSince } from "./splits/split-by-time.ts";
export { type SplitOptions, splitDataset } from "./splits/split-dataset.ts";
export {
  finishCandidate,
  type ProgressListener,
  selectCandidate,
  type TrainedCandidate,
  trainCandidate,
} from "./train-candidate.ts";
export type { TrainingOptions } from "./training-options.ts";
export { goesLeft } from "./trees/goes-left.ts";
export { groupTrees, hasRanks, type RankedSplits, rankSplits } from "./trees/ranked-splits.ts";
export {
  BLOCK,
  createKernelRanker,
  createPlainRanker,
  placeRanks,
  type RankPlace,
  type RowRanker,
  writeRankTables,
} from "./trees/row-ranker.ts";
export { createTreesScorer, type TreesScorer, treesScorer } from "./trees/trees-scorer.ts";
export { tuningFold } from "./tuning-fold.ts";
