export { type CodeDigest, codeDigest } from "./code-digest.ts";
export {
  createPipelineEngine,
  type PipelineEngine,
  type PipelineEngineOptions,
  type PipelineLog,
  type StartOptions,
} from "./engine.ts";
export { pipelineErrors } from "./errors.ts";
export type { Effect, EffectContext, PipelineEvent, StepInput } from "./execute-run.ts";
export type { PipelineRun, PipelineRunQuery, PipelineRunSummary, RunTrigger, StepRun } from "./pipeline-run.ts";
export { type PlanIR, type PlanStep, validatePlan } from "./plan.ts";
