import { checkRequest, type ExactValue, type FeaturePlan, parseRequest } from "../features/index.ts";
import { servingErrors } from "./errors.ts";

export type Instance = Readonly<Record<string, unknown>>;

const MOST_ISSUES = 100;
const LONGEST_REFERENCE = 1_024;

/** What a request is about, for routing: its reference, or else its entity keys in the plan's order. */
export function aboutOf(instance: Instance, keys: readonly string[]): string {
  const { reference } = instance;
  if (typeof reference === "string") return reference;
  // Only values that a key can have: anything else is refused a moment later.
  return keys
    .map((key) => instance[key])
    .map((value) => (typeof value === "object" ? "" : `${typeof value} ${String(value)}`))
    .join("\0");
}

/**
 * Instances as feature values, each by the plan of the model that will answer it.
 * @throws SERVING_REQUEST_INVALID with `details.issues` ([{ path: ["instances", 0, "carrier"], message }]) for all instances
 */
export function parseInstances(
  instances: readonly Instance[],
  planOf: (index: number) => FeaturePlan,
): Record<string, ExactValue>[] {
  const issues: { path: (string | number)[]; message: string }[] = [];
  const parsed = instances.map((instance, index) => {
    const { reference = null } = instance;
    if (reference !== null && (typeof reference !== "string" || reference.length > LONGEST_REFERENCE)) {
      const message = `takes a string of at most ${LONGEST_REFERENCE} characters or null`;
      issues.push({ path: ["instances", index, "reference"], message });
    }
    try {
      return parseRequest(planOf(index), instance);
    } catch (error) {
      const problems = checkRequest(planOf(index), instance);
      if (problems.length === 0) throw error;
      issues.push(...problems.map(({ path, message }) => ({ path: ["instances", index, path], message })));
      return {};
    }
  });
  const [first] = issues;
  if (first === undefined) return parsed;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  throw servingErrors.SERVING_REQUEST_INVALID(`${first.path.join(".")} ${first.message}${more}`, {
    details: { issues: issues.slice(0, MOST_ISSUES) },
  });
}
