import { createHash } from "node:crypto";
import { createContext, runInContext } from "node:vm";
import type { ColumnType, OnDemandDefinition } from "../definitions/index.ts";
import { featureErrors } from "./errors.ts";
import { integerOf } from "./integers.ts";
import type { ExactValue, PlannedOnDemand } from "./plan.ts";

/** Inputs and request fields by name; timestamps as Micros, integers beyond 2^53 as bigints. */
export type OnDemandArguments = Readonly<Record<string, ExactValue>>;
export type OnDemandFunction = (row: OnDemandArguments) => ExactValue;

type Compute = (row: Record<string, unknown>) => unknown;
type DateConstructorLike = new (millis: number) => { getTime(): number };

/**
 * A realm with JavaScript's built-ins and nothing else, and without clock and chance: the same arguments give the same
 * value in training and in serving. Calls into it cost what ordinary calls cost (45 ns measured for both).
 */
const realm = createContext(Object.create(null), { name: "on-demand features", codeGeneration: { strings: false, wasm: false } });
const RealmDate = runInContext(
  `delete globalThis.console; delete globalThis.WebAssembly;
  (() => {
    const absent = (name) => { throw new ReferenceError(name + " is not defined"); };
    Math.random = () => absent("Math.random");
    const Real = Date;
    globalThis.Date = new Proxy(Real, {
      construct: (target, given, made) => given.length === 0 ? absent("new Date()") : Reflect.construct(target, given, made),
      apply: () => absent("Date()"),
      get: (target, name) => name === "now" ? absent("Date.now") : Reflect.get(target, name),
    });
    return Real;
  })()`,
  realm,
) as DateConstructorLike; // The last expression of the script above.

/** A function's text as an expression: methods (`compute(row) {…}`) become function expressions. @throws FEATURE_ON_DEMAND_SOURCE */
export function onDemandCode(name: string, compute: OnDemandDefinition["compute"]): string {
  const text = Function.prototype.toString.call(compute).trim();
  for (const code of [text, `function ${text}`]) {
    if (isExpression(code)) return code;
  }
  throw featureErrors.FEATURE_ON_DEMAND_SOURCE(`The source text of on-demand feature "${name}" cannot be compiled on its own`);
}

function isExpression(code: string): boolean {
  try {
    return typeof runInContext(`"use strict"; (${code}\n)`, realm) === "function";
  } catch {
    return false;
  }
}

export const codeHash = (code: string): string => createHash("sha256").update(code).digest("hex");

const compiled = new Map<string, Compute>();

/**
 * Rebuilds an on-demand function from its text, in strict mode and in a realm of its own. The value is null without a
 * call where a request field is null, because compute is promised that request fields have values.
 * @throws FEATURE_ON_DEMAND_SOURCE when the text does not match its hash or does not compile; the function throws
 * FEATURE_ON_DEMAND_NOT_SELF_CONTAINED, FEATURE_ON_DEMAND_FAILED and FEATURE_ON_DEMAND_TYPE
 */
export function loadOnDemand(planned: PlannedOnDemand): OnDemandFunction {
  return onDemandFunction(planned, compileCode(planned), (micros) => new RealmDate(micros / 1_000));
}

/** The definition's own function behind the same conversions: what a rebuilt function is compared with. */
export function definedOnDemand(planned: PlannedOnDemand, definition: OnDemandDefinition): OnDemandFunction {
  // Arguments are made by the plan's types, which are the types that the definition's own function was checked against.
  return onDemandFunction(planned, definition.compute as Compute, (micros) => new Date(micros / 1_000));
}

/**
 * A definition's function of its text, which it has again when it is asked for.
 * @throws FEATURE_ON_DEMAND_SOURCE when the text does not match its hash or does not compile
 */
export const recalledFunction = (text: Pick<PlannedOnDemand, "name" | "code" | "sha256">): OnDemandDefinition["compute"] =>
  compileCode(text) as OnDemandDefinition["compute"];

function compileCode({ name, code, sha256 }: Pick<PlannedOnDemand, "name" | "code" | "sha256">): Compute {
  // Compiled code is found by what it is: the stored hash is a claim about it.
  const known = compiled.get(code);
  if (codeHash(code) === sha256 && known !== undefined) return known;
  if (codeHash(code) !== sha256 || !isExpression(code)) {
    throw featureErrors.FEATURE_ON_DEMAND_SOURCE(`The stored code of on-demand feature "${name}" is damaged`, {
      hint: "Take the model from the artifact store again, or train it again.",
    });
  }
  // isExpression has just seen that it is a function.
  const compute = runInContext(`"use strict"; (${code}\n)`, realm) as Compute;
  compiled.set(code, compute);
  return compute;
}

