import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { startTrackingProcess } from "../../fixtures/tracking-process.ts";
import { compareAnswers, type ModelCase } from "./compare-answers.ts";
import { foldersLoadedThere, loadedThere } from "./loaded-there.ts";
import { runPython } from "./run-python.ts";
import { serveModel } from "./serve-model.ts";

/**
 * Models across the border, with MLflow's own client. Trained in Python, logged and registered there as ONNX, and served here: every request gets
 * what MLflow's scoring server says to it. Trained here, and loaded there: every row is predicted the same.
 */
export default async function mlflowModels(check: Check): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-mlflow-models-"));
  try {
    const python = pythonEnvironment("mlflow");
    await loadedThere(check, python);
    await foldersLoadedThere(check, python, folder);
    await servedHere(check, python, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function servedHere(check: Check, python: string, folder: string): Promise<void> {
  const state = join(folder, "state");
  const tracking = await startTrackingProcess(state);
  try {
    await runPython(python, "log_models.py", [folder], tracking.url, folder);
    const cases: readonly ModelCase[] = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
    await check("MLflow keeps a network's tensors in a file of their own", () => {
      const files = cases.find(({ model }) => model.startsWith("network"))?.files ?? [];
      if (files.length < 6) throw new Error(`there are only ${files.join(", ")}`);
      return files.join(", ");
    });
    for (const [at, each] of cases.entries()) {
      const { model, id, run } = each;
      const addresses = [`models:/${model}@champion`];
      // The first is asked for in every way.
      if (at === 0) addresses.push(`models:/${model}/1`, `models:/${model}/latest`, `models:/${id}`, `runs:/${run}/model`);
      for (const address of addresses) {
        const served = await serveModel(address, state, tracking.url);
        try {
          await compareAnswers(check, served.url, address, each);
        } finally {
          await served.stop();
        }
      }
    }
  } finally {
    await tracking.stop();
  }
}
