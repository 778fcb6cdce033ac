import { isNestedDeeper, withoutPythonNumbers } from "../inference/python-json.ts";
import { featureServerErrors } from "./errors.ts";

const MOST_LEVELS = 16;
/** Of a number with so many digits a double may lack some. */
const LONG_NUMBER = /\d{16}/;
const WHOLE = /^-?\d{16,19}$/;

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The object of a body as Python's clients write it: NaN is null, and integers of 64 bits that a double cannot hold come as text with all
 * of their digits.
 * @throws FEATURE_SERVER_BODY_REFUSED
 */
export function readJson(text: string): JsonObject {
  if (isNestedDeeper(text, MOST_LEVELS))
    throw featureServerErrors.FEATURE_SERVER_BODY_REFUSED(`The body is nested deeper than ${MOST_LEVELS} levels`);
  const json = parse(text);
  if (isObject(json)) return json;
  throw featureServerErrors.FEATURE_SERVER_BODY_REFUSED("The body is no JSON object");
}

function parse(text: string): unknown {
  const read = LONG_NUMBER.test(text) ? parseExactly : JSON.parse;
  try {
    return read(text);
  } catch (cause) {
    const plain = withoutPythonNumbers(text);
    try {
      if (plain !== text) return read(plain);
    } catch {
      // The first complaint is about what was sent.
    }
    const why = cause instanceof Error ? cause.message : "";
    throw featureServerErrors.FEATURE_SERVER_BODY_REFUSED(`The body is no JSON: ${why}`.slice(0, 300), { cause });
  }
}

/** JSON.parse tells a reviver of each value's text. */
const parseExactly = (text: string): unknown =>
  JSON.parse(text, (_name, value: unknown, context?: { source?: string }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && WHOLE.test(context?.source ?? "") ? context?.source : value,
  );
