import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { mlflow } from "../../../bench/tracking/servers.ts";
import type { Check } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { CLI, orrery } from "../../e2e/orrery-process.ts";
import { startTrackingProcess } from "../../fixtures/tracking-process.ts";

const run = promisify(execFile);

/** A real MLflow server with one of everything, taken over and compared through MLflow's own client. */
export default async function mlflowImport(check: Check): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-import-"));
  const python = pythonEnvironment("mlflow");
  const script = async (name: string, ...args: string[]) =>
    (await run(python, ["-W", "ignore", join(import.meta.dirname, name), ...args], { maxBuffer: 1 << 26 })).stdout
      .trim()
      .split("\n")
      .at(-1) ?? "";
  const peer = await mlflow.start(join(folder, "mlflow"), null);
  const origin = `http://127.0.0.1:${peer.port}`;
  const state = join(folder, "state");
  const server = await startTrackingProcess(state);
  const importing = ["--state", state, "--json", "import", "mlflow", origin];
  try {
    await script("fill.py", origin);
    await check("an import that is killed goes on where it stopped", async () => {
      const first = spawn(process.execPath, [CLI, ...importing], { stdio: "ignore" });
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      first.kill("SIGKILL");
      const finished = await orrery(importing);
      if (finished.code !== 0) throw new Error(finished.err);
      const { runs, unchanged } = JSON.parse(finished.out) as { runs: number; unchanged: number };
      return `${runs} runs taken after the kill, ${unchanged} things were there`;
    });
    await check("what was imported is the same, field by field", () => script("compare.py", origin, server.url));
    await check("importing again takes nothing twice", async () => {
      const again = await orrery(importing);
      if (again.code !== 0) throw new Error(again.err);
      const { runs, versions, files } = JSON.parse(again.out) as Record<string, number>;
      if (runs !== 0 || versions !== 0 || files !== 0) throw new Error(again.out);
      return script("compare.py", origin, server.url);
    });
    await check("a source that is none is refused with its reason", async () => {
      const refused = await orrery(["--state", state, "import", "mlflow", `${server.url}/nowhere`]);
      if (refused.code === 0 || !refused.err.includes("IMPORT_SOURCE_FAILED")) throw new Error(refused.err);
      return refused.err.split("\n")[0] ?? "";
    });
  } finally {
    await server.stop();
    await peer.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
