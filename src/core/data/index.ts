export { dataErrors } from "./errors.ts";
export { type ExpressionFacts, expressionColumns } from "./expression-columns.ts";
export { type IngestOptions, ingest } from "./ingest.ts";
export type { IngestEngines } from "./ingest-part.ts";
export { type ColumnProfile, type Profile, profileSnapshot } from "./profile-snapshot.ts";
export type * from "./snapshot.ts";
export { type RelationOptions, snapshotPaths, snapshotRelation } from "./snapshot-relation.ts";
export { fileList, quoteIdentifier, quoteLiteral, timestampLiteral } from "./sql.ts";
