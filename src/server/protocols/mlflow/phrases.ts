import type { OrreryError } from "../../../core/errors.ts";

/**
 * MLflow's own words where programs and tests of its users look for them in a message: an error's code, what our message says, and what is said
 * instead. Other messages go out as they are.
 */
const PHRASES: readonly (readonly [code: string, ours: RegExp, theirs: string])[] = [
  ["TRACKING_RUN_UNKNOWN", /^There is no run (.+)$/s, "Run with id=$1 not found"],
  ["TRACKING_EXPERIMENT_UNKNOWN", /^There is no experiment (?!named )(.+)$/s, "No Experiment with id=$1 exists"],
  ["TRACKING_EXPERIMENT_EXISTS", /^There is an experiment (.+) already$/s, "Experiment(name=$1) already exists"],
  ["TRACKING_LOGGED_MODEL_UNKNOWN", /^There is no logged model (.+)$/s, "Logged model with ID '$1' not found"],
  ["TRACKING_TAG_UNKNOWN", /^Logged model (\S+) has no tag (.+)$/s, "No tag with key '$2' for model with ID '$1'"],
  ["TRACKING_TAG_UNKNOWN", /^Experiment (\S+) has no tag (.+)$/s, "No tag with name: $2 in experiment with id $1"],
  ["TRACKING_TAG_UNKNOWN", /^(\S+) has no tag (.+)$/s, "No tag with name: $2 in run with id $1"],
  ["TRACKING_NAME_INVALID", /^(".*" cannot be a logged model's name.*)$/s, "Invalid model name: $1"],
  ["TRACKING_PATH_INVALID", /^.*$/s, "Invalid path"],
  ["REGISTRY_MODEL_UNKNOWN", /^There is no registered model (.+)$/s, "Registered Model with name=$1 not found"],
  ["REGISTRY_MODEL_EXISTS", /^There is a registered model (.+) already$/s, "Registered Model (name=$1) already exists"],
  ["REGISTRY_VERSION_UNKNOWN", /^There is no version (\d+) of (.+)$/s, "Model Version (name=$2, version=$1) not found"],
];

/** What MLflow calls the ways in which a filter or an order is wrong. */
const OBJECTIONS: Readonly<Record<string, string>> = {
  syntax: "Invalid filter string: Invalid clause(s) in filter string",
  room: "Invalid entity type",
  attribute: "Invalid attribute key specified",
  operator: "Invalid comparator",
  unquoted: "Parameter value is either not quoted or unidentified quote types used for string value",
  list: "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list",
};

/** The message that MLflow's clients get. */
export function phraseOf({ code, message, details }: OrreryError): string {
  const objection = typeof details.objection === "string" ? OBJECTIONS[details.objection] : undefined;
  if (code === "TRACKING_FILTER_INVALID" && objection !== undefined) return `${objection}: ${message}`;
  if (code === "TRACKING_ORDER_INVALID") return `Invalid order by key '${String(details.order ?? "")}' specified: ${message}`;
  for (const [named, ours, theirs] of PHRASES) if (named === code && ours.test(message)) return message.replace(ours, theirs);
  return message;
}
