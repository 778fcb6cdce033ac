import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { loadProject } from "../../platform/load-project.ts";
import { isModelUri } from "../../server/inference/model-uri.ts";
import { inferenceArguments, modelServerArguments } from "../../server/inference-process.ts";
import { type ConnectionOptions, findControlPlane, stateDirectory } from "../connection.ts";

interface ServeOptions extends ConnectionOptions {
  host: string;
  port: string;
  workers: string;
  tokenFile?: string;
  trackingUri?: string;
  anonymous?: boolean;
}

/** Runs in the foreground until it is told to stop; the control plane is not needed, and for a model no project either. */
export default async function serve(options: ServeOptions, served = ""): Promise<void> {
  const isModel = isModelUri(served);
  const child = spawn(process.execPath, isModel ? modelArguments(options, served) : await endpointArguments(options, served), {
    stdio: "inherit",
    env: { ...process.env, ...(isModel ? await certificates(options) : {}) },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((done) => child.once("exit", (code) => done(code ?? 1)));
}

const whereOf = ({ host, port, workers, tokenFile }: ServeOptions) => ({
  host,
  port: Number(port),
  workers: Number(workers),
  ...(tokenFile === undefined ? {} : { tokenFile }),
});

async function endpointArguments(options: ServeOptions, endpoint: string): Promise<string[]> {
  const project = await loadProject(resolve(options.project));
  return inferenceArguments({
    ...whereOf(options),
    stateDirectory: stateDirectory(options),
    scope: { workspace: "default", project: project.name },
    endpoint,
    clock: "system",
  });
}

function modelArguments(options: ServeOptions, model: string): string[] {
  const { trackingUri, anonymous } = options;
  return modelServerArguments({
    ...whereOf(options),
    model,
    stateDirectory: stateDirectory(options),
    ...(trackingUri === undefined ? {} : { trackingUri }),
    ...(anonymous === undefined ? {} : { anonymous }),
  });
}

/** The certificate of the server on this state folder, which no authority has to have signed. */
async function certificates(options: ServeOptions): Promise<Record<string, string>> {
  const certFile = (await findControlPlane(options))?.certFile;
  return certFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: certFile };
}
