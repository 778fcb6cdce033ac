import {
  calibrationProblem,
  classWeightsProblem,
  type ModelDefinition,
  rowWeightsProblem,
  seedProblem,
  splitProblems,
  type TargetType,
} from "../definitions/index.ts";
import { checkCandidates } from "./check-candidates.ts";
import { checkMetric } from "./check-charter.ts";
import { checkPreparation } from "./check-preparation.ts";
import type { Findings } from "./finding.ts";
import { findFeature, reportUnknownFeatures } from "./model-features.ts";

/**
 * Whether a model can be trained as it says for the charter's target: metric, split, weights, calibration, seed, preparation and
 * candidates.
 * @param directory of the project file, where Python programs are looked for; null: they are not
 */
export function checkTraining(model: ModelDefinition, target: TargetType, directory: string | null, findings: Findings): void {
  if (model.select !== undefined) checkMetric(`model ${model.name}`, "Its selection", model.select, target, findings);
  checkSplit(model, target, findings);
  checkClassWeights(model, target, findings);
  checkCalibration(model, target, findings);
  checkRowWeights(model, findings);
  const seed = seedProblem(model.seed);
  if (seed !== null) findings.add(`model ${model.name}`, "PROJECT_VALUE_INVALID", `Its ${seed}`);
  checkPreparation(model, findings);
  checkCandidates(model, target, directory, findings);
}

function checkSplit(model: ModelDefinition, target: TargetType, findings: Findings): void {
  const { split, name, segments } = model;
  const add = (message: string, hint: string) => findings.add(`model ${name}`, "PROJECT_VALUE_INVALID", message, hint);
  const problems = splitProblems(split);
  for (const problem of problems) {
    add(
      `In its split, ${problem}`,
      "Give test and validation a share above 0 each, below 1 together; by time, durations above 0.",
    );
  }
  if (problems.length > 0) return;
  if (split.kind === "stratified" && target === "regression")
    add("Its split is stratified by class, and a regression target has none", "Use atRandom(…), grouped(…) or byTime(…).");
  if (split.kind === "grouped" && !segments.includes(split.by)) reportUnknownFeatures(model, "Its split", [split.by], findings);
}

function checkClassWeights({ name, classWeights }: ModelDefinition, target: TargetType, findings: Findings): void {
  if (classWeights === undefined) return;
  const add = (message: string, hint: string) => findings.add(`model ${name}`, "PROJECT_VALUE_INVALID", message, hint);
  if (target === "regression") {
    add("It weighs classes, and a regression target has none", "Leave classWeights out, or weigh rows with rowWeights.");
    return;
  }
  const problem = classWeightsProblem(classWeights);
  const hint = "Give one weight a class, in the order of the classes: 0 or more, and not all 0.";
  if (problem !== null) add(`In its classWeights, ${problem}`, hint);
  else if (classWeights !== "balanced" && target === "binary" && classWeights.length !== 2)
    add(`It weighs ${classWeights.length} classes`, hint);
}

function checkRowWeights(model: ModelDefinition, findings: Findings): void {
  const { name, rowWeights } = model;
  if (rowWeights === undefined) return;
  const where = `model ${name}`;
  const problem = rowWeightsProblem(rowWeights);
  if (problem !== null) findings.add(where, "PROJECT_VALUE_INVALID", `In its rowWeights, ${problem}`, ROW_WEIGHTS_HINT);
  else if (rowWeights.kind === "feature") {
    const { feature } = rowWeights;
    reportUnknownFeatures(model, "Its rowWeights", [feature], findings);
    const type = findFeature(model, feature)?.type;
    if (type === "string" || type === "timestamp")
      findings.add(where, "PROJECT_COLUMN_TYPE", `Its rowWeights names ${feature}, which is no number`, ROW_WEIGHTS_HINT);
  }
}

const ROW_WEIGHTS_HINT = 'Weigh rows by a feature that is a number of 0 or more, or by age: weightByAge("90d").';

function checkCalibration({ name, calibrate }: ModelDefinition, target: TargetType, findings: Findings): void {
  if (calibrate === undefined || calibrate === "none") return;
  const add = (message: string, hint: string) => findings.add(`model ${name}`, "PROJECT_VALUE_INVALID", message, hint);
  const problem = calibrationProblem(calibrate);
  const hint = target === "binary" ? "Calibrate by isotonic or sigmoid." : "Calibrate by temperature, isotonic or sigmoid.";
  if (target === "regression") {
    add(
      `Its calibration ${String(calibrate)} is not for a regression target`,
      "Leave calibrate out: only probabilities are calibrated.",
    );
  } else if (problem !== null) add(`In its calibration, ${problem}`, hint);
  else if (target === "binary" && calibrate === "temperature")
    add("Its calibration temperature is not for a binary target", hint);
}
