export { type CardCandidate, type CardVerdict, type ModelCard, type ModelCardInput, modelCard } from "./card/model-card.ts";
export { explainErrors } from "./errors.ts";
export { type PermutationImportance, type PermutationOptions, permutationImportance } from "./permutation-importance.ts";
export { type DataReview, type LearningPoint, type ReviewOptions, reviewData, type ViewReview } from "./review/data-review.ts";
export { type SegmentOptions, type SegmentResult, segmentResults, worstSegments } from "./review/segments.ts";
export { type Contribution, createExplainer, type Explanation, explainRow } from "./shap/explain-row.ts";
export { type ShapPoint, type ShapSummary, summarizeShap } from "./shap/summarize-shap.ts";
export type { ColumnShap, TreeShapOptions } from "./shap/column-shap.ts";
export { createTreeShap } from "./shap/tree-shap.ts";
