import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type CandidateDefinition,
  type ModelDefinition,
  type PythonCandidate,
  pythonFiles,
  searchSpaceProblems,
  type TargetType,
} from "../definitions/index.ts";
import type { Findings } from "./finding.ts";

/**
 * Names, tasks, ranges to search, names of features, and files that Python programs are in.
 * @param checkNames reports those that are no features of the model
 */
export function checkCandidates(
  { name: model, candidates }: ModelDefinition,
  target: TargetType,
  directory: string | null,
  findings: Findings,
  checkNames: (what: string, names: readonly string[]) => void,
): void {
  const where = `model ${model}`;
  const names = candidates.map(({ name }) => name);
  for (const name of new Set(names.filter((each, i) => names.indexOf(each) !== i)))
    findings.add(where, "PROJECT_NAME_TWICE", `It has two candidates called ${name}`, "Name them: { name: … }.");
  if (candidates.every(({ kind }) => kind === "baseline" || kind === "rule"))
    findings.add(where, "PROJECT_VALUE_INVALID", "It has no candidate that learns", "Add one, as gradientBoosting().");
  for (const candidate of candidates) {
    const { name } = candidate;
    const problem = taskProblem(candidate, target);
    if (problem !== null) findings.add(where, "PROJECT_CANDIDATE_UNSUITED", `The candidate ${name} ${problem}`);
    if ("tune" in candidate && candidate.tune !== undefined)
      for (const wrong of searchSpaceProblems(candidate.tune.space))
        findings.add(where, "PROJECT_SEARCH_INVALID", `In the search of ${name}, ${wrong}`);
    if (candidate.kind === "gradient-boosting") {
      const { monotone, interactions } = candidate.params;
      checkNames(`The candidate ${name} (monotone)`, Object.keys(monotone));
      checkNames(`The candidate ${name} (interactions)`, interactions.flat());
    }
    if (candidate.kind === "python" && directory !== null) checkFiles(where, candidate, directory, findings);
  }
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
  for (const file of pythonFiles(candidate))
    if (!existsSync(join(directory, file)))
      findings.add(where, "PROJECT_FILE_MISSING", `The candidate ${candidate.name} needs ${file}, which is not there`);
}
