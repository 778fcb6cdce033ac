import { defineErrors } from "../errors.ts";

export const pipelineErrors = defineErrors({
  PIPELINE_PLAN_INVALID: { kind: "invalid", hint: "Correct the step; a plan is plain JSON." },
  PIPELINE_STEP_DUPLICATE: { kind: "invalid", hint: "Give every step of a plan its own name." },
  PIPELINE_NEED_UNKNOWN: { kind: "invalid", hint: "A step can need only steps of the same plan; check the spelling." },
  PIPELINE_CYCLE: { kind: "invalid", hint: "Take away one of the needs, so that some step can be the first." },
  PIPELINE_EFFECT_UNKNOWN: { kind: "invalid", hint: "Give the engine an effect of this name, or of the part before the colon." },
  PIPELINE_MODULE_MISSING: {
    kind: "invalid",
    hint: "Correct the import or the step's module; it must be a file on this machine.",
  },
  PIPELINE_IMPORT_COMPUTED: {
    kind: "invalid",
    hint: "List in the step's `files` what the computed import can load, or switch its cache off.",
  },
  PIPELINE_RUN_UNKNOWN: { kind: "not-found", hint: "List the pipeline's runs." },
  PIPELINE_RUN_IDLE: { kind: "conflict", hint: "Nobody works on it in this process; resume unfinished runs first." },
  PIPELINE_OUTPUT_INVALID: {
    kind: "internal",
    hint: "A step returns JSON of at most 4 MB; put what is larger into the artifact store and return its reference.",
  },
  PIPELINE_EFFECT_TIMEOUT: { kind: "unavailable", hint: "It may still have happened: look before running the pipeline again." },
  PIPELINE_CANCELLED: { kind: "conflict", hint: "Start the pipeline again; finished cached steps are not repeated." },
  PIPELINE_CURSOR_INVALID: {
    kind: "invalid",
    hint: "Pass the nextCursor of the page before, or none, and 1 to 1000 as the limit.",
  },
  PIPELINE_CLOSED: { kind: "unavailable", hint: "The process is shutting down; unfinished runs go on at its next start." },
});
