import type { Micros } from "../../../core/time.ts";
import { mlflowErrors } from "./errors.ts";
import { writtenNumber } from "./written-number.ts";

/** A request's fields: of its query, or of its body. */
export type Fields = Readonly<Record<string, unknown>>;

const SEE_DOCS = "See the API docs for more information about request parameters.";
const TYPE_NAMES: Readonly<Record<string, string>> = { string: "str", boolean: "bool", undefined: "NoneType" };

function typeName(value: unknown, written: string): string {
  if (value === null) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return /^-?\d+$/.test(written) ? "int" : "float";
  return TYPE_NAMES[typeof value] ?? "dict";
}

/** In the words that clients and their tests know. A number is shown as it was written: 9.0 is of another type than 9 to who wrote it. */
const invalid = (fields: Fields, name: string, shownName = name) => {
  const value = fields[name];
  const written = (typeof value === "number" ? writtenNumber(fields, name) : undefined) ?? JSON.stringify(value) ?? "null";
  const text = written.length > 200 ? `${written.slice(0, 200)}…` : written;
  return mlflowErrors.MLFLOW_PARAMETER_INVALID(
    `Invalid value ${text} for parameter '${shownName}' supplied:  Hint: Value was of type '${typeName(value, written)}'. ${SEE_DOCS}`,
    { details: { parameter: shownName } },
  );
};

export const missing = (name: string) =>
  mlflowErrors.MLFLOW_PARAMETER_INVALID(`Missing value for required parameter '${name}'. ${SEE_DOCS}`, {
    details: { parameter: name },
  });

export const refused = (message: string, parameter?: string) =>
  mlflowErrors.MLFLOW_PARAMETER_INVALID(message, parameter === undefined ? {} : { details: { parameter } });

/** Undefined where it is absent. @throws MLFLOW_PARAMETER_INVALID, as every function here, where it is of another type */
export function text(fields: Fields, name: string, shown = name): string | undefined {
  const value = fields[name];
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  throw invalid(fields, name, shown);
}

/** An empty text counts as absent. */
export function requiredText(fields: Fields, name: string, shown = name): string {
  const value = text(fields, name, shown);
  if (value === undefined || value === "") throw missing(shown);
  return value;
}

/** An integer as a number or, as protocol buffers have it in JSON, as text. */
export function integer(fields: Fields, name: string, shown = name): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isInteger(value)) return value;
  if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) return Number(value);
  throw invalid(fields, name, shown);
}

export function requiredInteger(fields: Fields, name: string, shown = name): number {
  const value = integer(fields, name, shown);
  if (value === undefined) throw missing(shown);
  return value;
}

/** A number, or the text "NaN", "Infinity", "-Infinity", or of a number. */
export function requiredDouble(fields: Fields, name: string, shown = name): number {
  const value = fields[name];
  if (typeof value === "number") return value;
  if (value === undefined || value === null || value === "") throw missing(shown);
  if (typeof value !== "string") throw invalid(fields, name, shown);
  if (/^[+-]?inf(inity)?$/i.test(value)) return value.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const number = Number(value);
  if (Number.isNaN(number) && value.toLowerCase() !== "nan") throw invalid(fields, name, shown);
  return number;
}

/** Of queries "true" and "false" too. */
export function flag(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return value;
  const word = typeof value === "string" ? value.toLowerCase() : null;
  if (word === "true" || word === "false") return word === "true";
  throw refused(`Invalid boolean value: ${String(value).slice(0, 100)}, must be 'true' or 'false'.`, name);
}

/** Empty where it is absent; of a query that has it once, a list of one. */
export function list(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (Array.isArray(value)) return value;
  if (value === undefined || value === null) return [];
  throw invalid(fields, name);
}

export function objects(fields: Fields, name: string): readonly Fields[] {
  const values = list(fields, name);
  for (const each of values) if (typeof each !== "object" || each === null || Array.isArray(each)) throw invalid(fields, name);
  return values as readonly Fields[];
}

/** Also of a query, where one of them is no list. */
export function texts(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  const values = typeof value === "string" ? [value] : list(fields, name);
  const found = values.filter((each) => typeof each === "string");
  if (found.length < values.length) throw invalid(fields, name);
  return found;
}

/** A message within a message; undefined where it is absent. */
export function object(fields: Fields, name: string, shown = name): Fields | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) throw invalid(fields, name, shown);
  return value as Fields;
}

/** Of an enumeration: its names, or their numbers. */
export function choice<Value>(
  fields: Fields,
  name: string,
  choices: ReadonlyMap<string, Value>,
  numbers: readonly string[] = [],
): Value | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === "") return undefined;
  const named = typeof value === "number" || /^\d+$/.test(String(value)) ? numbers[Number(value)] : String(value);
  const found = named === undefined ? undefined : choices.get(named);
  if (found === undefined) throw invalid(fields, name);
  return found;
}

/** Entries {key, value} as a record; of a key that comes twice the last counts. */
export function pairs(fields: Fields, name: string): Record<string, string> {
  const found: [string, string][] = objects(fields, name).map((each, at) => [
    requiredText(each, "key", `${name}[${at}].key`),
    text(each, "value", `${name}[${at}].value`) ?? "",
  ]);
  return Object.fromEntries(found);
}

/** The clients' names of what may be deleted. */
const VIEWS = new Map([
  ["ACTIVE_ONLY", "active"],
  ["DELETED_ONLY", "deleted"],
  ["ALL", "all"],
] as const);
const VIEW_NUMBERS = ["", "ACTIVE_ONLY", "DELETED_ONLY", "ALL"];

export const view = (fields: Fields, name: string) => choice<"active" | "deleted" | "all">(fields, name, VIEWS, VIEW_NUMBERS);

/** How many a page may have: `most`, or `without` where nothing is said. */
export function pageSize(fields: Fields, without: number, most: number): number {
  const size = integer(fields, "max_results");
  if (size === undefined) return without;
  if (size < 1 || size > most)
    throw refused(
      `Invalid value ${size} for parameter 'max_results' supplied: It must be a positive integer of at most ${most}.`,
      "max_results",
    );
  return size;
}

export const cursor = (fields: Fields) => text(fields, "page_token") || undefined;
export const nextPage = (token: string | null) => (token === null ? {} : { next_page_token: token });

/** Absent when empty, as protocol buffers write it. */
export const some = <Name extends string, Item>(name: Name, items: readonly Item[]) =>
  (items.length === 0 ? {} : { [name]: items }) as { readonly [each in Name]?: readonly Item[] };

export const entries = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([key, value]) => ({ key, value }));

/** JSON has no such numbers. */
export const double = (value: number): number | "NaN" | "Infinity" | "-Infinity" => {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
};

export const toMillis = (at: Micros): number => Math.floor(at / 1_000);
export const fromMillis = (at: number): Micros => at * 1_000;

/** The list that a tag holds as JSON; empty where a client has put something else there. */
export function listIn(tag: string | undefined): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(tag ?? "[]");
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}
