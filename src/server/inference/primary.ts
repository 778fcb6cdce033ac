import cluster from "node:cluster";
import { ERROR_KINDS, toOrreryError } from "../../core/errors.ts";
import { inferenceOptions } from "./options.ts";
import { runPrimary } from "./run-primary.ts";
import { runWorker } from "./worker.ts";

/** Entry of the inference server's processes; see server/inference-process.ts for its arguments. */
try {
  const options = inferenceOptions(process.argv.slice(2));
  await (cluster.isPrimary ? runPrimary(options) : runWorker(options));
} catch (error) {
  const { message, code, hint, kind } = toOrreryError(error);
  console.error(`orrery: ${message} [${code}]\n  ${hint}`);
  process.exit(ERROR_KINDS[kind].exitCode);
}
