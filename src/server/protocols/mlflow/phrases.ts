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
  [
    "TRACKING_NAME_INVALID",
    /^A key of \d+ characters is too long, (\d+) are the limit/,
    "'key' exceeds the maximum length of $1 characters: $&",
  ],
  ["TRACKING_PATH_INVALID", /^.*$/s, "Invalid path"],
  ["TRACKING_RUN_DELETED", /^(?:Run|The run) (\S+) is deleted$/, "The run $1 must be in the 'active' state. It is deleted."],
  [
    "TRACKING_EXPERIMENT_DELETED",
    /^Experiment (\S+) is deleted$/,
    "The experiment $1 must be in the 'active' state. It is deleted.",
  ],
  [
    "TRACKING_RUN_NAMED_TWICE",
    /^The run is named "(.*)" and by its tag (\S+) "(.*)"$/s,
    "Both 'run_name' argument and '$2' tag are specified, but with different values (run_name='$1', $2='$3').",
  ],
  ["TRACKING_PARAM_CHANGED", /^.+$/s, "Changing param values is not allowed. $&"],
  ["TRACKING_PARAM_TWICE", /^.+$/s, "Duplicate parameter keys have been submitted: $&"],
  [
    "TRACKING_VALUE_TOO_LONG",
    /^A data set's tag has \d+ characters, (\d+) are the limit$/,
    "'key' exceeds the maximum length of $1 characters: $&",
  ],
  [
    "TRACKING_VALUE_TOO_LONG",
    /^.+ has \d+ characters, (\d+) are the limit$/s,
    "'value' exceeds the maximum length of $1 characters: $&",
  ],
  [
    "TRACKING_DATASET_INVALID",
    /^A data set's (.+) has \d+ characters, (\d+) are the limit$/,
    "'$1' exceeds the maximum length of $2 characters: $&",
  ],
  ["REGISTRY_MODEL_UNKNOWN", /^There is no registered model (.+)$/s, "Registered Model with name=$1 not found"],
  ["REGISTRY_MODEL_EXISTS", /^There is a registered model (.+) already$/s, "Registered Model (name=$1) already exists"],
  ["REGISTRY_VERSION_UNKNOWN", /^There is no version (\d+) of (.+)$/s, "Model Version (name=$2, version=$1) not found"],
  [
    "REGISTRY_TAG_INVALID",
    /^The value of the tag .+ is longer than (\d+) characters$/s,
    "'value' exceeds the maximum length of $1 characters: $&",
  ],
  [
    "REGISTRY_STAGE_INVALID",
    /^No version can be archived for another that goes to (.+)$/,
    "Model version transition cannot archive existing model versions because '$1' is not an Active stage.",
  ],
];

/** What MLflow calls the ways in which a filter is wrong. */
const OBJECTIONS: Readonly<Record<string, string>> = {
  syntax: "Invalid filter string: Invalid clause(s) in filter string",
  room: "Invalid entity type",
  operator: "Invalid comparator",
  unquoted: "Parameter value is either not quoted or unidentified quote types used for string value",
};

const IN_A_LIST = "While parsing a list in the query, expected";

function listPhrase(found: string): string {
  if (found === ")") return `${IN_A_LIST} a non-empty list of string values, but got empty list`;
  if (found === ",") return `${IN_A_LIST} a non-empty list of string values, but got ill-formed list`;
  return `${IN_A_LIST} string value, punctuation, or whitespace, but got different type in list`;
}

/** Words of SQL, which MLflow takes for broken grammar and not for a text without quotes. */
const WORDS = /^(true|false|null)$/i;

function filterPhrase({ message, details }: OrreryError): string {
  const found = String(details.found ?? "");
  const objection = details.objection === "unquoted" && WORDS.test(found) ? "syntax" : String(details.objection ?? "");
  if (objection === "attribute") return `Invalid attribute key '${found}' specified: ${message}`;
  if (objection === "list") return `${listPhrase(found)}: ${message}`;
  const phrase = Object.hasOwn(OBJECTIONS, objection) ? OBJECTIONS[objection] : undefined;
  if (phrase === undefined) return message;
  return `${phrase}${objection === "unquoted" ? ` ${found}` : ""}: ${message}`;
}

function orderPhrase({ message, details }: OrreryError): string {
  const order = String(details.order ?? "");
  if (details.objection === "syntax") return `Invalid order_by clause '${order}': ${message}`;
  return `Invalid order by key '${order}' specified. Invalid attribute key '${order}' specified: ${message}`;
}

/** Which part of a search is another than in the one that the page token belongs to. */
const TOKEN_PHRASES: Readonly<Record<string, string>> = {
  unreadable: "Invalid page token, could not base64-decode",
  experiments: "Invalid page token. Experiment IDs in the page token do not match the requested ones",
  order: "Invalid page token. Order by in the page token does not match the requested one",
  filter: "Invalid page token. Filter string in the page token does not match the requested one",
};

function cursorPhrase({ message, details }: OrreryError): string {
  const reason = String(details.reason ?? "");
  return `${Object.hasOwn(TOKEN_PHRASES, reason) ? TOKEN_PHRASES[reason] : "Invalid page token"}: ${message}`;
}

const BY_DETAILS: Readonly<Record<string, (error: OrreryError) => string>> = {
  TRACKING_FILTER_INVALID: filterPhrase,
  TRACKING_ORDER_INVALID: orderPhrase,
  TRACKING_CURSOR_INVALID: cursorPhrase,
  REGISTRY_SOURCE_INVALID: ({ message, details }) =>
    details.reason === "relative"
      ? `Invalid model version source. If supplying a source as an http, https, or other URI, it cannot step upwards: ${message}`
      : `Invalid model version source: ${message}`,
};

/** The message that MLflow's clients get. */
export function phraseOf(error: OrreryError): string {
  const { code, message } = error;
  const phrase = Object.hasOwn(BY_DETAILS, code) ? BY_DETAILS[code] : undefined;
  if (phrase !== undefined) return phrase(error);
  for (const [named, ours, theirs] of PHRASES) if (named === code && ours.test(message)) return message.replace(ours, theirs);
  return message;
}
