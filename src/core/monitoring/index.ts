export type { AffineChange } from "./affine-change.ts";
export { type AlertDraft, type JudgeOptions, judge } from "./alerts.ts";
export { jensenShannon, normedWasserstein, populationStability, wasserstein } from "./distances.ts";
export { type ColumnDrift, type DriftOptions, type DriftReport, type DriftSignal, driftReport, type Window } from "./drift.ts";
export { monitorErrors } from "./errors.ts";
export {
  ageOf,
  CONSISTENCY_ALERTS,
  type ConsistencyReport,
  consistencyAlerts,
  FRESHNESS_ALERTS,
  freshnessAlerts,
  type ViewFreshness,
} from "./feature-alerts.ts";
export {
  type Cohort,
  type EstimatedPerformance,
  estimatedPerformance,
  type PerformanceReport,
  performanceReport,
} from "./performance.ts";
export { type CauseKind, type RankedCause, type RankingOptions, rankCauses } from "./rank-causes.ts";
export { buildReference, type NormalDay, type Profile, type ReferenceProfile } from "./reference.ts";
export { type ColumnPredictor, repairCost } from "./repair-cost.ts";
export type { Freshness, WindowReport } from "./window-report.ts";
