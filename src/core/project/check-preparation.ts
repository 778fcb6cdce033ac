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
  for (const family of ["linear", "tree"] as const)
    checkKinds(
      model,
      sound.filter((step) => stepApplies(step, family)),
      findings,
    );
}

/** Follows the columns of each feature through the steps that estimators of one family get. */
function checkKinds(model: ModelDefinition, steps: readonly PreparationStep[], findings: Findings): void {
  const columns = new Map(model.features.map((feature) => [feature, new Set([kindOf(feature)])]));
  for (const step of steps) {
    const named = step.on?.flatMap((name) => findFeature(model, name) ?? []);
    for (const feature of named ?? []) {
      const kinds = [...(columns.get(feature) ?? [])];
      if (kinds.some((kind) => worksOn(step, kind))) continue;
      findings.add(
        `model ${model.name}`,
        "PROJECT_COLUMN_TYPE",
        `Its preparation ${step.kind} names ${feature.id}, which holds ${PLURALS[kinds[0]]} there`,
        "Put the step where the column is of its kind, or leave the feature out of its `on`.",
      );
    }
    for (const feature of named ?? model.features) {
      const kinds = [...(columns.get(feature) ?? [])];
      columns.set(feature, new Set(kinds.flatMap((kind) => columnsAfter(step, kind))));
    }
  }
}

const kindOf = ({ type }: FeatureReference): ColumnKind =>
  type === "string" ? "category" : type === "timestamp" ? "timestamp" : "number";

const PLURALS: Readonly<Record<ColumnKind, string>> = {
  category: "categories",
  number: "numbers",
  timestamp: "timestamps",
  indicator: "indicators (0 and 1)",
};
