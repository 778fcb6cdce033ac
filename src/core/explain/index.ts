export {
  type CardCandidate,
  type CardDependence,
  type CardVerdict,
  type ModelCard,
  type ModelCardInput,
  modelCard,
  type TrainingCost,
} from "./card/model-card.ts";
export {
  type Counterfactual,
  type CounterfactualAnswer,
  type CounterfactualOptions,
  counterfactuals,
} from "./counterfactuals/counterfactuals.ts";
export type { FeatureConstraint, FeatureConstraints } from "./counterfactuals/feature-constraint.ts";
export { type AccumulatedEffects, accumulatedEffects } from "./dependence/accumulated-effects.ts";
export {
  centredCurves,
  type DependenceOptions,
  type PairDependence,
  type PartialDependence,
  pairDependence,
  partialDependence,
} from "./dependence/partial-dependence.ts";
export { predictionOf, type RowFunction } from "./dependence/row-function.ts";
export { explainErrors } from "./errors.ts";
export { type NearestRows, type NearestRowsOptions, type NearRow, nearestRows } from "./examples/nearest-rows.ts";
export { type PrototypeRow, prototypeRows } from "./examples/prototype-rows.ts";
export { DISPARITIES, type Disparity, disparitiesOf } from "./fairness/disparities.ts";
export {
  type FairnessGroup,
  type FairnessInput,
  type FairnessOptions,
  type FairnessReport,
  type FairnessView,
  fairnessReport,
} from "./fairness/fairness-report.ts";
export { countOutcomes, decideFrom, type GroupRates, groupRates } from "./fairness/group-rates.ts";
export {
  type FairnessConstraint,
  type GroupThresholdOptions,
  type GroupThresholds,
  groupThresholds,
} from "./fairness/group-thresholds.ts";
export { type ProtectedGroups, protectedGroups } from "./fairness/protected-groups.ts";
export { reweighRows } from "./fairness/reweigh-rows.ts";
export {
  type FeatureGroup,
  type PermutationImportance,
  type PermutationOptions,
  permutationImportance,
  viewGroups,
} from "./permutation-importance.ts";
export { type DataReview, type LearningPoint, type ReviewOptions, reviewData, type ViewReview } from "./review/data-review.ts";
export { type SegmentOptions, type SegmentResult, segmentResults, worstSegments } from "./review/segments.ts";
export { type SliceOptions, type SliceSearch, type WeakSlice, weakSlices } from "./review/weak-slices.ts";
export { evenSample, unlabelledRows } from "./sample-rows.ts";
export type { ColumnShap, TreeShapOptions } from "./shap/column-shap.ts";
export { type Contribution, createExplainer, type Explainer, type Explanation, explainRow } from "./shap/explain-row.ts";
export type { Background } from "./shap/feature-game.ts";
export {
  createFeatureShap,
  type FeatureShap,
  type FeatureShapOptions,
  type ShapMethod,
  type ShapScale,
} from "./shap/feature-shap.ts";
export { createInterventionalShap } from "./shap/interventional-shap.ts";
export { type CoalitionGame, type KernelShap, type KernelShapOptions, kernelShap, matrixGame } from "./shap/kernel-shap.ts";
export { columnMeans, createLinearShap } from "./shap/linear-shap.ts";
export { type ShapPoint, type ShapSummary, type ShapSummaryOptions, summarizeShap } from "./shap/summarize-shap.ts";
export { createTreeInteractions, type TreeInteractions } from "./shap/tree-interactions.ts";
export { createTreeShap } from "./shap/tree-shap.ts";
export { type SurrogateOptions, type SurrogateTree, surrogateTree } from "./surrogate/surrogate-tree.ts";
