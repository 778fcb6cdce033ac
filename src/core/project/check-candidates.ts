import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  CANDIDATE_KINDS,
  type CandidateDefinition,
  candidateProblems,
  type GradientBoostingCandidate,
  isCandidate,
  keepsDirections,
  type ModelDefinition,
  type PythonCandidate,
  pythonFiles,
  type TargetType,
} from "../definitions/index.ts";
import { unpinnedRequirement } from "../ports/index.ts";
import type { Findings } from "./finding.ts";
import { findFeature, reportUnknownFeatures } from "./model-features.ts";

/**
 * Names, parameters, tasks, ranges to search, features that are named, and files that Python programs are in.
 * @param directory of the project file; null: files are not looked for
 */
export function checkCandidates(model: ModelDefinition, target: TargetType, directory: string | null, findings: Findings): void {
  const where = `model ${model.name}`;
  if (!Array.isArray(model.candidates)) {
    findings.add(where, "PROJECT_VALUE_INVALID", "Its candidates are not a list", "Write candidates: [gradientBoosting()].");
    return;
  }
  const given: readonly unknown[] = model.candidates;
  const candidates = given.filter(isCandidate);
  for (const wrong of given) if (!isCandidate(wrong)) reportUnknownKind(where, wrong, findings);
  const names = candidates.map(({ name }) => name);
  for (const name of new Set(names.filter((each, i) => names.indexOf(each) !== i)))
    findings.add(where, "PROJECT_NAME_TWICE", `It has two candidates called ${name}`, "Name them: { name: … }.");
  if (given.length === candidates.length && candidates.every(({ kind }) => kind === "baseline" || kind === "rule"))
    findings.add(where, "PROJECT_VALUE_INVALID", "It has no candidate that learns", "Add one, as gradientBoosting().");
  for (const candidate of candidates) checkCandidate(model, candidate, target, directory, findings);
}

function reportUnknownKind(where: string, candidate: unknown, findings: Findings): void {
  const { parameters } = candidateProblems(candidate);
  const hint =
    typeof candidate === "function"
      ? "Call it: gradientBoosting(), not gradientBoosting."
      : `Take one of ${CANDIDATE_KINDS.join(", ")}.`;
  for (const problem of parameters) findings.add(where, "PROJECT_VALUE_INVALID", `A candidate is wrong: ${problem}`, hint);
}

function checkCandidate(
  model: ModelDefinition,
  candidate: CandidateDefinition,
  target: TargetType,
  directory: string | null,
  findings: Findings,
): void {
  const where = `model ${model.name}`;
  const { name } = candidate;
  const { parameters, search } = candidateProblems(candidate);
  for (const wrong of parameters)
    findings.add(where, "PROJECT_VALUE_INVALID", `In the candidate ${name}, ${wrong}`, "Correct the candidate's parameters.");
  for (const wrong of search) findings.add(where, "PROJECT_SEARCH_INVALID", `In the search of ${name}, ${wrong}`);
  // The rest reads parameters as they should be.
  if (parameters.length > 0) return;
  const problem = taskProblem(candidate, target);
  if (problem !== null) findings.add(where, "PROJECT_CANDIDATE_UNSUITED", `The candidate ${name} ${problem}`);
  if (candidate.kind === "gradient-boosting") checkConstraints(model, candidate, target, findings);
  if (candidate.kind === "model-file") {
    reportUnknownFeatures(model, `The candidate ${name} (columns)`, candidate.columns ?? [], findings);
    if (directory !== null && !isFile(directory, candidate.path))
      findings.add(where, "PROJECT_FILE_MISSING", `The candidate ${name} is the file ${candidate.path}, which is not there`);
  }
  if (candidate.kind === "python" && directory !== null) checkFiles(where, candidate, directory, findings);
}

/** Features that `monotone` and `interactions` name: there, and for `monotone` such as can rise. */
function checkConstraints(
  model: ModelDefinition,
  { name, params: { monotone, interactions } }: GradientBoostingCandidate,
  target: TargetType,
  findings: Findings,
): void {
  const where = `model ${model.name}`;
  const directed = Object.keys(monotone);
  reportUnknownFeatures(model, `The candidate ${name} (monotone)`, directed, findings);
  reportUnknownFeatures(model, `The candidate ${name} (interactions)`, interactions.flat(), findings);
  const hint = "Leave it out of `monotone`: only a number can rise.";
  for (const each of directed)
    if (findFeature(model, each)?.type === "string")
      findings.add(where, "PROJECT_COLUMN_TYPE", `The candidate ${name} (monotone) names ${each}, which holds categories`, hint);
  if (directed.length > 0 && !keepsDirections(target))
    findings.add(
      where,
      "PROJECT_CANDIDATE_UNSUITED",
      `The candidate ${name} has monotone features, and the charter's target is ${target}`,
    );
}

/** Why a candidate cannot be trained for a target; null where it can. */
function taskProblem(candidate: CandidateDefinition, target: TargetType): string | null {
  const isFor = (wanted: string) => `is for ${wanted}, and the charter's target is ${target}`;
  const isRegression = target === "regression";
  switch (candidate.kind) {
    case "rule":
      return target === "binary" ? null : isFor("binary targets");
    case "baseline": {
      const { strategy } = candidate.params;
      if (strategy === "prior" || strategy === "majority") return isRegression ? `(${strategy}) ${isFor("classes")}` : null;
      if (strategy === "mean" || strategy === "median") return isRegression ? null : `(${strategy}) ${isFor("regression")}`;
      return null;
    }
    case "logistic-regression":
      return isRegression ? isFor("classes") : null;
    case "linear-regression":
    case "poisson-regression":
      return isRegression ? null : isFor("regression");
    case "gradient-boosting": {
      const { loss } = candidate.params;
      return isRegression || loss === "squared" ? null : `minimises the ${loss} loss, which ${isFor("regression")}`;
    }
    default:
      return null;
  }
}

function checkFiles(where: string, candidate: PythonCandidate, directory: string, findings: Findings): void {
  const { name, requirements } = candidate;
  const files = pythonFiles(candidate);
  const missing = files.filter((file) => !isFile(directory, file));
  for (const file of missing)
    findings.add(where, "PROJECT_FILE_MISSING", `The candidate ${name} needs ${file}, which is not there`);
  if (typeof requirements !== "string" || missing.includes(requirements)) return;
  const unpinned = unpinnedRequirement(readFileSync(join(directory, requirements), "utf8"));
  if (unpinned === null) return;
  const { line, content, problem } = unpinned;
  const hint = "Name one version of each package: scikit-learn==1.9.1.";
  findings.add(
    where,
    "PROJECT_VALUE_INVALID",
    `In ${requirements} of the candidate ${name}, line ${line}, ${content} ${problem}`,
    hint,
  );
}

const isFile = (directory: string, path: string): boolean =>
  statSync(join(directory, path), { throwIfNoEntry: false })?.isFile() === true;
