import { resolve } from "node:path";
import { loadProject } from "../../platform/load-project.ts";
import type { ConnectionOptions } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import run from "./run.ts";

export default async function train(options: ConnectionOptions & { json?: boolean }, model = ""): Promise<void> {
  const project = await loadProject(resolve(options.project));
  const trains = project.pipelines.find((pipeline) => pipeline.model.name === model && pipeline.stages.includes("train"));
  if (trains === undefined) throw cliErrors.CLI_NO_PIPELINE_TRAINS(`No pipeline of ${project.name} trains "${model}"`);
  await run({ ...options, reason: "asked for on the command line" }, trains.name);
}
