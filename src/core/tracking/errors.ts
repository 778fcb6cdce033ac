import { defineErrors } from "../errors.ts";

export const trackingErrors = defineErrors({
  TRACKING_RUN_UNKNOWN: { kind: "not-found", hint: "List the runs; ids are whole, and belong to one workspace and project." },
  TRACKING_EXPERIMENT_UNKNOWN: { kind: "not-found", hint: "Name an experiment that runs were created in." },
  TRACKING_SNAPSHOT_UNKNOWN: { kind: "not-found", hint: "Ingest the source; its snapshots are listed under Data." },
  TRACKING_PARAM_CHANGED: {
    kind: "conflict",
    hint: "A param says what a run was started with and never changes; use a tag or a new run.",
  },
  TRACKING_ARTIFACT_CHANGED: {
    kind: "conflict",
    hint: "Log the other content under another path; artifacts of a run never change.",
  },
  TRACKING_RUN_ENDED: { kind: "conflict", hint: "Start a new run; how one ended is never rewritten." },
  TRACKING_NAME_INVALID: { kind: "invalid", hint: "Use 1 to 250 characters without line breaks." },
  TRACKING_PATH_INVALID: { kind: "invalid", hint: 'Use a relative path such as "model/package.json", without "..".' },
  TRACKING_STEP_INVALID: { kind: "invalid", hint: "A metric's step is a whole number, its time a whole number of microseconds." },
  TRACKING_CURSOR_INVALID: { kind: "invalid", hint: "Pass the nextCursor of the page before, with the same order, or none." },
  TRACKING_LIMIT_INVALID: { kind: "invalid", hint: "Ask for 1 to 1000 runs a page." },
});
