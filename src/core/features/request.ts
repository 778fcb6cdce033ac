import type { ColumnType } from "../definitions/index.ts";
import { type Micros, parseTimestamp } from "../time.ts";
import { featureErrors } from "./errors.ts";
import { integerOf } from "./integers.ts";
import type { ExactValue, FeaturePlan } from "./plan.ts";

export interface RequestProblem {
  /** The field's name. */
  readonly path: string;
  readonly message: string;
}

const EXPECTED: Readonly<Record<ColumnType, string>> = {
  string: "a string",
  int32: "a whole number of 32 bits",
  int64: "a whole number of 64 bits (in quotes beyond ±2^53)",
  float64: "a finite number",
  bool: "true or false",
  timestamp: "an ISO 8601 timestamp, such as 2013-11-01T12:00:00Z",
};

const fieldsOf = new WeakMap<FeaturePlan, readonly (readonly [name: string, type: ColumnType])[]>();

/** Keys and request fields of a plan with their types, each once. */
export function requestFields(plan: FeaturePlan): readonly (readonly [name: string, type: ColumnType])[] {
  const known = fieldsOf.get(plan);
  if (known !== undefined) return known;
  const fields = Object.entries({ ...plan.request, ...plan.keys });
  fieldsOf.set(plan, fields);
  return fields;
}

/**
 * What is wrong with a request as it came over the wire (timestamps as ISO text); empty when nothing is. Null is allowed in
 * every field, an absent field is not; fields that the plan does not know are left alone.
 */
export function checkRequest(plan: FeaturePlan, row: Readonly<Record<string, unknown>>): RequestProblem[] {
  const problems: RequestProblem[] = [];
  for (const [path, type] of requestFields(plan)) {
    const value = Object.hasOwn(row, path) ? row[path] : undefined;
    if (value === undefined) problems.push({ path, message: `is missing; it takes ${EXPECTED[type]} or null` });
    else if (value !== null && wireValue(type, value) === undefined) {
      problems.push({ path, message: `takes ${EXPECTED[type]} or null, not ${shown(value)}` });
    }
  }
  return problems;
}

/**
 * A request's keys and fields as feature values (timestamps as Micros, integers beyond 2^53 as bigints).
 * @throws FEATURE_REQUEST_INVALID with `details.problems`
 */
export function parseRequest(plan: FeaturePlan, row: Readonly<Record<string, unknown>>): Record<string, ExactValue> {
  const problems = checkRequest(plan, row);
  const [first] = problems;
  if (first !== undefined)
    throw featureErrors.FEATURE_REQUEST_INVALID(`${first.path} ${first.message}`, { details: { problems } });
  return Object.fromEntries(requestFields(plan).map(([name, type]) => [name, wireValue(type, row[name]) ?? null]));
}

/** The value, or undefined where it is not of the type. Null stays null. */
function wireValue(type: ColumnType, value: unknown): ExactValue | undefined {
  if (value === null) return null;
  if (type === "timestamp") return typeof value === "string" ? timestampValue(value) : undefined;
  return typedValue(type, value);
}

/** Like the wire, but with timestamps as Micros already. */
export function typedValue(type: ColumnType, value: unknown): ExactValue | undefined {
  switch (type) {
    case "string":
      return typeof value === "string" ? value : undefined;
    case "bool":
      return typeof value === "boolean" ? value : undefined;
    case "float64":
      return typeof value === "number" && Number.isFinite(value) ? value : undefined;
    case "int32":
      return typeof value === "number" && (value | 0) === value ? value : undefined;
    case "int64":
      // A number that has gone through JSON has lost its digits beyond 2^53 already; in quotes it has them.
      return typeof value === "string" && Number.isSafeInteger(Number(value)) ? undefined : integerOf(value);
    case "timestamp":
      return typeof value === "number" && Number.isFinite(value) ? value : undefined;
  }
}

function timestampValue(text: string): Micros | undefined {
  try {
    return parseTimestamp(text);
  } catch {
    return undefined;
  }
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}
