import type { FeaturePlan, PlannedFeature } from "../../features/index.ts";
import { explainErrors } from "../errors.ts";

/** What may be done to a feature to get another decision. */
export interface FeatureConstraint {
  /** It stays as it is. */
  readonly immutable?: boolean;
  /** Numbers: may only rise, or only fall. */
  readonly direction?: "up" | "down";
  /** Numbers: bounds of the new value, both included. */
  readonly min?: number;
  readonly max?: number;
  /** Numbers: the new value is a whole multiple of this. Integers have 1 unless said. */
  readonly step?: number;
  /** Categories: the new value is one of these. */
  readonly values?: readonly string[];
}

/** Constraints by feature id. A feature that is not named may take any value that the reference rows have or lie around. */
export type FeatureConstraints = Readonly<Record<string, FeatureConstraint>>;

/**
 * What each feature of the plan may become, in the plan's order; `null`: it stays. Beyond what `constraints` say, these stay:
 * on-demand features, which are computed from others; the features that they read, unless `recompute` keeps both in step; and
 * timestamps that no constraint names.
 * @throws EXPLAIN_FEATURE_UNKNOWN, EXPLAIN_CONSTRAINT_INVALID
 */
export function changeRules(
  plan: FeaturePlan,
  constraints: FeatureConstraints,
  recomputes: boolean,
): (FeatureConstraint | null)[] {
  const known = new Set(plan.features.map(({ id }) => id));
  for (const [id, constraint] of Object.entries(constraints)) {
    if (!known.has(id)) throw explainErrors.EXPLAIN_FEATURE_UNKNOWN(`a constraint names ${id}, which the model does not have`);
    check(id, constraint);
  }
  const readByOthers = new Set(plan.onDemand.flatMap(({ inputs }) => inputs.map(({ id }) => id)));
  return plan.features.map((feature) => {
    const constraint = constraints[feature.id];
    const stays =
      constraint?.immutable === true ||
      feature.origin.kind === "on-demand" ||
      (readByOthers.has(feature.id) && !recomputes) ||
      (feature.type === "timestamp" && constraint === undefined);
    return stays ? null : ruleFor(feature, constraint ?? {});
  });
}

function ruleFor({ id, type }: PlannedFeature, constraint: FeatureConstraint): FeatureConstraint {
  const { direction, min, max, step, values } = constraint;
  const isText = type === "string";
  if (isText && (direction ?? min ?? max ?? step) !== undefined) {
    throw explainErrors.EXPLAIN_CONSTRAINT_INVALID(`${id} is text: it has no direction, bounds or step`);
  }
  if (!isText && values !== undefined) {
    throw explainErrors.EXPLAIN_CONSTRAINT_INVALID(`${id} is a number: give it bounds and a step instead of values`);
  }
  if (type === "bool") return { ...constraint, min: Math.max(0, min ?? 0), max: Math.min(1, max ?? 1), step: 1 };
  return type === "int64" || type === "int32" ? { step: 1, ...constraint } : constraint;
}

function check(id: string, { min, max, step }: FeatureConstraint): void {
  const numbers = Object.entries({ min, max, step }).filter(([, value]) => value !== undefined && !Number.isFinite(value));
  if (numbers.length > 0) throw explainErrors.EXPLAIN_CONSTRAINT_INVALID(`${id}: ${numbers[0][0]} is ${numbers[0][1]}`);
  if (min !== undefined && max !== undefined && min > max) {
    throw explainErrors.EXPLAIN_CONSTRAINT_INVALID(`${id} is to be at least ${min} and at most ${max}`);
  }
  if (step !== undefined && step <= 0) throw explainErrors.EXPLAIN_CONSTRAINT_INVALID(`${id} has a step of ${step}`);
}
