export { compileFeaturePlan } from "./compile-plan.ts";
export {
  type ConsistencyExample,
  compareWithOffline,
  type FeatureConsistency,
  type FeatureSample,
} from "./consistency.ts";
export {
  applyPushedEarlier,
  type EarlierMaterialization,
  materializeDropped,
  materializeEarlier,
  type PushedVersions,
  whyNotKept,
} from "./earlier-versions.ts";
export { type EntityReach, entityReach, projectEntities } from "./entity-reach.ts";
export { eraseOnline, fieldsMatcher } from "./erase-online.ts";
export { ErasedLabels, type ErasedTrainingSet } from "./erase-training-rows.ts";
export { featureErrors } from "./errors.ts";
export { type FeatureOrigins, featureOrigins, featuresOfPlan } from "./feature-lineage.ts";
export { askedReferences, projectReferences, referencesOf } from "./feature-references.ts";
export type { FeatureStatistics } from "./feature-statistics.ts";
export { type FeaturesForRows, featuresForRows, type RowsInput } from "./features-for-rows.ts";
export { type FeatureDeps, type HistoricalFeatures, historicalFeatures, type SnapshotMap } from "./historical-features.ts";
export { joinedRows } from "./joined-rows.ts";
export { type Materialization, type MaterializeInput, materialize } from "./materialize.ts";
export { loadOnDemand, type OnDemandArguments, type OnDemandFunction } from "./on-demand.ts";
export {
  type CatalogService,
  type CatalogView,
  catalogOf,
  type OnlineCatalog,
  planOfCatalog,
  readCatalog,
  writeCatalog,
} from "./online-catalog.ts";
export { onlineChange } from "./online-change.ts";
export { readOnlineView } from "./online-entry.ts";
export {
  createExactReader,
  createFeatureReader,
  type ExactReader,
  type ExactVectors,
  type FeatureReader,
  type FeatureVectors,
} from "./online-reader.ts";
export { ONLINE_RETENTION, type OnlineView } from "./online-view.ts";
export { writeTable } from "./parquet-columns.ts";
export type * from "./plan.ts";
export { type PlanChange, planChanges } from "./plan-changes.ts";
export { type JudgedRow, judgePushed, keySetsOf, pushIndexHash } from "./push-index.ts";
export { type AppliedRows, applyPushed, type PushedInput } from "./push-online.ts";
export { type PushedPlace, type PushedStatistics, pushedStatistics } from "./pushed-statistics.ts";
export type { ValueDetails, ValueStatus } from "./read-record.ts";
export { type RebuiltTrainingSet, rebuildTrainingSet } from "./rebuild-training-set.ts";
export { checkRequest, parseRequest, type RequestProblem } from "./request.ts";
export { sampleReads } from "./sample-reads.ts";
export { type ViewVersion, viewsGone, viewVersions } from "./standing-versions.ts";
export { buildTrainingSet, type TrainingSet, type TrainingSetInput } from "./training-set.ts";
export {
  readTrainingSetRecord,
  recordedFeatures,
  recordTrainingSet,
  type TrainingSetErasure,
  type TrainingSetRecord,
} from "./training-set-record.ts";
export type { FeatureArray } from "./view-rows.ts";
