import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { startTrackingProcess } from "../../fixtures/tracking-process.ts";
import { compareAnswers, type ModelCase } from "./compare-answers.ts";

const CLI = join(import.meta.dirname, "../../../src/cli/main.ts");

/**
 * Models across the border, with MLflow's own client. Trained in Python, logged and registered there as ONNX, and served here: every request gets
 * what MLflow's scoring server says to it.
 */
export default async function mlflowModels(check: Check): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-mlflow-models-"));
  try {
    const python = pythonEnvironment("mlflow");
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
    for (const each of cases) {
      const addresses = [`models:/${each.model}@champion`];
      // One model is asked for in every way; the way does not change what it says.
      if (each === cases[0])
        addresses.push(
          `models:/${each.model}/1`,
          `models:/${each.model}/latest`,
          `models:/${each.id}`,
          `runs:/${each.run}/model`,
        );
      for (const address of addresses) {
        const served = await serve(address, state, tracking.url);
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

export interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

/** `orrery serve ADDRESS`, until it says where it listens. */
async function serve(address: string, state: string, trackingUri: string): Promise<Served> {
  const child = spawn(process.execPath, [CLI, "--state", state, "serve", address, "--port", "0", "--tracking-uri", trackingUri], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => (said += chunk));
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk;
      const found = /"listening":"(http[^"]+)"/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  return {
    url,
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
}

async function runPython(
  python: string,
  script: string,
  args: readonly string[],
  trackingUri: string,
  home: string,
): Promise<string> {
  mkdirSync(home, { recursive: true });
  return new Promise((resolve, reject) => {
    execFile(
      python,
      [join(import.meta.dirname, script), ...args],
      {
        // It writes where it runs, which is not here.
        cwd: home,
        env: { PATH: process.env.PATH ?? "", HOME: home, MLFLOW_TRACKING_URI: trackingUri, MLFLOW_DISABLE_TELEMETRY: "true" },
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, out, err) => (error === null ? resolve(out) : reject(new Error(`${script}: ${err.slice(-4_000)}`))),
    );
  });
}
