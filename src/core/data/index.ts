export { checkContract } from "./contract-rules.ts";
export { schemaLines } from "./delivered-schema.ts";
export type { Delivery } from "./delivery.ts";
export {
  type BlockedKeys,
  blockedCondition,
  entityCondition,
  hashKeys,
  type KeyColumns,
  type KeyedEntities,
  type KeyValue,
  keyText,
} from "./entity-keys.ts";
export {
  countRows,
  type ErasedFile,
  type ErasedPlace,
  type ErasureMark,
  erasedSnapshot,
  eraseRows,
} from "./erase-rows.ts";
export { dataErrors } from "./errors.ts";
export { type ExpressionFacts, expressionColumns, expressionNames } from "./expression-columns.ts";
export { aggregateValue, declaredExpression, type ValueExpression } from "./expression-type.ts";
export { type IngestOptions, ingest } from "./ingest.ts";
export type { IngestEngines } from "./ingest-part.ts";
export { labelTypeProblem, labelValue } from "./label-type.ts";
export { type Missingness, missingness } from "./missingness.ts";
export { nearestName } from "./nearest-name.ts";
export { populationStabilityIndex } from "./population-stability.ts";
export { type ColumnProfile, type Profile, profileSnapshot } from "./profile-snapshot.ts";
export {
  deletionOf,
  loggedRelation,
  loggedText,
  loggedWhere,
  type PushContract,
  pushContract,
} from "./pushed-rows.ts";
export { textRow } from "./read-rows.ts";
export { type References, splitReference } from "./reference-values.ts";
export { type SchemaDiff, schemaDiff } from "./schema-diff.ts";
export type * from "./snapshot.ts";
export { hasVersions, type RelationOptions, snapshotPaths, snapshotRelation } from "./snapshot-relation.ts";
export { inReferenceOrder, joinedCycle } from "./source-order.ts";
export { fileList, quoteIdentifier, quoteLiteral, timestampLiteral } from "./sql.ts";
export { type FileSuggestion, type Suggestion, suggestFiles } from "./suggest-files.ts";
export { type SuggestedQuery, suggestQuery } from "./suggest-query.ts";
export { watermarkType } from "./watermark.ts";
