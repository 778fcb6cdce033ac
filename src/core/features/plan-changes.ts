import type { FeatureReference } from "../definitions/index.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import type { FeaturePlan } from "./plan.ts";

/** A feature that is not any more what a model was trained on. */
export interface PlanChange {
  /** Id of the feature, under the view whose values are stored. */
  readonly feature: string;
  /**
   * "removed" and "changed" leave the model to an earlier version of the view, and "retyped" gives it other values. "code" does neither: the
   * model has its own code with it; nor does "ttl". But another training would be on something else.
   */
  readonly change: "removed" | "changed" | "retyped" | "code" | "ttl";
  /** Name of the view whose stored values it is of; null of an on-demand feature. */
  readonly view: string | null;
  /** For people: "is computed otherwise". */
  readonly says: string;
}

/**
 * How the definitions of today differ from those in a model's plan, for all that the model reads online or computes.
 * @param known every feature of the project, by id
 * @throws what compileFeaturePlan throws
 */
export function planChanges(plan: FeaturePlan, known: ReadonlyMap<string, FeatureReference>): PlanChange[] {
  const changes: PlanChange[] = [];
  for (const view of plan.views) {
    const stored = view.stored ?? view.name;
    for (const feature of view.features) {
      const id = `${stored}.${feature}`;
      const reference = known.get(id);
      if (reference === undefined) {
        changes.push({ feature: id, view: stored, change: "removed", says: "is not in the project any more" });
        continue;
      }
      const [now] = compileFeaturePlan({ name: id, features: [reference] }).views;
      const before = plan.features.find(({ origin, id: each }) => origin.kind === "view" && each === `${view.name}.${feature}`);
      const hash = view.definitions?.[feature];
      if (hash !== undefined && hash !== now.definitions?.[feature]) {
        changes.push({ feature: id, view: stored, change: "changed", says: "is computed otherwise" });
      } else if (before !== undefined && before.type !== reference.type) {
        changes.push({ feature: id, view: stored, change: "retyped", says: `is ${reference.type}, and was ${before.type}` });
      } else if (now.ttl !== view.ttl) {
        changes.push({ feature: id, view: stored, change: "ttl", says: "is too old after another time" });
      }
    }
  }
  for (const planned of plan.onDemand) {
    const id = `on-demand.${planned.name}`;
    const reference = known.get(id);
    const now =
      reference === undefined
        ? undefined
        : compileFeaturePlan({ name: id, features: [reference] }).onDemand.find(({ name }) => name === planned.name);
    if (now === undefined) changes.push({ feature: id, view: null, change: "code", says: "is not in the project any more" });
    else if (JSON.stringify(now) !== JSON.stringify(planned))
      changes.push({ feature: id, view: null, change: "code", says: "is computed by other code" });
  }
  // Views under several names read one stored feature.
  return changes.filter(({ feature }, index) => changes.findIndex((each) => each.feature === feature) === index);
}
