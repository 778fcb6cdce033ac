import { defineErrors } from "../../core/errors.ts";

export const pushLogErrors = defineErrors({
  PUSH_LOG_WRITE_FAILED: {
    kind: "unavailable",
    hint: "Free disk space or make the state folder writable, then push the same rows again: none of them were taken.",
  },
  PUSH_LOG_NEWER: { kind: "conflict", hint: "Use the Orrery version that made it, or a newer one." },
});
