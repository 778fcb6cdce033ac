import type { FastifyReply, FastifyRequest } from "fastify";
import { defineErrors, type ErrorKind, type OrreryError } from "../../../core/errors.ts";
import { asOrreryError } from "../../errors.ts";
import { phraseOf } from "./phrases.ts";

export const mlflowErrors = defineErrors({
  MLFLOW_PARAMETER_INVALID: {
    kind: "invalid",
    hint: "docs/reference/mlflow.md lists the endpoints; the field is named in the message.",
  },
  MLFLOW_UNSUPPORTED: {
    kind: "unavailable",
    hint: "docs/reference/mlflow.md says what is served: experiments, runs, artifacts, logged models and the registry.",
  },
  MLFLOW_ENDPOINT_MISSING: { kind: "not-found", hint: "docs/reference/mlflow.md lists the endpoints." },
});

/** MLflow's name of an error, and the HTTP status it comes with. */
type Answer = readonly [name: string, status: number];

const INVALID: Answer = ["INVALID_PARAMETER_VALUE", 400];
const MISSING: Answer = ["RESOURCE_DOES_NOT_EXIST", 404];
const EXISTS: Answer = ["RESOURCE_ALREADY_EXISTS", 400];
/** MLflow answers with status 500, which its clients take for an accident and repeat for minutes; they go by the name. */
const STATE: Answer = ["INVALID_STATE", 400];
const UNAVAILABLE: Answer = ["TEMPORARILY_UNAVAILABLE", 503];

const BY_KIND: Readonly<Record<ErrorKind, Answer>> = {
  invalid: INVALID,
  "not-found": MISSING,
  conflict: INVALID,
  denied: ["PERMISSION_DENIED", 403],
  unavailable: UNAVAILABLE,
  internal: ["INTERNAL_ERROR", 500],
};

/** Where the kind of an error says too little. */
const BY_CODE: Readonly<Record<string, Answer>> = {
  MLFLOW_UNSUPPORTED: ["NOT_IMPLEMENTED", 501],
  MLFLOW_ENDPOINT_MISSING: ["ENDPOINT_NOT_FOUND", 404],
  SERVER_ROUTE_MISSING: ["ENDPOINT_NOT_FOUND", 404],
  SERVER_TOKEN_REQUIRED: ["UNAUTHENTICATED", 401],
  SERVER_ATTEMPTS_EXCEEDED: ["REQUEST_LIMIT_EXCEEDED", 429],
  SERVER_REQUEST_INVALID: ["BAD_REQUEST", 400],
  SERVER_BODY_TOO_LARGE: ["INVALID_PARAMETER_VALUE", 413],
  TRACKING_EXPERIMENT_EXISTS: EXISTS,
  TRACKING_EXPERIMENT_DELETED: STATE,
  TRACKING_ARTIFACT_TOO_LARGE: ["INVALID_PARAMETER_VALUE", 413],
  REGISTRY_MODEL_EXISTS: EXISTS,
  // As MLflow has it; its clients tell a missing alias by this.
  REGISTRY_ALIAS_UNKNOWN: INVALID,
  REGISTRY_GATE_NOT_PASSED: STATE,
  REGISTRY_GATE_STALE: STATE,
  REGISTRY_APPROVAL_MISSING: STATE,
  REGISTRY_APPROVAL_DECLINED: STATE,
  PROJECT_VERSION_NOT_PACKAGED: STATE,
  // Full: sending the same bytes again at once does not help, and 503 would make clients do just that.
  ARTIFACT_STORE_FULL: ["RESOURCE_EXHAUSTED", 507],
  ARTIFACT_STORE_READ_ONLY: ["PERMISSION_DENIED", 403],
  STATE_CONFLICT: ["RESOURCE_CONFLICT", 409],
};

export const answerTo = ({ code, kind }: OrreryError): Answer => BY_CODE[code] ?? BY_KIND[kind];

/** Any error as MLflow's clients read it. What they do not know (the code, a hint, details) they ignore. */
export function sendMlflowError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const ours = asOrreryError(error);
  const [name, status] = answerTo(ours);
  if (status >= 500 && status !== 501) request.log.error({ err: ours.cause ?? ours, code: ours.code }, ours.message);
  const { code, hint, details } = ours;
  return reply
    .status(status)
    .type("application/json")
    .serializer(JSON.stringify)
    .send({ error_code: name, message: phraseOf(ours), code, hint, ...(Object.keys(details).length === 0 ? {} : { details }) });
}
