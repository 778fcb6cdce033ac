import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { mlflow } from "../../../bench/tracking/servers.ts";
import type { Check } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { CLI, orrery } from "../../e2e/orrery-process.ts";
import { startTrackingProcess } from "../../fixtures/tracking-process.ts";

const run = promisify(execFile);

type Counts = Record<"found" | "taken" | "unchanged", number>;
type Summary = Record<"runs" | "loggedModels" | "models" | "versions", Counts> & { readonly files: number };

/** A real MLflow with one of everything, taken over and compared through MLflow's own client: from its server, its database, its file store. */
export default async function mlflowImport(check: Check): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-import-"));
  const python = pythonEnvironment("mlflow");
  const scriptIn = async (cwd: string, name: string, ...args: string[]) => {
    const env = { ...process.env, MLFLOW_ALLOW_FILE_STORE: "true" };
    const ran = run(python, ["-W", "ignore", join(import.meta.dirname, name), ...args], { cwd, env, maxBuffer: 1 << 26 });
    return (await ran).stdout.trim().split("\n").at(-1) ?? "";
  };
  const script = (name: string, ...args: string[]) => scriptIn(folder, name, ...args);
  const peer = await mlflow.start(join(folder, "mlflow"), null);
  const origin = `http://127.0.0.1:${peer.port}`;
  const state = join(folder, "state");
  const server = await startTrackingProcess(state);
  const importing = (...from: string[]) => ["--state", state, "--json", "import", "mlflow", ...from];
  const taken = async (...from: string[]): Promise<Summary> => {
    const ended = await orrery(importing(...from));
    if (ended.code !== 0) throw new Error(`${ended.err}\n${ended.out}`);
    return JSON.parse(ended.out) as Summary;
  };
  try {
    await script("fill.py", origin);
    await check("a dry run counts what the server has and takes nothing", async () => {
      const { runs, loggedModels, versions } = await taken(origin, "--dry-run");
      if (runs.taken !== 0 || runs.found !== 66 || loggedModels.found !== 4 || versions.found !== 3)
        throw new Error("counted wrongly");
      return `${runs.found} runs, ${loggedModels.found} logged models, ${versions.found} versions`;
    });
    for (const milliseconds of [900, 1_300, 1_700, 2_200])
      await check(`an import is killed after ${milliseconds} ms`, async () => {
        const cut = spawn(process.execPath, [CLI, ...importing(origin)], { stdio: "ignore" });
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
        cut.kill("SIGKILL");
        return "";
      });
    await check("the next one goes on where they stopped", async () => {
      const { runs, loggedModels, versions } = await taken(origin);
      for (const { found, taken, unchanged } of [runs, loggedModels, versions])
        if (found !== taken + unchanged) throw new Error(`${found} found, ${taken} taken, ${unchanged} there`);
      return `${runs.taken} runs taken, ${runs.unchanged} were there`;
    });
    await check("what was imported is the same, field by field", () => script("compare.py", origin, server.url));
    await check("importing again takes nothing twice", async () => {
      const { runs, loggedModels, versions, files } = await taken(origin);
      if (runs.taken + loggedModels.taken + versions.taken + files !== 0) throw new Error("something was taken again");
      return script("compare.py", origin, server.url);
    });
    await check("a later import takes what is new and what has changed", async () => {
      await script("change.py", origin);
      const { runs } = await taken(origin);
      if (runs.taken !== 2) throw new Error(`${runs.taken} runs were taken`);
      return script("compare.py", origin, server.url);
    });
    await check("a source that is none is refused with its reason", async () => {
      const refused = await orrery(importing(`${server.url}/nowhere`));
      if (refused.code === 0 || !refused.err.includes("IMPORT_SOURCE_FAILED")) throw new Error(refused.err);
      return refused.err.split("\n")[0]?.slice(0, 120) ?? "";
    });

    const database = join(folder, "database");
    mkdirSync(database);
    // MLflow puts files into the folder that it runs in.
    await scriptIn(database, "fill.py", `sqlite:///${database}/mlflow.db`);
    await check("a folder with a database and files beside it, field by field", async () => {
      await taken(database, "--into", "database");
      return script("compare.py", `sqlite:///${database}/mlflow.db`, `${server.url}/projects/database`);
    });
    const files = join(folder, "files");
    mkdirSync(files);
    const store = pathToFileURL(join(files, "mlruns")).href;
    await script("fill.py", store);
    await check("a file store that was moved elsewhere, field by field", async () => {
      // Where its locations point there is nothing while it is read.
      renameSync(files, join(folder, "moved"));
      await taken(join(folder, "moved/mlruns"), "--into", "files");
      renameSync(join(folder, "moved"), files);
      return script("compare.py", store, `${server.url}/projects/files`);
    });
  } finally {
    await server.stop();
    await peer.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
