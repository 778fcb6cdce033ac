import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { loadProject } from "../../platform/load-project.ts";
import { inferenceArguments } from "../../server/inference-process.ts";
import { type ConnectionOptions, stateDirectory } from "../connection.ts";

interface ServeOptions extends ConnectionOptions {
  host: string;
  port: string;
  workers: string;
  tokenFile?: string;
}

/** Runs in the foreground until it is told to stop; the control plane is not needed. */
export default async function serve(options: ServeOptions, endpoint = ""): Promise<void> {
  const project = await loadProject(resolve(options.project));
  const child = spawn(
    process.execPath,
    inferenceArguments({
      stateDirectory: stateDirectory(options),
      scope: { workspace: "default", project: project.name },
      endpoint,
      host: options.host,
      port: Number(options.port),
      workers: Number(options.workers),
      clock: "system",
      ...(options.tokenFile === undefined ? {} : { tokenFile: options.tokenFile }),
    }),
    { stdio: "inherit" },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((done) => child.once("exit", (code) => done(code ?? 1)));
}
