import { mkdirSync } from "node:fs";
import { basename } from "node:path";
import { createLogger } from "../../core/observability/index.ts";
import { followModel, isFollowed } from "./follow-model.ts";
import { readPointer } from "./model-cache.ts";
import type { ModelServerOptions } from "./model-options.ts";
import { RegistryClient } from "./registry-client.ts";
import { runPrimary } from "./run-primary.ts";

/** How long an alias that has moved may go unnoticed. */
const POLL_MS = 1_000;

/**
 * Fetches the model, and again when its address means another one; the workers follow what lies in the cache. A registry that cannot be reached,
 * and a version that cannot be served, leave the last good model serving.
 * @throws why there is no model, where there is none from before either
 */
export async function runModelPrimary(options: ModelServerOptions): Promise<void> {
  const { address, uri, paths } = options;
  const bindings = { model: address };
  const log = createLogger({ level: "info", bindings: { process: "model primary", ...bindings } });
  mkdirSync(paths.cache, { recursive: true });
  const follower = followModel({
    uri,
    registry: new RegistryClient(options.connect),
    folder: paths.cache,
    onModel(pointer, problem) {
      if (problem !== null) log.warn({ code: problem.code, err: problem.cause }, problem.message);
      else log.info({ version: pointer?.version, location: pointer?.location }, "another model is taken up");
    },
  });
  await follower.look();
  if (follower.problem !== null && readPointer(paths.cache) === null) throw follower.problem;
  if (isFollowed(uri)) setInterval(() => void follower.look(), POLL_MS);
  await runPrimary({ ...options, name: `inference-model-${basename(paths.cache)}`, bindings });
}
