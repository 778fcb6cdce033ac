import type { OrreryError } from "../errors.ts";
import { pipelineErrors } from "./errors.ts";

/** One step as plain data. */
export interface PlanStep {
  /** Unique in the plan. */
  readonly name: string;
  /** File URL of the module whose default export runs; "" for an effect. */
  readonly module: string;
  /** Steps whose outputs it takes; it starts when all have succeeded. */
  readonly needs: readonly string[];
  readonly params: Readonly<Record<string, unknown>>;
  /** An equal step that has succeeded before is not run: its output is taken. */
  readonly cache: boolean;
  /** Changes something outside: runs in the owner process, and what came of it is never repeated. */
  readonly effect: boolean;
  /** Further attempts after a failure that could pass: unavailable, internal, a lost worker, a timeout. */
  readonly retries: number;
  /** Of one attempt, from when it starts. */
  readonly timeoutMs: number;
  /**
   * File URLs of other code and data that the step depends on and its imports do not show: what a computed import loads, a file it
   * reads. Code is followed through its own imports. Needed for a cached step with a computed import.
   */
  readonly files?: readonly string[];
}

export interface PlanIR {
  readonly formatVersion: 1;
  readonly pipeline: string;
  readonly steps: readonly PlanStep[];
}

/**
 * A plan that can be run to its end; returned as it was given.
 * @throws PIPELINE_PLAN_INVALID, PIPELINE_STEP_DUPLICATE, PIPELINE_NEED_UNKNOWN, PIPELINE_CYCLE
 */
export function validatePlan(plan: PlanIR): PlanIR {
  if (plan.formatVersion !== 1)
    throw pipelineErrors.PIPELINE_PLAN_INVALID(`Plan format ${String(plan.formatVersion)} is not known`);
  if (plan.steps.length === 0) throw pipelineErrors.PIPELINE_PLAN_INVALID(`The plan of ${plan.pipeline} has no steps`);
  const names = new Set<string>();
  for (const step of plan.steps) {
    checkStep(step);
    if (names.has(step.name)) throw pipelineErrors.PIPELINE_STEP_DUPLICATE(`Two steps are called ${step.name}`);
    names.add(step.name);
  }
  for (const { name, needs } of plan.steps) {
    const unknown = needs.find((need) => !names.has(need));
    if (unknown !== undefined)
      throw pipelineErrors.PIPELINE_NEED_UNKNOWN(`Step ${name} needs ${unknown}, which is not in the plan`);
  }
  checkCycles(plan.steps);
  return plan;
}

function checkStep({ name, module, params, retries, timeoutMs, effect, files = [] }: PlanStep): void {
  const invalid = (problem: string): OrreryError =>
    pipelineErrors.PIPELINE_PLAN_INVALID(`Step ${name === "" ? '""' : name} ${problem}`);
  if (!/^[^\s/][^\r\n/]{0,149}$/.test(name)) throw invalid("needs a name of one line without slashes, at most 150 characters");
  if (!effect && !module.startsWith("file:")) throw invalid("needs the file URL of its module");
  if (!files.every((file) => file.startsWith("file:"))) throw invalid("has files that are not file URLs");
  if (!Number.isInteger(retries) || retries < 0) throw invalid(`cannot be retried ${retries} times`);
  if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) throw invalid(`cannot have a timeout of ${timeoutMs} ms`);
  const path = notJson(params);
  if (path !== null) throw invalid(`has a param that is not JSON: params${path}`);
}

/** setTimeout's own limit, 24 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Path to the first value that JSON would change or drop, null when there is none. Absent (`undefined`) properties are fine. */
export function notJson(value: unknown, depth = 0): string | null {
  if (value === null || typeof value === "string" || typeof value === "boolean") return null;
  if (typeof value === "number") return Number.isFinite(value) ? null : "";
  // Deeper than anything a plan holds, and where a circle would end.
  if (typeof value !== "object" || depth > 100) return "";
  const plain =
    Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null;
  if (!plain) return "";
  for (const [key, each] of Object.entries(value)) {
    if (each === undefined && !Array.isArray(value)) continue;
    const inside = notJson(each, depth + 1);
    if (inside !== null) return `.${key}${inside}`;
  }
  return null;
}

/** Takes away steps whose needs are gone until none is left (Kahn 1962); what cannot be taken away is in a circle or behind one. */
function checkCycles(steps: readonly PlanStep[]): void {
  let left = [...steps];
  for (;;) {
    const names = new Set(left.map(({ name }) => name));
    const blocked = left.filter(({ needs }) => needs.some((need) => names.has(need)));
    if (blocked.length === 0) return;
    if (blocked.length === left.length) {
      const cycle = circleAmong(blocked);
      throw pipelineErrors.PIPELINE_CYCLE(`These steps wait for each other: ${cycle.join(" -> ")}`, { details: { cycle } });
    }
    left = blocked;
  }
}

function circleAmong(blocked: readonly PlanStep[]): string[] {
  const needOf = new Map(
    blocked.map(({ name, needs }) => [name, needs.find((need) => blocked.some((each) => each.name === need)) ?? name]),
  );
  const path: string[] = [];
  let at = blocked[0]?.name ?? "";
  while (!path.includes(at)) {
    path.push(at);
    at = needOf.get(at) ?? at;
  }
  return [...path.slice(path.indexOf(at)), at];
}
