import { defineErrors } from "../errors.ts";

export const servingErrors = defineErrors({
  SERVING_REQUEST_INVALID: {
    kind: "invalid",
    hint: "The details name each field that is wrong; GET /v1/endpoints/<name> tells what it takes.",
  },
  SERVING_NOT_DEPLOYED: { kind: "unavailable", hint: "Deploy a model: run the pipeline that trains it, or promote a version." },
  SERVING_DEPLOYMENT_BROKEN: { kind: "internal", hint: "The last good revision goes on serving; deploy again." },
  SERVING_ENDPOINT_UNKNOWN: { kind: "not-found", hint: "Use the name given to endpoint() in the project file." },
  SERVING_TOKEN_REQUIRED: { kind: "denied", hint: "Send the header `Authorization: Bearer <token>`." },
  SERVING_TOKEN_MISSING: {
    kind: "invalid",
    hint: "Set ORRERY_TOKEN or --token-file; without a token the server listens on loopback only.",
  },
  SERVING_PORT_IN_USE: { kind: "conflict", hint: "Stop what listens there, or choose another port with --port." },
});
