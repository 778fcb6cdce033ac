import {
  type FeatureReference,
  type FeatureViewDefinition,
  keyFields,
  type ProjectDefinition,
  viewFeatures,
} from "../definitions/index.ts";
import { featureErrors } from "./errors.ts";

type Declared = Pick<ProjectDefinition, "features" | "services" | "models">;

/** Every feature of a view, as its builder gives them. */
export function referencesOf(view: FeatureViewDefinition): FeatureReference[] {
  const keys = Object.fromEntries(Object.entries(keyFields(view)).map(([key, field]) => [field, view.entity.keys[key]]));
  return viewFeatures(view).map(([name, type]) => ({
    name,
    type,
    id: `${view.name}.${name}`,
    keys,
    request: {},
    seasonal: view.seasonal.includes(name),
    from: view,
  }));
}

/** All that a project can be asked for, by id: features of its views, and what its services and models have besides. */
export function projectReferences({ features, services, models }: Declared): Map<string, FeatureReference> {
  const found = new Map<string, FeatureReference>();
  const note = (reference: FeatureReference): void => {
    if (found.has(reference.id)) return;
    const { from } = reference;
    if (from.kind === "feature-view") {
      // Of a view under another name, all of its features.
      for (const each of referencesOf(from)) found.set(each.id, each);
      return;
    }
    from.inputs.forEach(note);
    found.set(reference.id, reference);
  };
  for (const view of features) for (const each of referencesOf(view)) found.set(each.id, each);
  for (const { features: listed } of [...services, ...models]) listed.forEach(note);
  return found;
}

/**
 * The features that are asked for: by ids, or by the name of a feature service.
 * @throws FEATURE_SERVICE_UNKNOWN, FEATURE_UNKNOWN
 */
export function askedReferences(project: Declared, ask: { ids: readonly string[] } | { service: string }): FeatureReference[] {
  if ("service" in ask) {
    const found = project.services.find(({ name }) => name === ask.service);
    if (found !== undefined) return [...found.features];
    throw featureErrors.FEATURE_SERVICE_UNKNOWN(`There is no feature service "${ask.service}"`);
  }
  const known = projectReferences(project);
  return ask.ids.map((id) => {
    const found = known.get(id);
    if (found === undefined) throw featureErrors.FEATURE_UNKNOWN(`There is no feature "${id}"`);
    return found;
  });
}
