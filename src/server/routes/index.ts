import type { Access } from "../../core/access/index.ts";
import { projectDecisions } from "../../platform/model-decisions.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Scheduler } from "../../platform/scheduler.ts";
import { serverErrors } from "../errors.ts";
import type { Handlers } from "../handlers.ts";
import type { InferenceProcess } from "../inference-process.ts";
import { auditHandlers, tokenHandlers, userHandlers } from "./access.ts";
import { artifactHandlers } from "./artifacts.ts";
import { clockHandlers } from "./clock.ts";
import { dataHandlers } from "./data.ts";
import { endpointHandlers, predictionHandlers } from "./endpoints.ts";
import { erasureHandlers } from "./erasures.ts";
import { experimentHandlers } from "./experiments.ts";
import { featureHandlers } from "./features.ts";
import { garbageHandlers } from "./garbage.ts";
import { loopHandlers } from "./loop.ts";
import { type ModelRoomsOf, modelHandlers } from "./models.ts";
import { monitoringHandlers } from "./monitoring.ts";
import { pipelineHandlers } from "./pipelines.ts";
import { loggedModelHandlers, runHandlers, type TrackingOf } from "./runs.ts";
import { trainingSetHandlers } from "./saved-training-sets.ts";
import { sourceHandlers } from "./sources.ts";
import { systemHandlers } from "./system.ts";

export interface RouteContext {
  readonly platform: Platform;
  readonly scheduler: Scheduler;
  readonly accounts: Access;
  readonly version: string;
  /** Machine time in ms. */
  readonly startedAt: number;
  /** Inference servers that this control plane started or found. */
  readonly inference: () => readonly InferenceProcess[];
}

/** Of the one project that a control plane holds. @throws SERVER_SCOPE_UNKNOWN */
export const trackingOfOwn =
  ({ scope, tracking }: Platform): TrackingOf =>
  ({ workspace, project }) => {
    if (workspace !== scope.workspace || project !== scope.project)
      throw serverErrors.SERVER_SCOPE_UNKNOWN(`This server does not hold ${workspace}/${project}`);
    return tracking;
  };

export function createHandlers(context: RouteContext): Handlers {
  const { platform } = context;
  const trackingOf = trackingOfOwn(platform);
  const decisions = projectDecisions(platform);
  const modelRoomsOf: ModelRoomsOf = (scope) => ({
    registry: platform.registry,
    tracking: trackingOf(scope),
    artifacts: platform.artifacts,
    decisions,
    charter: platform.project.charter,
  });
  return {
    loop: loopHandlers(context),
    data: dataHandlers(context),
    sources: sourceHandlers(context),
    features: featureHandlers(context),
    trainingSets: trainingSetHandlers(context),
    experiments: experimentHandlers(trackingOf),
    runs: runHandlers(trackingOf),
    artifacts: artifactHandlers(trackingOf),
    loggedModels: loggedModelHandlers(trackingOf),
    models: modelHandlers(modelRoomsOf),
    pipelines: pipelineHandlers(context),
    endpoints: endpointHandlers(context),
    predictions: predictionHandlers(context),
    monitoring: monitoringHandlers(context),
    clock: clockHandlers(context),
    system: systemHandlers(context),
    garbage: garbageHandlers((scope) => ({
      store: platform.store,
      scope,
      tracking: trackingOf(scope),
      stateFolder: platform.paths.root,
    })),
    erasures: erasureHandlers(context),
    users: userHandlers(context.accounts),
    tokens: tokenHandlers(context.accounts),
    audit: auditHandlers(context.accounts),
  };
}
