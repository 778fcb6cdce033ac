import { defineErrors } from "../core/errors.ts";

export const cliErrors = defineErrors({
  CLI_ACTION_UNKNOWN: { kind: "invalid", hint: "`orrery <command> --help` tells what it can do." },
  CLI_ARGUMENT_MISSING: { kind: "invalid", hint: "`orrery <command> --help` tells what it needs." },
  CLI_URL_INVALID: { kind: "invalid", hint: 'Write it with its scheme, as "https://models.example.org".' },
  CLI_SIZE_INVALID: { kind: "invalid", hint: 'Write bytes, or a number with KB, MB, GB or TB, as "500MB".' },
  CLI_ALIAS_UNKNOWN: { kind: "not-found", hint: "`orrery models show <name>` lists versions and aliases." },
  CLI_JSON_INVALID: { kind: "invalid", hint: 'Give an object or a list of objects, as \'{"origin":"JFK"}\' or @requests.json.' },
  CLI_ENDPOINT_NOT_RUNNING: { kind: "unavailable", hint: "Start it with `orrery up` or `orrery serve <endpoint>`." },
  CLI_SERVER_NOT_RUNNING: { kind: "unavailable", hint: "Start it with `orrery server` or `orrery up`, on the same --state." },
  CLI_FOLDER_NOT_EMPTY: { kind: "conflict", hint: "Choose a folder that does not exist yet, or an empty one." },
  CLI_PATH_REFUSED: { kind: "denied", hint: "Do not use this server's folders; ask its operator what it serves." },
  CLI_PIPELINE_FAILED: { kind: "internal", hint: "The web UI and `orrery run --json` show the step that failed." },
  CLI_FEATURES_INCONSISTENT: {
    kind: "conflict",
    hint: "The examples say who and when; correct what was delivered too late. A view that is wrong in itself is made anew when its online store is not there: stop, take the online/ folder away, materialize.",
  },
  CLI_CHECK_BREAKING: {
    kind: "conflict",
    hint: "Keep what the deployed version needs until another one is deployed, or give the changed feature a new name; --allow-breaking accepts that the endpoint's values grow old, or that it stops answering, until then.",
  },
  CLI_CHECK_FAILED: { kind: "invalid", hint: "Fix the project file where the findings point." },
  CLI_CONTRACT_BROKEN: {
    kind: "invalid",
    hint: "Mend what is delivered, or change the source's contract where it is too narrow.",
  },
  CLI_CONFIRMATION_MISSING: { kind: "invalid", hint: "Look at what --dry-run shows, then say --yes." },
  CLI_NO_PIPELINE_TRAINS: { kind: "invalid", hint: 'Define a pipeline for the model with the stage "train".' },
});
