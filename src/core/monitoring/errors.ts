import { defineErrors } from "../errors.ts";

export const monitorErrors = defineErrors({
  MONITOR_NO_ROWS: { kind: "invalid", hint: "A reference needs rows: pass the training rows that the model was fitted on." },
  MONITOR_COLUMNS_MISMATCH: {
    kind: "invalid",
    hint: "Every column must have one element for each row, and the kind it has in the reference.",
  },
  MONITOR_WINDOW_INVALID: { kind: "invalid", hint: "A window ends after it starts; both are microseconds UTC." },
  MONITOR_DISTRIBUTION_INVALID: {
    kind: "invalid",
    hint: "Distances compare two lists of counts of equal length, none negative, with at least one count above 0.",
  },
  MONITOR_REFERENCE_NEWER: {
    kind: "conflict",
    hint: "The reference profile was written by a newer Orrery; upgrade, or train again to write a new one.",
  },
});