function onDemandFunction(planned: PlannedOnDemand, compute: Compute, toDate: (micros: number) => unknown): OnDemandFunction {
  const { name, returns } = planned;
  const required = Object.keys(planned.request);
  const argumentTypes = [...planned.inputs.map((input) => [input.name, input.type] as const), ...Object.entries(planned.request)];
  return (row) => {
    for (const field of required) {
      if ((row[field] ?? null) === null) return null;
    }
    const given: Record<string, unknown> = {};
    for (const [argument, type] of argumentTypes) {
      const value = row[argument] ?? null;
      given[argument] = type === "timestamp" && typeof value === "number" ? toDate(value) : value;
    }
    let result: unknown;
    try {
      result = compute(given);
    } catch (cause) {
      throw onDemandFailure(name, cause);
    }
    return resultOf(name, returns, result);
  };
}

function onDemandFailure(name: string, cause: unknown) {
  // Errors of the realm are no instances of this realm's Error.
  const { name: kind = "", message = String(cause) } = Object(cause) as { name?: string; message?: string };
  const free = kind === "ReferenceError" ? /^(.+?) is not defined/.exec(message)?.[1] : undefined;
  if (free !== undefined) {
    return featureErrors.FEATURE_ON_DEMAND_NOT_SELF_CONTAINED(`On-demand feature "${name}" uses ${free}, which is not its own`, {
      details: { feature: name, name: free },
    });
  }
  return featureErrors.FEATURE_ON_DEMAND_FAILED(`On-demand feature "${name}" failed: ${message.split("\n", 1)[0]}`, { cause });
}

function resultOf(name: string, type: ColumnType, result: unknown): ExactValue {
  if (result === null || result === undefined || (typeof result === "number" && Number.isNaN(result))) return null;
  if (type === "string" && typeof result === "string") return result;
  if (type === "bool" && typeof result === "boolean") return result;
  if (type === "float64" && typeof result === "number") return result;
  if (type === "int32" && typeof result === "number" && (result | 0) === result) return result;
  if (type === "int64" && (typeof result === "number" || typeof result === "bigint")) {
    const integer = integerOf(result);
    if (integer !== undefined) return integer;
  }
  if (type === "timestamp" && Object.prototype.toString.call(result) === "[object Date]") {
    const millis = (result as Date).getTime(); // The tag says it is a Date of one realm or the other.
    return Number.isNaN(millis) ? null : millis * 1_000;
  }
  const shown = typeof result === "number" || typeof result === "bigint" ? String(result) : typeof result;
  throw featureErrors.FEATURE_ON_DEMAND_TYPE(`On-demand feature "${name}" returned ${shown} where ${type} was promised`);
}

const PROBES: Readonly<Record<ColumnType, readonly ExactValue[]>> = {
  string: ["", "A"],
  int32: [0, 1, -1],
  int64: [0, 1, -1],
  float64: [0, 0.5, -1],
  bool: [true, false],
  timestamp: [0, 1_372_680_000_000_000],
};
const MAX_PROBES = 256;

/**
 * Runs the rebuilt function on nulls and a few values of each type, so that a name from outside its body is found when the
 * plan is compiled. A branch that no probe enters is found at the latest when the training set is built, on real rows.
 * @throws FEATURE_ON_DEMAND_NOT_SELF_CONTAINED
 */
export function checkSelfContained(planned: PlannedOnDemand): void {
  const compute = loadOnDemand(planned);
  const choices = [
    ...planned.inputs.map(({ name, type }) => [name, [null, ...PROBES[type]]] as const),
    ...Object.entries(planned.request).map(([name, type]) => [name, PROBES[type]] as const),
  ];
  const combinations = Math.min(
    MAX_PROBES,
    choices.reduce((product, [, values]) => product * values.length, 1),
  );
  for (let probe = 0; probe < combinations; probe++) {
    let rest = probe;
    const row: Record<string, ExactValue> = {};
    for (const [name, values] of choices) {
      row[name] = values[rest % values.length] ?? null;
      rest = Math.floor(rest / values.length);
    }
    try {
      compute(row);
    } catch (error) {
      // Probes are no real rows: what else fails on them need not fail in the field.
      if (error instanceof Error && "code" in error && error.code === "FEATURE_ON_DEMAND_NOT_SELF_CONTAINED") throw error;
    }
  }
}
