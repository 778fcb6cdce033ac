import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { defineErrors, ERROR_KINDS, OrreryError, toOrreryError } from "../core/errors.ts";

export const serverErrors = defineErrors({
  SERVER_REQUEST_INVALID: { kind: "invalid", hint: "The details name each field that is wrong." },
  SERVER_ROUTE_MISSING: { kind: "not-found", hint: "GET /openapi.json lists every route." },
  SERVER_SCOPE_UNKNOWN: { kind: "not-found", hint: "GET /api/v1/context tells which workspace and project this server holds." },
  SERVER_TOKEN_REQUIRED: { kind: "denied", hint: "Send the header `Authorization: Bearer <token>`." },
  SERVER_ORIGIN_REFUSED: { kind: "denied", hint: "Call the server under the name and port it listens on." },
  SERVER_TOKEN_MISSING: {
    kind: "invalid",
    hint: "Set ORRERY_TOKEN or --token-file; without a token the server listens on loopback only.",
  },
  SERVER_PORT_IN_USE: { kind: "conflict", hint: "Stop what listens there, or choose another port with --port." },
  SERVER_UI_NOT_BUILT: { kind: "not-found", hint: "Run `npm run ui:build`." },
  SERVER_CLOCK_NOT_VIRTUAL: { kind: "conflict", hint: "Start the server with --clock virtual to replay." },
});

/** Any error as the wire's error body. Stack traces stay in the log. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const ours = asOrreryError(error, request);
  const status = ours.code === "SERVER_TOKEN_REQUIRED" ? 401 : ERROR_KINDS[ours.kind].status;
  if (status >= 500) request.log.error({ err: ours.cause ?? ours, code: ours.code }, ours.message);
  return reply.status(status).type("application/json").serializer(JSON.stringify).send(ours.toJSON());
}

function asOrreryError(error: unknown, request: FastifyRequest): OrreryError {
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
  const { statusCode, code } = error as FastifyError;
  if (!(error instanceof OrreryError) && statusCode !== undefined && statusCode < 500) {
    return serverErrors.SERVER_REQUEST_INVALID((error as Error).message, { details: { code, url: request.url } });
  }
  return toOrreryError(error);
}
