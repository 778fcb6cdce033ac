import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { FeaturePlan } from "../core/features/index.ts";
import { modelFile, readServed } from "../core/serving/index.ts";
import type { Micros } from "../core/time.ts";
import { unpackModel } from "../core/training/index.ts";
import type { StatePaths } from "./state-folder.ts";

/** What an endpoint's model reads. */
export interface DeployedPlan {
  readonly endpoint: string;
  readonly alias: string;
  readonly version: number;
  readonly plan: FeaturePlan;
}

/** A package never changes, and unpacking a large one takes a while. */
const plans = new Map<string, FeaturePlan | null>();

/**
 * What every endpoint that stands in the state folder may be answering with: champion, challenger and canary. A package that cannot be
 * read is passed over: no inference process can answer with it.
 */
export function deployedPlans(paths: StatePaths, now: Micros): DeployedPlan[] {
  const folder = dirname(paths.deployment("any"));
  const endpoints = existsSync(folder) ? readdirSync(folder).sort() : [];
  return endpoints.flatMap((endpoint) => {
    const directory = paths.deployment(endpoint);
    const routes = readServed(directory, now).flatMap(({ routes }) => routes);
    const versions = routes.filter(({ artifact }, index) => routes.findIndex((each) => each.artifact === artifact) === index);
    return versions.flatMap(({ alias, version, artifact }) => {
      const plan = plans.get(artifact) ?? planIn(modelFile(directory, artifact));
      plans.set(artifact, plan);
      return plan === null ? [] : [{ endpoint, alias, version, plan }];
    });
  });
}

function planIn(path: string): FeaturePlan | null {
  try {
    return unpackModel(readFileSync(path)).plan;
  } catch {
    return null;
  }
}
