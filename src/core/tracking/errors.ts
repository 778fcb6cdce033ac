import { defineErrors } from "../errors.ts";

export const trackingErrors = defineErrors({
  TRACKING_RUN_UNKNOWN: { kind: "not-found", hint: "List the runs; ids are whole, and belong to one workspace and project." },
  TRACKING_EXPERIMENT_UNKNOWN: { kind: "not-found", hint: "Name an experiment that runs were created in." },
  TRACKING_EXPERIMENT_EXISTS: { kind: "conflict", hint: "Choose another name, or use the experiment that has it." },
  TRACKING_EXPERIMENT_DELETED: { kind: "conflict", hint: "Restore the experiment first, or use another." },
  TRACKING_RUN_DELETED: { kind: "conflict", hint: "Restore the run first: a deleted one takes no changes." },
  TRACKING_RUN_NAMED_TWICE: { kind: "invalid", hint: "Give the run's name, or its tag mlflow.runName, or the same in both." },
  TRACKING_LOGGED_MODEL_UNKNOWN: { kind: "not-found", hint: "Create the logged model first; a deleted one is not found either." },
  TRACKING_TAG_UNKNOWN: { kind: "not-found", hint: "Only a tag that is set can be deleted." },
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
  TRACKING_NAME_INVALID: {
    kind: "invalid",
    hint: "Names have no line breaks; keys are up to 250 letters, digits and _ - . : / or spaces, and no path such as a/../b.",
  },
  TRACKING_VALUE_TOO_LONG: { kind: "invalid", hint: "Log the long text as an artifact of the run." },
  TRACKING_VALUE_INVALID: { kind: "invalid", hint: "Log other bytes than text as an artifact of the run." },
  TRACKING_PARAM_TWICE: { kind: "invalid", hint: "One call holds each param once." },
  TRACKING_BATCH_TOO_LARGE: { kind: "invalid", hint: "Split it: at most 1000 metrics, 100 params and 100 tags, 1000 together." },
  TRACKING_DATASET_INVALID: {
    kind: "invalid",
    hint: "Name and digest are needed; name up to 500 characters, digest 36, source 65535, schema 1048575, profile 16777215.",
  },
  TRACKING_LOCATION_INVALID: {
    kind: "invalid",
    hint: "Use mlflow-artifacts:/<path>, or the URI of a store that clients reach themselves, such as s3://bucket/folder.",
  },
  TRACKING_FILTER_INVALID: { kind: "invalid", hint: "docs/reference/search.md describes the filter language." },
  TRACKING_ORDER_INVALID: {
    kind: "invalid",
    hint: 'Order by attributes, metrics, params or tags, each once: "metrics.auc DESC". docs/reference/search.md lists them.',
  },
  TRACKING_ARTIFACT_UNKNOWN: { kind: "not-found", hint: "List the folder; paths are relative to the run's artifacts." },
  TRACKING_PATH_INVALID: { kind: "invalid", hint: 'Use a relative path such as "model/package.json", without "..".' },
  TRACKING_STEP_INVALID: { kind: "invalid", hint: "A metric's step is a whole number, its time a whole number of microseconds." },
  TRACKING_CURSOR_INVALID: { kind: "invalid", hint: "Pass the nextCursor of the page before, with the same order, or none." },
  TRACKING_LIMIT_INVALID: { kind: "invalid", hint: "Ask for at least 1 a page, and no more than the message says." },
});
