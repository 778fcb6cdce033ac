import { defineErrors } from "../errors.ts";

export const servingErrors = defineErrors({
  SERVING_REQUEST_INVALID: {
    kind: "invalid",
    hint: "The details name each field that is wrong; GET /v1/endpoints/<name> tells what it takes.",
  },
  SERVING_BODY_REFUSED: {
    kind: "invalid",
    hint: 'Send JSON of at most 4 MiB with content-type application/json: { "instances": [{ … }] }.',
  },
  SERVING_NOT_DEPLOYED: { kind: "unavailable", hint: "Deploy a model: run the pipeline that trains it, or promote a version." },
  SERVING_DEPLOYMENT_INVALID: {
    kind: "invalid",
    hint: "A deployment has at least one route, an artifact for each, and shares that add up to 1.",
  },
  SERVING_DEPLOYMENT_BROKEN: { kind: "internal", hint: "The last good revision goes on serving; deploy again." },
  SERVING_REVISION_CONFLICT: { kind: "conflict", hint: "Revisions are never changed: deploy again under the next number." },
  SERVING_ENDPOINT_UNKNOWN: { kind: "not-found", hint: "Use the name given to endpoint() in the project file." },
  SERVING_ROUTE_UNKNOWN: {
    kind: "not-found",
    hint: "There are POST /v1/endpoints/<name>/predict, GET /v1/endpoints/<name>, /healthz, /readyz and /metrics.",
  },
  SERVING_HOST_REFUSED: { kind: "denied", hint: "Call the server under the name and port it listens on." },
  SERVING_TOKEN_REQUIRED: { kind: "denied", hint: "Send the header `Authorization: Bearer <token>`." },
  SERVING_TOKEN_MISSING: {
    kind: "invalid",
    hint: "Set ORRERY_TOKEN or --token-file; without a token the server listens on loopback only.",
  },
  SERVING_OPTION_INVALID: { kind: "invalid", hint: "Correct the option; `orrery serve --help` lists them." },
  SERVING_WORKER_FAILED: { kind: "internal", hint: "The log of the inference process has the details." },
  SERVING_METRICS_LATE: { kind: "unavailable", hint: "Ask again; the server is busy or being replaced." },
  SERVING_INPUT_INVALID: {
    kind: "invalid",
    hint: 'Send CSV with a line of names, or JSON such as { "dataframe_split": { "columns": […], "data": [[…]] } }.',
  },
  SERVING_CONTENT_TYPE: { kind: "invalid", hint: "Send text/csv or application/json." },
  SERVING_TOO_SLOW: { kind: "unavailable", hint: "Send fewer rows in one request." },
  SERVING_MODEL_URI_INVALID: {
    kind: "invalid",
    hint: "Say models:/<name>@<alias>, models:/<name>/<version>, models:/<m-id>, runs:/<run id>/<path>, or a folder with an MLmodel file.",
  },
  SERVING_MODEL_MISSING: { kind: "not-found", hint: "`orrery models list` and `orrery runs show <id>` tell what there is." },
  SERVING_MODEL_ELSEWHERE: {
    kind: "denied",
    hint: "Only files that the registry itself keeps are fetched: download the folder and serve it from there.",
  },
  SERVING_REGISTRY_MISSING: {
    kind: "invalid",
    hint: "Say --tracking-uri or set MLFLOW_TRACKING_URI, or start `orrery server` or `orrery up` on the same --state.",
  },
  SERVING_REGISTRY_UNREACHABLE: {
    kind: "unavailable",
    hint: "The last good version goes on serving, where there is one; the registry is asked again.",
  },
  SERVING_REGISTRY_REFUSED: { kind: "denied", hint: "Set MLFLOW_TRACKING_TOKEN to a token that may read there." },
  SERVING_PORT_IN_USE: { kind: "conflict", hint: "Stop what listens there, or choose another port with --port." },
});
