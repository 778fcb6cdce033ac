import type { FeatureReference, ModelDefinition } from "../definitions/index.ts";
import type { Findings } from "./finding.ts";

/** As training finds features: by id, or by a name that only one has. */
export function findFeature({ features }: ModelDefinition, name: string): FeatureReference | null {
  const exact = features.find(({ id }) => id === name);
  if (exact !== undefined) return exact;
  const matches = matching(features, name);
  return matches.length === 1 ? matches[0] : null;
}

const matching = (features: readonly FeatureReference[], name: string) =>
  features.filter(({ id }) => id.slice(id.indexOf(".") + 1) === name);

/** @param what begins the message: "Its split", "The candidate boosting (monotone)" */
export function reportUnknownFeatures(model: ModelDefinition, what: string, names: readonly string[], findings: Findings): void {
  for (const name of names) {
    if (findFeature(model, name) !== null) continue;
    const matches = matching(model.features, name).map(({ id }) => id);
    const found = matches.length === 0 ? "no feature of it" : matches.join(" and ");
    findings.add(
      `model ${model.name}`,
      "PROJECT_REFERENCE_UNKNOWN",
      `${what} names ${name}, which is ${found}`,
      "Name a feature of the model by its id (view.feature), or by its name alone where only one has it.",
    );
  }
}
