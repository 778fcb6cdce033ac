import { execFile } from "node:child_process";
import { join } from "node:path";

/** Runs a script of this folder with MLflow's client pointed at a server; what it wrote on standard output. It writes files where it runs: in `home`. */
export function runPython(
  python: string,
  script: string,
  args: readonly string[],
  trackingUri: string,
  home: string,
): Promise<string> {
  const env = { PATH: process.env.PATH ?? "", HOME: home, MLFLOW_TRACKING_URI: trackingUri, MLFLOW_DISABLE_TELEMETRY: "true" };
  return new Promise((resolve, reject) => {
    execFile(
      python,
      [join(import.meta.dirname, script), ...args],
      { cwd: home, env, maxBuffer: 64 * 1024 * 1024 },
      (error, out, err) => (error === null ? resolve(out) : reject(new Error(`${script}: ${err.slice(-4_000)}`))),
    );
  });
}
