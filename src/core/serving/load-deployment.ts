import { readFileSync } from "node:fs";
import { OrreryError } from "../errors.ts";
import { createFeatureReader, type FeatureReader } from "../features/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { createPredictor, type ModelPackage, type Predictor, unpackModel } from "../training/index.ts";
import { type DeploymentSpec, modelFile, type Route, readRevision, sha256Of } from "./deployment.ts";
import { servingErrors } from "./errors.ts";

export interface LoadedModel {
  readonly model: ModelPackage;
  readonly predictor: Predictor;
  readonly reader: FeatureReader;
}

export interface LoadedRoute extends Route, LoadedModel {}

/** A revision with its models in memory, tried once. */
export interface LoadedDeployment {
  readonly spec: DeploymentSpec;
  readonly routes: readonly LoadedRoute[];
}

export interface DeploymentPlace {
  readonly endpoint: string;
  readonly directory: string;
  readonly online: OnlineStore;
  readonly scope: Scope;
}

/** Later than every watermark: a read at this time looks at the views' own entries and never comes too early. */
const LATE = Number.MAX_SAFE_INTEGER;

/**
 * Loads a revision and asks each of its models once, so that nothing is taken up that would then fail with every request. Models
 * in `known` are taken from there.
 * @throws SERVING_DEPLOYMENT_BROKEN, TRAIN_MODEL_…, and what is unavailable: FEATURE_VIEW_NOT_MATERIALIZED, FEATURE_VIEW_CHANGED, …
 */
export async function loadDeployment(
  place: DeploymentPlace,
  revision: number,
  known: ReadonlyMap<string, LoadedModel>,
): Promise<LoadedDeployment> {
  const spec = readRevision(place.directory, revision);
  const { workspace, project } = spec.scope ?? {};
  if (spec.endpoint !== place.endpoint || workspace !== place.scope.workspace || project !== place.scope.project) {
    throw servingErrors.SERVING_DEPLOYMENT_BROKEN(`Revision ${revision} is for ${workspace}/${project}/${spec.endpoint}`);
  }
  const routes = spec.routes.map((route): LoadedRoute => {
    // Only the model is kept: what is known may be a route of an earlier revision, with another alias and share.
    const { model, predictor, reader } = known.get(route.artifact) ?? loadModel(place, route);
    return { ...route, model, predictor, reader };
  });
  for (const route of routes) await askOnce(route);
  return { spec, routes };
}

function loadModel({ directory, online, scope }: DeploymentPlace, { artifact, version }: Route): LoadedModel {
  let bytes: Buffer;
  try {
    bytes = readFileSync(modelFile(directory, artifact));
  } catch (cause) {
    throw servingErrors.SERVING_DEPLOYMENT_BROKEN(`The file of model version ${version} cannot be read`, { cause });
  }
  if (sha256Of(bytes) !== artifact)
    throw servingErrors.SERVING_DEPLOYMENT_BROKEN(`The file of model version ${version} is damaged`);
  const model = unpackModel(bytes);
  return { model, predictor: createPredictor(model), reader: createFeatureReader(model.plan, online, scope) };
}

/** Asks about nobody: whatever is wrong with every request shows here. */
async function askOnce({ model, predictor, reader }: LoadedModel): Promise<void> {
  predictor(model.plan.features.map(() => null));
  try {
    await reader.read([{}], LATE);
  } catch (error) {
    // An on-demand function may stumble over a request that no client sends; that is not the deployment's fault.
    if (error instanceof OrreryError && error.kind === "unavailable") throw error;
  }
}
