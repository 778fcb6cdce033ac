export { type DataReview, type LearningPoint, type ReviewOptions, reviewData, type ViewReview } from "./data-review.ts";
export { explainErrors } from "./errors.ts";
export { type Contribution, createExplainer, type Explanation, explainRow } from "./explain-row.ts";
export { type CardCandidate, type CardVerdict, type ModelCard, type ModelCardInput, modelCard } from "./model-card.ts";
export { type PermutationImportance, type PermutationOptions, permutationImportance } from "./permutation-importance.ts";
export { type SegmentOptions, type SegmentResult, segmentResults, worstSegments } from "./segments.ts";
export { type ShapPoint, type ShapSummary, summarizeShap } from "./summarize-shap.ts";
export { createTreeShap, type TreeShap } from "./tree-shap.ts";
