import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check, Conformance } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { checkExport } from "./check-export.ts";
import { checkImport, type TrainedModel } from "./check-import.ts";
import { exportCases } from "./export-cases.ts";
import { nodeRuntime, pythonRuntime, run } from "./runtimes.ts";

/** Our models in ONNX Runtime for Python and Node, and other trainers' models here: the same figures on both sides. */
const conformance: Conformance = async (check) => {
  const folder = mkdtempSync(join(tmpdir(), "orrery-onnx-"));
  try {
    await checkImports(check, folder);
    for (const each of exportCases()) {
      for (const runtime of [pythonRuntime, nodeRuntime]) {
        await check(`export: ${each.name}, ${runtime.name}`, () => checkExport(each, runtime, folder));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

async function checkImports(check: Check, folder: string): Promise<void> {
  run(pythonEnvironment(), [join(import.meta.dirname, "train-models.py"), folder]);
  const trained: { models: readonly (TrainedModel | { name: string; problem: string })[] } = JSON.parse(
    readFileSync(join(folder, "models.json"), "utf8"),
  );
  for (const model of trained.models) {
    await check(`import: ${model.name}`, () => {
      if ("problem" in model) throw new Error(`it could not be converted: ${model.problem}`);
      return checkImport(model, folder);
    });
  }
}

export default conformance;
