import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Conformance } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { checkExport } from "./check-export.ts";
import { checkImport, foreignCase, type TrainedModel } from "./check-import.ts";
import { exportCases } from "./export-cases.ts";
import { nodeRuntime, pythonRuntime, run } from "./runtimes.ts";
import { trainedCases } from "./trained-cases.ts";

/** Our models in ONNX Runtime for Python and Node, and other trainers' models here: the same figures on both sides. */
const conformance: Conformance = async (check) => {
  const folder = mkdtempSync(join(tmpdir(), "orrery-onnx-"));
  try {
    const trained = trainModels(folder);
    for (const model of trained) await check(`import: ${model.name}`, () => checkImport(model, folder));
    const foreign = trained.flatMap((model) => foreignCase(model, folder) ?? []);
    for (const each of [...exportCases(), ...trainedCases(), ...foreign]) {
      for (const runtime of [pythonRuntime, nodeRuntime]) {
        await check(`export: ${each.name}, ${runtime.name}`, () => checkExport(each, runtime, folder));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

function trainModels(folder: string): readonly TrainedModel[] {
  run(pythonEnvironment(), [join(import.meta.dirname, "train-models.py"), folder]);
  const trained: { models: readonly TrainedModel[] } = JSON.parse(readFileSync(join(folder, "models.json"), "utf8"));
  return trained.models;
}

export default conformance;
