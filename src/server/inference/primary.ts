import cluster from "node:cluster";
import { ERROR_KINDS, toOrreryError } from "../../core/errors.ts";

/** Entry of the inference server's processes; see server/inference-process.ts for its arguments. */
try {
  const args = process.argv.slice(2);
  await (args.includes("--model") ? runModel(args) : runEndpoint(args));
} catch (error) {
  const { message, code, hint, kind } = toOrreryError(error);
  console.error(`orrery: ${message} [${code}]\n  ${hint}`);
  process.exit(ERROR_KINDS[kind].exitCode);
}

/** A project's endpoint, whose deployments are in the state folder. */
async function runEndpoint(args: readonly string[]): Promise<void> {
  const { inferenceOptions } = await import("./options.ts");
  const options = inferenceOptions(args);
  const { endpoint, scope } = options;
  if (!cluster.isPrimary) return (await import("./worker.ts")).runEndpointWorker(options);
  const { runPrimary } = await import("./run-primary.ts");
  return runPrimary({ ...options, name: `inference-${endpoint}`, bindings: { endpoint, ...scope } });
}

/** A model by its address, without a project. */
async function runModel(args: readonly string[]): Promise<void> {
  const { modelServerOptions } = await import("./model-options.ts");
  const options = modelServerOptions(args);
  if (!cluster.isPrimary) return (await import("./model-worker.ts")).runModelWorker(options);
  return (await import("./model-primary.ts")).runModelPrimary(options);
}
