import { defineErrors } from "../../core/errors.ts";

export const pushErrors = defineErrors({
  PUSH_SOURCE_UNKNOWN: { kind: "not-found", hint: "Rows are pushed to a source that the project file makes with source.push." },
  PUSH_ROW_INVALID: {
    kind: "invalid",
    hint: "A row is an object of its columns' values; none of the rows were taken. Integers beyond 2^53 are written as text.",
  },
  PUSH_CONTRACT_STOPPED: {
    kind: "invalid",
    hint: "None of the rows were taken. Mend them, or lower the contract's severity to quarantine or warn.",
  },
  PUSH_TOO_MUCH: {
    kind: "unavailable",
    hint: "Rows come faster than they can be written: wait a moment, then push the same rows again.",
  },
  PUSH_NOT_ONLINE: {
    kind: "unavailable",
    hint: "The rows are in the log and will be online as soon as the online store takes them; pushing them again changes nothing.",
  },
  PUSH_CLAIM_LOST: {
    kind: "unavailable",
    hint: "Push the same rows to the control plane that runs the project now: what was pushed here and not acknowledged does not count.",
  },
  PUSH_CLOSED: { kind: "unavailable", hint: "The control plane is stopping: push the same rows again when it is back." },
});
