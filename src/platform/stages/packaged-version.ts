import type { ModelVersion } from "../../core/registry/index.ts";
import { platformErrors } from "../errors.ts";

/**
 * A version as a pipeline registers it, with its run and its package: what another tool has registered under the same name has neither.
 * @throws PROJECT_VERSION_NOT_PACKAGED
 */
export function packagedVersion(found: ModelVersion): ModelVersion & { readonly runId: string; readonly artifact: string } {
  const { model, version, runId, artifact } = found;
  if (runId === null || artifact === null)
    throw platformErrors.PROJECT_VERSION_NOT_PACKAGED(
      `Version ${version} of ${model} was registered without a run and package of this project`,
    );
  return { ...found, runId, artifact };
}
