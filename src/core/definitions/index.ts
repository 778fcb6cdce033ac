export * from "./aggregates.ts";
export * from "./candidate-problems.ts";
export * from "./candidates.ts";
export * from "./charter.ts";
export * from "./columns.ts";
export { definitionErrors } from "./errors.ts";
export * from "./expectations.ts";
export * from "./feature-service.ts";
export * from "./features.ts";
export { JOINED_AT } from "./joined-source.ts";
export * from "./metrics.ts";
export * from "./model.ts";
export * from "./model-file.ts";
export * from "./on-demand.ts";
export * from "./operation.ts";
export * from "./preparation-problems.ts";
export * from "./preparation-steps.ts";
export * from "./prepared-columns.ts";
export * from "./project.ts";
export * from "./python-candidate.ts";
export * from "./search.ts";
export * from "./secret.ts";
export * from "./source.ts";
export * from "./source-origin.ts";
export * from "./splits.ts";
export * from "./training-problems.ts";
export * from "./training-weights.ts";
export {
  aboveZero,
  either,
  isRecord,
  oneOf,
  optional,
  type ValueRule,
  type ValueRules,
  valuesProblems,
  wholeFrom,
  zeroOrMore,
} from "./value-rules.ts";
export * from "./view-problems.ts";
