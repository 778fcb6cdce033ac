import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from "fastify";
import { ERROR_KINDS, OrreryError, toOrreryError } from "../../core/errors.ts";
import type { Metrics } from "../../core/observability/index.ts";
import { servingErrors } from "../../core/serving/index.ts";
import { createAccess } from "./access.ts";
import { KEEP_ALIVE_MS } from "./app.ts";
import { contentTypeRefusal, parseInvocation } from "./invocations.ts";
import type { ServedModel } from "./served-model.ts";

export interface ModelAppOptions {
  /** The model's address, as it was given. */
  readonly address: string;
  readonly served: ServedModel;
  readonly metrics: Metrics;
  /** Required of every request but health checks where there is one. */
  readonly token: string | null;
  /** Whoever reaches the port may ask, under whichever name: for a container whose surroundings keep others out. */
  readonly anonymous: boolean;
  readonly metricsText: () => Promise<string>;
  readonly onFailure?: (error: OrreryError) => void;
}

/** Of a request with its rows; what SageMaker and the like allow is less. */
const BODY_LIMIT = 16 * 1024 * 1024;
/** As MLflow's server waits, unless told otherwise. */
const MOST_SECONDS = 60;
/** Which scoring protocol is spoken; clients look at nothing but whether there is an answer. */
const MLFLOW_VERSION = "3.17.2";
const OPEN_PATHS = new Set(["/ping", "/health", "/version", "/healthz", "/readyz"]);

/** MLflow's scoring protocol for one model: /invocations, /ping, /health, /version; and what our own inference servers have beside it. */
export function createModelApp(options: ModelAppOptions): FastifyInstance {
  const { served, metrics, address } = options;
  const app: FastifyInstance = Fastify({
    bodyLimit: BODY_LIMIT,
    keepAliveTimeout: KEEP_ALIVE_MS,
    return503OnClosing: false,
    logger: false,
    frameworkErrors: (error, _request, reply) => refuse(error, reply, options),
  });
  const access = options.anonymous ? () => null : createAccess(options.token);
  app.setErrorHandler((error, _request, reply) => refuse(error, reply, options));
  app.setNotFoundHandler((request, reply) => {
    const missing = servingErrors.SERVING_ROUTE_UNKNOWN(`There is no ${request.method} ${request.url.split("?", 1)[0]}`, {
      hint: "There are POST /invocations, GET /ping, /health, /version, /v1/model, /readyz and /metrics.",
    });
    return refuse(missing, reply, options);
  });
  app.addHook("onRequest", (request, _reply, done) => {
    done(OPEN_PATHS.has(request.url) ? undefined : (access(request.headers) ?? undefined));
  });
  // What a body is depends on its type, of which there are more than Fastify has parsers for.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  for (const path of ["/ping", "/health"])
    app.get(path, (_request, reply) =>
      reply
        .status(served.current === null ? 404 : 200)
        .type("application/json")
        .send("\n"),
    );
  app.get("/version", (_request, reply) => reply.type("application/json").send(MLFLOW_VERSION));
  app.get("/healthz", async () => ({ ok: true, model: address, problem: served.problem?.code ?? null }));
  app.get("/readyz", async () => ({ ready: true, model: address, version: readyModel(options).pointer.version }));
  app.get("/metrics", async (_request, reply) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(await options.metricsText()),
  );
  app.get("/v1/model", async () => {
    const { pointer, signature } = readyModel(options);
    const { version, location, revision } = pointer;
    return { model: address, version, location, revision, signature, problem: served.problem?.toJSON() ?? null };
  });
  app.post("/invocations", async (request, reply) => {
    const began = performance.now();
    const { pointer, model, signature } = readyModel(options);
    const type = request.headers["content-type"];
    const unsuited = contentTypeRefusal(type);
    if (unsuited !== null) throw servingErrors.SERVING_CONTENT_TYPE(unsuited);
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const { input, params } = parseInvocation(body, type ?? "", signature);
    const { predictions, rows } = await model.predict(input, params, () => {
      if (performance.now() - began > MOST_SECONDS * 1_000)
        throw servingErrors.SERVING_TOO_SLOW("Request processing time exceeded limit");
    });
    metrics.predictions.inc({ endpoint: address, version: pointer.version ?? "", alias: "" }, rows);
    return reply.type("application/json").send(JSON.stringify({ predictions }));
  });
  app.addHook("onResponse", (request, reply, done) => {
    if (request.routeOptions.url === "/invocations")
      metrics.requestSeconds.observe({ endpoint: address, status: reply.statusCode }, reply.elapsedTime / 1_000);
    done();
  });
  return app;
}

/** @throws SERVING_NOT_DEPLOYED */
function readyModel({ served, address }: ModelAppOptions) {
  if (served.current !== null) return served.current;
  throw servingErrors.SERVING_NOT_DEPLOYED(served.problem?.message ?? `Nothing of ${address} could be loaded yet`, {
    hint: served.problem?.hint ?? "Wait until the registry answers.",
  });
}

/** MLflow's names of errors, by which its clients tell them apart. */
const ERROR_CODES: Readonly<Record<number, string>> = {
  400: "BAD_REQUEST",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "ENDPOINT_NOT_FOUND",
  413: "BAD_REQUEST",
  503: "TEMPORARILY_UNAVAILABLE",
};

function refuse(error: unknown, reply: FastifyReply, options: ModelAppOptions): FastifyReply {
  const { ours, status } = asRefusal(error);
  options.metrics.failures.inc({ endpoint: options.address, code: ours.code });
  if (ours.kind === "internal") options.onFailure?.(ours);
  // MLflow's server says these two in plain words.
  if (status === 415 || status === 504) return reply.status(status).type("text/plain; charset=utf-8").send(ours.message);
  const { message, code, hint } = ours;
  return reply.status(status).send({ error_code: ERROR_CODES[status] ?? "INTERNAL_ERROR", message, code, hint });
}

const STATUS_OF_CODES: Readonly<Record<string, number>> = {
  SERVING_TOKEN_REQUIRED: 401,
  SERVING_CONTENT_TYPE: 415,
  SERVING_TOO_SLOW: 504,
};

function asRefusal(error: unknown): { ours: OrreryError; status: number } {
  const { statusCode, message } = error as Partial<FastifyError>; // Anything can be thrown; both may be absent.
  if (!(error instanceof OrreryError) && statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return { ours: servingErrors.SERVING_BODY_REFUSED(message ?? "The body was refused", { hint: HINT }), status: statusCode };
  const ours = toOrreryError(error);
  const status = STATUS_OF_CODES[ours.code] ?? (ours.kind === "invalid" ? 400 : ERROR_KINDS[ours.kind].status);
  return { ours, status };
}

const HINT = `Send at most ${BODY_LIMIT} bytes of text/csv or application/json.`;
