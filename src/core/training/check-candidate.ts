import { candidateProblems } from "../definitions/index.ts";
import { trainErrors } from "./errors.ts";

/**
 * Refuses a candidate whose definition is wrong whatever it is trained on: its kind, parameters, ranges and settings of its search.
 * Definitions come as JSON, where types have not seen to it.
 * @throws TRAIN_PARAMETER_INVALID, or TRAIN_SEARCH_SPACE_INVALID where only the search is wrong; naming every problem
 */
export function checkCandidate(candidate: unknown): void {
  const { parameters, search } = candidateProblems(candidate);
  if (parameters.length > 0) {
    const problems = [...parameters, ...search];
    throw trainErrors.TRAIN_PARAMETER_INVALID(`${nameOf(candidate)}: ${problems.join("; ")}`, { details: { problems } });
  }
  if (search.length > 0)
    throw trainErrors.TRAIN_SEARCH_SPACE_INVALID(`${nameOf(candidate)}: ${search.join("; ")}`, {
      details: { problems: search },
      hint: "Correct the ranges, or the settings, of the candidate's search in the model's definition.",
    });
}

const nameOf = (candidate: unknown): string =>
  typeof candidate === "object" && candidate !== null && "name" in candidate && typeof candidate.name === "string"
    ? `the candidate ${candidate.name}`
    : "a candidate";
