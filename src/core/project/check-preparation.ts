import {
  type ColumnKind,
  columnsAfter,
  type FeatureReference,
  isPreparationStep,
  type ModelDefinition,
  type PreparationStep,
  STEP_KINDS,
  stepApplies,
  stepProblems,
  worksOn,
} from "../definitions/index.ts";
import type { Findings } from "./finding.ts";
import { findFeature, reportUnknownFeatures } from "./model-features.ts";

/** The steps' options, the features that they name, and whether these are of a kind that the step works on when it comes to it. */
export function checkPreparation(model: ModelDefinition, findings: Findings): void {
  const where = `model ${model.name}`;
  if (!Array.isArray(model.prepare)) {
    findings.add(where, "PROJECT_VALUE_INVALID", "Its preparation is not a list", "Write prepare: [standardScale()].");
    return;
  }
  const given: readonly unknown[] = model.prepare;
  for (const step of given) {
    const isStep = isPreparationStep(step);
    const what = isStep ? `In its preparation ${step.kind}` : "In its preparation";
    const hint = isStep ? "Correct the step's options." : `Take one of ${STEP_KINDS.join(", ")}.`;
    for (const problem of stepProblems(step)) findings.add(where, "PROJECT_VALUE_INVALID", `${what}, ${problem}`, hint);
  }
  const sound = given.filter(isPreparationStep).filter((step) => stepProblems(step).length === 0);
  for (const step of sound) reportUnknownFeatures(model, `Its preparation ${step.kind}`, step.on ?? [], findings);
  const misfits = FAMILIES.flatMap((family) => misfitsFor(model, sound, family));
  for (const misfit of misfits) {
    const { step, feature, holds } = misfit;
    // Trees take categories as they are, so that products for them may have nothing to multiply while those for linear models have.
    const families = FAMILIES.filter((family) => stepApplies(step, family)).length;
    const isEverywhere = misfits.filter((each) => each.step === step && each.feature === feature).length === families;
    if (step.kind === "products" && !isEverywhere) continue;
    findings.add(
      where,
      "PROJECT_COLUMN_TYPE",
      `Its preparation ${step.kind} names ${feature.id}, which holds ${PLURALS[holds]} there`,
      "Put the step where the column is of its kind, or leave the feature out of its `on`.",
    );
  }
}

const FAMILIES = ["linear", "tree"] as const;

/** A feature that a step names, and of whose columns it can work on none. */
interface Misfit {
  readonly step: PreparationStep;
  readonly feature: FeatureReference;
  readonly holds: ColumnKind;
}

/** Follows the columns of each feature through the steps that estimators of a family get. */
function misfitsFor(model: ModelDefinition, steps: readonly PreparationStep[], family: "linear" | "tree"): Misfit[] {
  const columns = new Map(model.features.map((feature) => [feature, [kindOf(feature)]]));
  const misfits: Misfit[] = [];
  for (const step of steps) {
    if (!stepApplies(step, family)) continue;
    const named = step.on?.flatMap((name) => findFeature(model, name) ?? []);
    for (const feature of named ?? []) {
      const kinds = columns.get(feature) ?? [];
      if (!kinds.some((kind) => worksOn(step, kind))) misfits.push({ step, feature, holds: kinds[0] });
    }
    for (const feature of named ?? model.features) {
      const after = (columns.get(feature) ?? []).flatMap((kind) => columnsAfter(step, kind));
      columns.set(feature, [...new Set(after)]);
    }
  }
  return misfits;
}

const kindOf = ({ type }: FeatureReference): ColumnKind =>
  type === "string" ? "category" : type === "timestamp" ? "timestamp" : "number";

const PLURALS: Readonly<Record<ColumnKind, string>> = {
  category: "categories",
  number: "numbers",
  timestamp: "timestamps",
  indicator: "indicators (0 and 1)",
};
