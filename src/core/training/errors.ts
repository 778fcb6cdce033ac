import { defineErrors } from "../errors.ts";

export const trainErrors = defineErrors({
  TRAIN_TOO_FEW_ROWS: {
    kind: "invalid",
    hint: "Widen the period of the training set, or wait until more labels are known.",
  },
  TRAIN_ONE_CLASS: {
    kind: "invalid",
    hint: "A classifier needs rows of both classes: check the label's expression and the period.",
  },
  TRAIN_EMPTY_SPLIT: {
    kind: "invalid",
    hint: "Shorten the test and validation parts in byTime(…), or widen the period of the training set.",
  },
  TRAIN_COLUMN_MISSING: {
    kind: "invalid",
    hint: "Build the training set again: the model's features or segments have changed since it was written.",
  },
  TRAIN_NO_FEATURES: {
    kind: "invalid",
    hint: "No feature has a value in the training rows: check the feature views' sources and availability.",
  },
  TRAIN_TOO_MANY_COLUMNS: {
    kind: "invalid",
    hint: "Group rare categories with oneHot({ rare: 0.01 }), or leave the feature with many categories out.",
  },
  TRAIN_PARAMETER_INVALID: {
    kind: "invalid",
    hint: "Correct the candidate's parameters in the model's definition.",
  },
  TRAIN_NOT_CONVERGED: {
    kind: "invalid",
    hint: "Add standardScale() to the model's preparation, or lower c.",
  },
  TRAIN_EVALUATION_INVALID: {
    kind: "invalid",
    hint: "Give as many labels and days as probabilities, and probabilities between 0 and 1.",
  },
  TRAIN_NO_CANDIDATE: {
    kind: "invalid",
    hint: "Add a candidate that can be served, and check that the selection part holds both classes.",
  },
  TRAIN_FEATURES_DIFFER: {
    kind: "conflict",
    hint: "The rows must have the features of the model's plan, in the plan's order.",
  },
  TRAIN_RULE_NOT_SERVABLE: {
    kind: "invalid",
    hint: "The rule is evaluated in SQL beside the training set; deploy another candidate.",
  },
  TRAIN_MODEL_CORRUPT: {
    kind: "invalid",
    hint: "The file is damaged or is no packaged model: take it from the artifact store again.",
  },
  TRAIN_MODEL_NEWER: {
    kind: "conflict",
    hint: "A later version of Orrery packaged this model: upgrade this installation to read it.",
  },
  TRAIN_MODEL_FILE_INVALID: {
    kind: "invalid",
    hint: "The file is damaged or is no model that LightGBM (text) or XGBoost (JSON, UBJSON) saved: save it again.",
  },
  TRAIN_MODEL_FILE_UNSUPPORTED: {
    kind: "invalid",
    hint: "Train without the feature that the message names, or run the model as a Python trainer.",
  },
  TRAIN_MODEL_FILE_UNSUITED: {
    kind: "invalid",
    hint: 'Name the file\'s columns in its order, modelFile(path, { columns: ["view.feature"] }), all of them numbers; run any other model as a Python trainer.',
  },
  TRAIN_MODEL_FILE_MISSING: { kind: "not-found", hint: "Put it where modelFile() says, relative to the project file." },
  TRAIN_ONNX_INVALID: {
    kind: "invalid",
    hint: "The file is damaged or is no ONNX model: export it again and check it with onnx.checker.",
  },
  TRAIN_ONNX_OPERATOR_UNKNOWN: {
    kind: "invalid",
    hint: "Export the model without this operator; docs/decisions/onnx-interpreter.md lists those that are known.",
  },
  TRAIN_ONNX_UNSUPPORTED: {
    kind: "invalid",
    hint: "Export the model with one float input of shape [rows, columns] and probabilities or a prediction as output.",
  },
  TRAIN_MLMODEL_INVALID: {
    kind: "invalid",
    hint: "The folder is damaged or was not written by MLflow: log the model again with mlflow.onnx.log_model.",
  },
  TRAIN_MLMODEL_UNSUPPORTED: {
    kind: "invalid",
    hint: "Convert the model to ONNX (skl2onnx, onnxmltools) and log it with mlflow.onnx.log_model: no code of a model is run here.",
  },
  TRAIN_MODEL_INPUT_INVALID: {
    kind: "invalid",
    hint: "Send the columns that the model's signature names, in types that can be converted to its own without loss.",
  },
  TRAIN_SEARCH_SPACE_INVALID: {
    kind: "invalid",
    hint: "Correct the ranges of the search: search.float(low, high), search.log(low, high), search.int(low, high), search.choice([…]).",
  },
  TRAIN_SEARCH_FAILED: {
    kind: "invalid",
    hint: "Correct what the first error says and start the search again: it goes on after the trials that have ended.",
  },
  TRAIN_TRIAL_SCORE_INVALID: {
    kind: "invalid",
    hint: "Check that the metric is defined on the validation rows: both classes present, finite predictions.",
  },
  TRAIN_STUDY_DIFFERS: {
    kind: "conflict",
    hint: "Give the search a new journal, or the space, sampler, pruner, direction and seed that the journal was begun with.",
  },
  TRAIN_STUDY_CORRUPT: {
    kind: "invalid",
    hint: "The journal is damaged: restore it from a backup, or begin the search with a new one.",
  },
  TRAIN_STUDY_NEWER: {
    kind: "conflict",
    hint: "A later version of Orrery wrote this journal: upgrade this installation to go on with it.",
  },
  TRAIN_STUDY_NOT_WRITTEN: {
    kind: "unavailable",
    hint: "Free disk space or make the folder writable, then start the search again: it goes on after the trials that have ended.",
  },
  TRAIN_TARGET_INVALID: {
    kind: "invalid",
    hint: "Give one finite label a row: a class index for classes, a number for regression.",
  },
  TRAIN_WEIGHTS_INVALID: {
    kind: "invalid",
    hint: "Give one weight a row: finite, at least 0, and above 0 for some row.",
  },
  TRAIN_NOT_FINITE: {
    kind: "invalid",
    hint: "Add impute() to the model's preparation, and clip() for values out of all proportion.",
  },
  TRAIN_ONNX_DIFFERS: {
    kind: "invalid",
    hint: "Convert the model with the functions of orrery_trainer, which keep missing values and thresholds as they are.",
  },
  TRAIN_CANDIDATE_ELSEWHERE: {
    kind: "invalid",
    hint: "Train it by a pipeline or with `orrery train`, which start the processes that it needs.",
  },
  TRAIN_TASK_UNSUPPORTED: {
    kind: "invalid",
    hint: "Use it with a charter whose target is binary, or take what the message names out of the project.",
  },
  TRAIN_COLUMN_NOT_NUMERIC: {
    kind: "invalid",
    hint: "Add oneHot() or another encoding of categories to the model's preparation.",
  },
  TRAIN_MEMORY_WOULD_NOT_SUFFICE: {
    kind: "unavailable",
    hint: "Train on fewer rows or columns, or on a machine with more memory.",
  },
  TRAIN_COLUMN_INVALID: {
    kind: "invalid",
    hint: "Give each column one number a row; category codes are whole numbers from 0 up to one less than the number of categories.",
  },
});
