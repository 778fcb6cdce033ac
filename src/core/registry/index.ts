export type { Approval, ApprovalRequest, Approvals } from "./approvals.ts";
export { type CollectedRegistryGarbage, collectRegistryGarbage } from "./collect-garbage.ts";
export { criterionText, metricText } from "./criterion-text.ts";
export { type Change, diffVersions, type VersionDiff, type VersionFacts } from "./diff-versions.ts";
export { registryErrors } from "./errors.ts";
export { evaluateGates, type GateFacts, type GateState, type GateVerdict, gatePassed } from "./evaluate-gates.ts";
export type { Gate, GateSubject, Gates } from "./gates.ts";
export type {
  ModelVersion,
  ModelVersions,
  NewVersion,
  RegisteredModel,
  RegisteredModels,
  RegistrySearch,
  Stage,
  VersionStatus,
  Versions,
} from "./interfaces.ts";
export type { Dependent, Lineage, LineageData, LineageRun, VersionLineage } from "./lineage.ts";
export type { AliasDecision, Promotion, PromotionRequest, Promotions } from "./promotions.ts";
export { createRegistry, type Registry } from "./registry.ts";
