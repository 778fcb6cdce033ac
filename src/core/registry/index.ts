export { criterionText, metricText } from "./criterion-text.ts";
export { registryErrors } from "./errors.ts";
export { evaluateGates, type GateFacts, type GateVerdict, gatePassed } from "./evaluate-gates.ts";
export type { Gate, GateSubject, Gates } from "./gates.ts";
export type { Promotion, PromotionRequest, Promotions } from "./promotions.ts";
export { createRegistry, type Registry } from "./registry.ts";
export type { ModelVersion, RegisteredModel, Versions } from "./versions.ts";
