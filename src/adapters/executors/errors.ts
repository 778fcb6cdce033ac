import { defineErrors } from "../../core/errors.ts";

export const executorErrors = defineErrors({
  EXECUTOR_WORKER_LOST: {
    kind: "unavailable",
    hint: "The step's process died; it is tried again. If it keeps dying, give it more memory or smaller data.",
  },
  EXECUTOR_STEP_TIMEOUT: { kind: "unavailable", hint: "Give the step more time, or less to do." },
  EXECUTOR_STEP_CANCELLED: { kind: "conflict", hint: "Somebody cancelled the run, or the process is shutting down." },
  EXECUTOR_MODULE_INVALID: {
    kind: "invalid",
    hint: "A step's module has a function as its default export and loads without an error.",
  },
  EXECUTOR_TASK_INVALID: {
    kind: "invalid",
    hint: "A task's input and context are JSON; put what is larger or other into the artifact store.",
  },
  EXECUTOR_CLOSED: { kind: "unavailable", hint: "The process is shutting down; the step runs at its next start." },
});
