import { resolve } from "node:path";
import { loadProject } from "../../platform/load-project.ts";
import { isModelUri } from "../../server/inference/model-uri.ts";
import { inferenceArguments, modelServerArguments } from "../../server/inference-process.ts";
import { type ConnectionOptions, stateDirectory } from "../connection.ts";
import { certificates, inForeground } from "../in-foreground.ts";

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
  if (isModelUri(served)) return inForeground(modelArguments(options, served), await certificates(options));
  return inForeground(await endpointArguments(options, served));
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
