import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Conformance } from "../../../scripts/conformance.ts";
import { checkExport } from "./check-export.ts";
import { exportCases } from "./export-cases.ts";
import { nodeRuntime, pythonRuntime } from "./runtimes.ts";

const conformance: Conformance = async (check) => {
  const folder = mkdtempSync(join(tmpdir(), "orrery-onnx-"));
  try {
    for (const each of exportCases()) {
      for (const runtime of [pythonRuntime, nodeRuntime]) {
        await check(`${each.name}, ${runtime.name}`, () => checkExport(each, runtime, folder));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export default conformance;
