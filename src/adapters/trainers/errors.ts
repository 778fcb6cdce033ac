import { defineErrors } from "../../core/errors.ts";

export const trainerErrors = defineErrors({
  TRAIN_PYTHON_MISSING: {
    kind: "unavailable",
    hint: "Install Python 3.9 or newer with its venv module (Debian: apt-get install python3 python3-venv); other candidates need none.",
  },
  TRAIN_PYTHON_REQUIREMENTS_INVALID: {
    kind: "invalid",
    hint: 'Pin every package to one version, as "scikit-learn==1.9.1"; `pip freeze` or `pip-compile` writes such a list.',
  },
  TRAIN_PYTHON_INSTALL_FAILED: {
    kind: "unavailable",
    hint: "Read pip's last lines: is each version in the index that pip uses here, and is the index reachable? PIP_* variables are passed on.",
  },
  TRAIN_PYTHON_PROGRAM_MISSING: {
    kind: "not-found",
    hint: 'Give a script relative to the project file, as "train.py", or an entry point, as "package.module:function".',
  },
  TRAIN_PYTHON_PROGRAM_FAILED: { kind: "invalid", hint: "Correct the trainer; details.log holds what it printed." },
  TRAIN_PYTHON_OUTPUT_INVALID: {
    kind: "invalid",
    hint: "A trainer ends with spec.save(onnx_model, metrics={...}), or writes the files that its spec names under output.",
  },
  TRAIN_PYTHON_TIMEOUT: { kind: "unavailable", hint: "Give python(…) a longer timeout, or the trainer less to do." },
  TRAIN_PYTHON_OUT_OF_MEMORY: { kind: "unavailable", hint: "Raise python(…)'s memory, or train on fewer rows or columns." },
  TRAIN_PYTHON_CANCELLED: { kind: "conflict", hint: "Somebody cancelled the run, or the process is shutting down." },
  TRAIN_PYTHON_DATA_INVALID: {
    kind: "invalid",
    hint: "A Python trainer gets at least one row and one column, each under a name of its own, with numbers that a float32 can hold.",
  },
  TRAIN_PYTHON_STORAGE_FAILED: {
    kind: "unavailable",
    hint: "Check free space and rights of the folders for Python environments and work files.",
  },
});
