import cluster from "node:cluster";
import { ERROR_KINDS, toOrreryError } from "../../core/errors.ts";
import { featureServerOptions } from "./options.ts";

/** Entry of the feature server's processes; see server/feature-process.ts for its arguments. */
try {
  const options = featureServerOptions(process.argv.slice(2));
  if (cluster.isPrimary) {
    const { runPrimary } = await import("../inference/run-primary.ts");
    await runPrimary({ ...options, name: "feature-server", bindings: { ...options.scope } });
  } else {
    await (await import("./worker.ts")).runFeatureWorker(options);
  }
} catch (error) {
  const { message, code, hint, kind } = toOrreryError(error);
  console.error(`orrery: ${message} [${code}]\n  ${hint}`);
  process.exit(ERROR_KINDS[kind].exitCode);
}
