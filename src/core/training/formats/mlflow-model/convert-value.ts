import { invalidInput, shown } from "./model-input.ts";
import type { MlflowType } from "./signature.ts";

const NUMBER_TEXT = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;
const SPECIAL_TEXT: ReadonlyMap<string, number> = new Map([
  ["nan", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
  ["infinity", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
]);

/** Numbers, numbers as texts, and conditions as 0 and 1, as pandas casts them; NaN for null; null for anything else. */
export function asNumber(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (value === null) return Number.NaN;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "string") return null;
  if (NUMBER_TEXT.test(value)) return Number(value);
  return SPECIAL_TEXT.get(value.trim().toLowerCase()) ?? null;
}

const WHOLE_RANGES = {
  integer: [-(2 ** 31), 2 ** 31 - 1],
  long: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
} as const;

const CONDITIONS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
]);

/**
 * A value as a column of the signature has it: a number, a boolean, a text, or null for a missing text. Nothing is lost on the way: a fraction
 * is no whole number, and null no condition.
 * @param what names the column and the row, for the message
 * @throws TRAIN_MODEL_INPUT_INVALID
 */
export function convertValue(value: unknown, type: MlflowType, what: () => string): number | boolean | string | null {
  switch (type) {
    case "double":
    case "float": {
      const number = asNumber(value);
      if (number === null) throw invalidInput(`${what()} takes a number, not ${shown(value)}`);
      return number;
    }
    case "integer":
    case "long": {
      const number = asNumber(value);
      if (number === null || Number.isNaN(number))
        throw invalidInput(`${what()} takes a whole number, not ${shown(value)}; it cannot be missing`);
      const [low, high] = WHOLE_RANGES[type];
      if (!Number.isInteger(number) || number < low || number > high)
        throw invalidInput(`${what()} takes a whole number from ${low} to ${high}, not ${shown(value)}`);
      return number;
    }
    case "boolean": {
      const condition =
        typeof value === "string" ? CONDITIONS.get(value.toLowerCase()) : value === 1 ? true : value === 0 ? false : value;
      if (typeof condition !== "boolean") throw invalidInput(`${what()} takes true or false, not ${shown(value)}`);
      return condition;
    }
    case "string":
    case "datetime":
      return asText(value, what);
  }
}

/** Numbers and conditions as Python writes them. @throws TRAIN_MODEL_INPUT_INVALID */
export function asText(value: unknown, what: () => string): string | null {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "number") return Number.isNaN(value) ? null : String(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  throw invalidInput(`${what()} takes a text, not ${shown(value)}`);
}
