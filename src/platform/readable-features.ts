import type { ProjectDefinition } from "../core/definitions/index.ts";
import { planChanges, projectReferences, viewsGone } from "../core/features/index.ts";
import type { ArtifactStore, OnlineStore } from "../core/ports/index.ts";
import type { Scope } from "../core/scope.ts";
import { unpackModel } from "../core/training/index.ts";
import { platformErrors } from "./errors.ts";

interface Around {
  readonly project: ProjectDefinition;
  readonly scope: Scope;
  readonly artifacts: ArtifactStore;
  /** Null where nothing has been materialized. */
  online(): OnlineStore | null;
}

/**
 * Refuses a model for whose features the online store has no version any more, nor will have with the next materialization: an endpoint
 * would not take it up.
 * @throws PROJECT_FEATURES_GONE, and what unpackModel throws
 */
export async function checkReadable(
  { project, scope, artifacts, ...around }: Around,
  model: string,
  { version, artifact }: { readonly version: number; readonly artifact: string },
): Promise<void> {
  const online = around.online();
  if (online === null) return;
  const { plan } = unpackModel(await artifacts.read(artifact));
  const gone = await viewsGone(online, scope, plan);
  if (gone.length === 0) return;
  const changed = planChanges(plan, projectReferences(project)).find(
    ({ change, view }) => (change === "removed" || change === "changed") && view !== null && gone.includes(view),
  );
  if (changed === undefined) return;
  throw platformErrors.PROJECT_FEATURES_GONE(
    `Version ${version} of ${model} reads ${changed.feature} as it was defined before, and its online values are gone`,
    { details: { model, version, feature: changed.feature } },
  );
}
