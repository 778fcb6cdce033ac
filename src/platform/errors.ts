import { defineErrors } from "../core/errors.ts";

export const platformErrors = defineErrors({
  PROJECT_UNKNOWN: {
    kind: "not-found",
    hint: "A project's name has up to 100 letters, digits, dots, dashes and underscores, and begins with a letter or digit.",
  },
  PROJECT_MODEL_UNKNOWN: { kind: "not-found", hint: "Use a name given to defineModel in the project file." },
  PROJECT_PIPELINE_UNKNOWN: { kind: "not-found", hint: "Use a name given to pipeline() in the project file." },
  PROJECT_ENDPOINT_UNKNOWN: { kind: "not-found", hint: "Use a name given to endpoint() in the project file." },
  PROJECT_TASK_NOT_SERVED: {
    kind: "invalid",
    hint: "Only models of binary targets are served for now: take the endpoint out of the project file; the model stays registered without it.",
  },
  PROJECT_VERSION_NOT_PACKAGED: {
    kind: "conflict",
    hint: "Point the alias at a version that this project's pipeline has registered.",
  },
  PROJECT_FEATURES_GONE: {
    kind: "conflict",
    hint: "Train the model again on the present definitions, or define the feature as it was and materialize; then deploy.",
  },
  PROJECT_STEP_LOGS_TOO_MUCH: {
    kind: "invalid",
    hint: "Log fewer points (every tenth step, say), or write them to one file and log that.",
  },
  PROJECT_ON_TRAINED_FAILED: {
    kind: "invalid",
    hint: "Mend the model's onTrained in the project file; the candidate itself was trained.",
  },
  PROJECT_SOURCE_UNKNOWN: {
    kind: "not-found",
    hint: "Use the name of a source in the project file, and ingest it once.",
  },
  PROJECT_SNAPSHOTS_UNLIKE: {
    kind: "invalid",
    hint: "Compare two snapshots of one source; `orrery data snapshots <source>` lists them.",
  },
  PROJECT_TARGET_UNKNOWN: {
    kind: "invalid",
    hint: "Name a column of the source that is not personal, with numbers, or with at most 1000 classes.",
  },
  PROJECT_REQUIREMENTS_UNMET: {
    kind: "invalid",
    hint: "Bring the data up to what the charter demands, or change the charter on purpose.",
  },
  PROJECT_PREDICTION_UNKNOWN: {
    kind: "not-found",
    hint: "Prediction ids stand in every answer; predictions are logged within a second of it.",
  },
  PROJECT_ALERT_UNKNOWN: { kind: "not-found", hint: "`orrery monitor` lists the alerts." },
  PROJECT_ONNX_MISSING: {
    kind: "not-found",
    hint: "The model package (model.orrery in the version's run) serves it all the same; train again with another candidate for an ONNX file.",
  },
  PROJECT_FOLDER_MISSING: {
    kind: "not-found",
    hint: "The folder is where the version's source says; MLflow's clients download it from there. A version without an ONNX file has none.",
  },
  PROJECT_REPORT_MISSING: { kind: "not-found", hint: "The version was registered without this artifact; look at its run." },
});
