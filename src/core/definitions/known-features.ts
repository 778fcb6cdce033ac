import { definitionErrors } from "./errors.ts";
import type { FeatureReference } from "./features.ts";

/**
 * Project files run without having been compiled: a feature that a view does not have is `undefined` there.
 * @throws DEFINITION_VALUE_INVALID naming the place in the list
 */
export function refuseUnknownFeatures(where: string, features: readonly (FeatureReference | undefined)[]): void {
  const at = features.findIndex((feature) => typeof feature?.id !== "string");
  if (at !== -1)
    throw definitionErrors.DEFINITION_VALUE_INVALID(`${where} lists an unknown feature, number ${at + 1} of its features`, {
      hint: "Take what the view has, by its name: planeInfo.feature.year.",
    });
}
