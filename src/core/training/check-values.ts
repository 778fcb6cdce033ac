import { seedProblem, type ValueRules, valuesProblems } from "../definitions/index.ts";
import { trainErrors } from "./errors.ts";

/**
 * @param what begins the message: "forest"
 * @param values those that are undefined count as left out; parameters that no rule knows are refused
 * @throws TRAIN_PARAMETER_INVALID naming every value that is not as its rule says
 */
export function checkValues(what: string, values: object, rules: ValueRules): void {
  const problems = valuesProblems(values, rules);
  if (problems.length > 0)
    throw trainErrors.TRAIN_PARAMETER_INVALID(`${what}: ${problems.join("; ")}`, { details: { problems } });
}

/**
 * A model's seed, as definitions take it.
 * @throws TRAIN_PARAMETER_INVALID
 */
export function checkSeed(seed: number): void {
  const problem = seedProblem(seed);
  if (problem !== null)
    throw trainErrors.TRAIN_PARAMETER_INVALID(problem, { hint: "Correct the seed in the model's definition." });
}
