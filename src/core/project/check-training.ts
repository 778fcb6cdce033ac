import type { ModelDefinition, SplitDefinition, TargetType } from "../definitions/index.ts";
import { checkCandidates } from "./check-candidates.ts";
import { checkMetric } from "./check-charter.ts";
import type { Findings } from "./finding.ts";

/**
 * Whether a model can be trained as it says for the charter's target: metric, split, weights, calibration, preparation and candidates.
 * @param directory of the project file, where Python programs are looked for; null: they are not
 */
export function checkTraining(model: ModelDefinition, target: TargetType, directory: string | null, findings: Findings): void {
  const where = `model ${model.name}`;
  const ids = model.features.map(({ id }) => id);
  const checkNames = (what: string, names: readonly string[]) => {
    for (const name of names) {
      const problem = featureNameProblem(ids, name);
      if (problem !== null) findings.add(where, "PROJECT_REFERENCE_UNKNOWN", `${what} names ${name}, ${problem}`, NAME_HINT);
    }
  };
  if (model.select !== undefined) checkMetric(where, "Its selection", model.select, target, findings);
  checkSplit(model, target, findings);
  checkWeights(model, target, findings);
  checkCalibration(model, target, findings);
  if (model.split.kind === "grouped" && !model.segments.includes(model.split.by)) checkNames("Its split", [model.split.by]);
  if (model.rowWeights?.kind === "feature") checkNames("Its rowWeights", [model.rowWeights.feature]);
  for (const step of model.prepare) checkNames(`Its preparation ${step.kind}`, step.on ?? []);
  checkCandidates(model, target, directory, findings, checkNames);
}

const NAME_HINT = "Name a feature of the model by its id (view.feature), or by its name alone where only one has it.";

/** As training finds features: by id, or by a name that only one has. */
function featureNameProblem(ids: readonly string[], name: string): string | null {
  if (ids.includes(name)) return null;
  const matches = ids.filter((id) => id.slice(id.indexOf(".") + 1) === name);
  if (matches.length === 1) return null;
  return matches.length === 0 ? "which is no feature of it" : `which is ${matches.join(" and ")}`;
}

function checkSplit({ name, split }: ModelDefinition, target: TargetType, findings: Findings): void {
  const add = (message: string, hint?: string) => findings.add(`model ${name}`, "PROJECT_VALUE_INVALID", message, hint);
  if (!areParts(split)) {
    add(
      `Its split gives ${split.test} to test and ${split.validation} to validation`,
      "Give each a share above 0, below 1 together; by time, durations above 0.",
    );
  }
  if (split.kind === "stratified" && target === "regression")
    add("Its split is stratified by class, and a regression target has none", "Use atRandom(…), grouped(…) or byTime(…).");
}

const areParts = ({ kind, test, validation }: SplitDefinition): boolean =>
  test > 0 && validation > 0 && (kind === "time" || test + validation < 1);

function checkWeights({ name, classWeights }: ModelDefinition, target: TargetType, findings: Findings): void {
  if (classWeights === undefined) return;
  const add = (message: string, hint: string) => findings.add(`model ${name}`, "PROJECT_VALUE_INVALID", message, hint);
  if (target === "regression") {
    add("It weighs classes, and a regression target has none", "Leave classWeights out, or weigh rows with rowWeights.");
  } else if (classWeights !== "balanced") {
    const isCount = target === "binary" ? classWeights.length === 2 : classWeights.length > 0;
    if (!isCount) add(`It weighs ${classWeights.length} classes`, "Give one weight a class, in the order of the classes.");
    if (classWeights.some((weight) => !(weight >= 0 && Number.isFinite(weight))))
      add(`It weighs classes ${classWeights.join(", ")}`, "Give weights of 0 or more, and finite.");
  }
}

function checkCalibration({ name, calibrate }: ModelDefinition, target: TargetType, findings: Findings): void {
  if (calibrate === undefined || calibrate === "none") return;
  if (target === "regression" || (target === "binary" && calibrate === "temperature")) {
    const hint =
      target === "binary" ? "Calibrate by isotonic or sigmoid." : "Leave calibrate out: only probabilities are calibrated.";
    findings.add(`model ${name}`, "PROJECT_VALUE_INVALID", `Its calibration ${calibrate} is not for a ${target} target`, hint);
  }
}
