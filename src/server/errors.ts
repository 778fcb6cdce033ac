import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { defineErrors, ERROR_KINDS, OrreryError, toOrreryError } from "../core/errors.ts";

export const serverErrors = defineErrors({
  SERVER_REQUEST_INVALID: { kind: "invalid", hint: "The details name each field that is wrong." },
  SERVER_ROUTE_MISSING: { kind: "not-found", hint: "GET /openapi.json lists every route." },
  SERVER_SCOPE_UNKNOWN: { kind: "not-found", hint: "GET /api/v1/context tells which workspace and project this server holds." },
  SERVER_PROJECT_MISSING: {
    kind: "not-found",
    hint: "`orrery up` serves a project file's data, pipelines and endpoints; `orrery server` only keeps track.",
  },
  SERVER_JSON_TOO_DEEP: { kind: "invalid", hint: "Send objects and lists that are nested at most 64 levels." },
  SERVER_BODY_TOO_LARGE: { kind: "invalid", hint: "Send less at once, in several requests." },
  SERVER_MEDIA_TYPE_UNKNOWN: { kind: "invalid", hint: "Send the header `Content-Type: application/json`." },
  SERVER_TOKEN_REQUIRED: {
    kind: "denied",
    hint: "Send the header `Authorization: Bearer <token>`; `orrery tokens create` makes one.",
  },
  SERVER_ATTEMPTS_EXCEEDED: { kind: "denied", hint: "Check the token, and try again after the time that Retry-After tells." },
  SERVER_PERMISSION_MISSING: { kind: "denied", hint: "An administrator can give you a role that may: `orrery users grant`." },
  SERVER_HOST_REFUSED: {
    kind: "denied",
    hint: "Call the server under the address it listens on, or start it with --allowed-host or --public-url.",
  },
  SERVER_ORIGIN_REFUSED: { kind: "denied", hint: "Pages of other sites cannot call the server; programs can." },
  SERVER_TOKEN_MISSING: {
    kind: "invalid",
    hint: "Set ORRERY_TOKEN or --token-file, or make a user and a token first with `orrery users add` and `orrery tokens create`; without them the server is reached from this machine only.",
  },
  SERVER_CERTIFICATE_INVALID: {
    kind: "invalid",
    hint: "Give --tls-cert and --tls-key the PEM files of a certificate and its key.",
  },
  SERVER_PORT_IN_USE: { kind: "conflict", hint: "Stop what listens there, or choose another port with --port." },
  SERVER_UI_NOT_BUILT: { kind: "not-found", hint: "Run `npm run ui:build`." },
  SERVER_CLOCK_NOT_VIRTUAL: { kind: "conflict", hint: "Start the server with --clock virtual to replay." },
});

/** Statuses that say more than those of an error's kind. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  SERVER_TOKEN_REQUIRED: 401,
  SERVER_ATTEMPTS_EXCEEDED: 429,
  SERVER_BODY_TOO_LARGE: 413,
  SERVER_MEDIA_TYPE_UNKNOWN: 415,
};

/** The HTTP status that an error is answered with. */
export const statusOf = ({ code, kind }: OrreryError): number => STATUS_OF_CODE[code] ?? ERROR_KINDS[kind].status;

/** Any error as the wire's error body. Stack traces stay in the log. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const ours = asOrreryError(error);
  const status = statusOf(ours);
  if (status >= 500) request.log.error({ err: ours.cause ?? ours, code: ours.code }, ours.message);
  return reply.status(status).type("application/json").serializer(JSON.stringify).send(ours.toJSON());
}

/** Whatever a route or Fastify itself threw, as an OrreryError. */
export function asOrreryError(error: unknown): OrreryError {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const issues = error.validation.map((issue) => ({
      path: [error.validationContext ?? "body", ...issue.instancePath.split("/").slice(1)],
      message: issue.message ?? "is not valid",
    }));
    const [first] = issues;
    return serverErrors.SERVER_REQUEST_INVALID(first ? `${first.path.join(".")}: ${first.message}` : "The request is not valid", {
      details: { issues },
    });
  }
  // Fastify's own refusals (malformed JSON, body too large, wrong content type) are the caller's mistakes, not ours.
  const { statusCode, code, message } = error as FastifyError;
  if (!(error instanceof OrreryError) && statusCode !== undefined && statusCode < 500) {
    const details = { code };
    if (statusCode === 413) return serverErrors.SERVER_BODY_TOO_LARGE(message, { details });
    if (statusCode === 415) return serverErrors.SERVER_MEDIA_TYPE_UNKNOWN(message, { details });
    return serverErrors.SERVER_REQUEST_INVALID(message, { details });
  }
  return toOrreryError(error);
}
