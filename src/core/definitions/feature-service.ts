import { definitionErrors } from "./errors.ts";
import type { FeatureReference } from "./features.ts";
import { refuseUnknownFeatures } from "./known-features.ts";

/** A named, versioned list of features: what a model, or somebody outside, asks for by one name. */
export interface FeatureServiceDefinition<F extends FeatureReference = FeatureReference> {
  readonly kind: "feature-service";
  readonly name: string;
  /** Grows whenever the list changes: what was trained on an earlier one names it. */
  readonly version: number;
  readonly features: readonly F[];
  readonly owner?: string;
  readonly description?: string;
  readonly tags: Readonly<Record<string, string>>;
}

type Item = FeatureReference | readonly FeatureReference[];
type Leaf<I extends Item> = I extends readonly (infer F extends FeatureReference)[] ? F : I extends FeatureReference ? I : never;

/**
 * `featureService("departure", { features: [weather.all(), planeAge], version: 2 })`; a model takes it by
 * `features: [departure.features]`.
 * @throws DEFINITION_FEATURE_TWICE, DEFINITION_VALUE_INVALID unless the version is a whole number from 1 on and each feature is known
 */
export function featureService<const I extends readonly Item[]>(
  name: string,
  options: {
    features: I;
    version?: number;
    owner?: string;
    description?: string;
    tags?: Readonly<Record<string, string>>;
  },
): FeatureServiceDefinition<Leaf<I[number]>> {
  const { version = 1, owner, description } = options;
  if (!Number.isSafeInteger(version) || version < 1)
    throw definitionErrors.DEFINITION_VALUE_INVALID(
      `Feature service "${name}" has version ${version}, not a whole number from 1 on`,
    );
  const features: readonly FeatureReference[] = options.features.flat();
  refuseUnknownFeatures(`Feature service "${name}"`, features);
  const ids = features.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw definitionErrors.DEFINITION_FEATURE_TWICE(`Feature service "${name}" lists "${twice}" twice`);
  return {
    kind: "feature-service",
    name,
    version,
    // Each item of the lists is one of the leaves.
    features: features as readonly Leaf<I[number]>[],
    tags: options.tags ?? {},
    ...(owner === undefined ? {} : { owner }),
    ...(description === undefined ? {} : { description }),
  };
}
