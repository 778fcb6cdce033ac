import type { Endpoint, Prediction } from "../../../../src/contract/index.ts";

export interface Field {
  readonly name: string;
  readonly type: string;
  /** Keys find the entities' features; request fields are features, or feed on-demand ones. */
  readonly role: "key" | "request";
}

/** The form's fields: keys first; a field that is both a key and a request field is asked once. */
export function formFields(endpoint: Pick<Endpoint, "keys" | "request">): Field[] {
  const keys = Object.entries(endpoint.keys).map(([name, type]): Field => ({ name, type, role: "key" }));
  const request = Object.entries(endpoint.request)
    .filter(([name]) => !(name in endpoint.keys))
    .map(([name, type]): Field => ({ name, type, role: "request" }));
  return [...keys, ...request];
}

export type Instance = Record<string, string | number | boolean | null>;
export type Parsed =
  | { readonly ok: true; readonly instance: Instance }
  | { readonly ok: false; readonly problems: Record<string, string> };

/** What was typed, as the instance that the endpoint takes. An empty field is null: a missing value is a question worth trying. */
export function parseInstance(fields: readonly Field[], typed: Readonly<Record<string, string>>): Parsed {
  const instance: Instance = {};
  const problems: Record<string, string> = {};
  for (const { name, type } of fields) {
    const text = (typed[name] ?? "").trim();
    const value = text === "" ? null : parseField(type, text);
    if (value === undefined) problems[name] = EXPECTED[type] ?? `Not a ${type}`;
    else instance[name] = value;
  }
  return Object.keys(problems).length === 0 ? { ok: true, instance } : { ok: false, problems };
}

export const EXPECTED: Record<string, string> = {
  int32: "A whole number",
  int64: "A whole number",
  float64: "A number",
  bool: "true or false",
  timestamp: "ISO 8601, such as 2013-11-05T14:30:00Z",
};

/** Undefined: the text is no value of the type. */
function parseField(type: string, text: string): string | number | boolean | undefined {
  switch (type) {
    case "int32":
    case "int64":
      return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
    case "float64":
      return Number.isFinite(Number(text)) ? Number(text) : undefined;
    case "bool":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "timestamp": {
      const at = Date.parse(text);
      return Number.isNaN(at) ? undefined : new Date(at).toISOString();
    }
    default:
      return text;
  }
}

/** A logged prediction's keys and request fields, as the text that fills the form. */
export function exampleOf(prediction: Pick<Prediction, "keys" | "request">): Record<string, string> {
  const entries = Object.entries({ ...prediction.request, ...prediction.keys });
  return Object.fromEntries(entries.map(([name, value]) => [name, value === null || value === undefined ? "" : String(value)]));
}
