import { defineErrors } from "../../core/errors.ts";

export const eraseErrors = defineErrors({
  ERASE_ENTITY_UNKNOWN: { kind: "not-found", hint: "Name an entity that a feature view of the project describes." },
  ERASE_KEY_INVALID: {
    kind: "invalid",
    hint: "Give every key of the entity in its type; integers beyond 2^53 are written as text, timestamps in ISO 8601.",
  },
  ERASE_PROJECT_CHANGED: {
    kind: "conflict",
    hint: "Correct the project's file or what its sources deliver, and start `orrery up` again: the erasure goes on then.",
  },
  ERASE_RUNS_ACTIVE: {
    kind: "conflict",
    hint: "Its steps hold rows that would come back: wait until it has ended, or cancel it, and erase again.",
  },
  ERASE_UNKNOWN: { kind: "not-found", hint: "`orrery erase` without an entity lists the erasures there were." },
});
