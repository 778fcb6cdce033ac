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
  SERVING_PORT_IN_USE: { kind: "conflict", hint: "Stop what listens there, or choose another port with --port." },
});
