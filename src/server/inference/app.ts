import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { ERROR_KINDS, OrreryError, toOrreryError } from "../../core/errors.ts";
import type { Metrics, RequestTrace, Tracer } from "../../core/observability/index.ts";
import { type Clock, systemClock, VirtualClock } from "../../core/ports/index.ts";
import { type EndpointRuntime, type StageObserver, servingErrors } from "../../core/serving/index.ts";
import { type Micros, parseTimestamp } from "../../core/time.ts";
import { createAccess } from "./access.ts";

export interface InferenceAppOptions {
  readonly endpoint: string;
  readonly runtime: EndpointRuntime;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  /** Required of every request but health checks where there is one. */
  readonly token: string | null;
  /** Prometheus text over all workers. */
  readonly metricsText: () => Promise<string>;
  readonly logState: () => { readonly lost: number; readonly degraded: string | null };
  /** Told about failures that are ours. */
  readonly onFailure?: (error: OrreryError) => void;
}

declare module "fastify" {
  interface FastifyRequest {
    /** What is noted of a prediction request until its answer is out; other requests have none. */
    prediction?: PredictionNotes | undefined;
  }
}

interface PredictionNotes {
  readonly began: number;
  readonly trace: RequestTrace;
  /** When the answer was ready, and the version that gave it. */
  answered: number | null;
  version: number;
  instances: number;
  error: string | null;
}

const BODY_LIMIT = 4 * 1024 * 1024;
const MOST_INSTANCES = 1_000;
/** An idle keep-alive connection is closed by the client or this server within so long. */
export const KEEP_ALIVE_MS = 5_000;
const VIRTUAL_TIME = "orrery-virtual-time";
const SPANS = { validate: "validate", read: "feature-read", predict: "model", log: "log" } as const;

/** The data plane's HTTP surface: predict, health, metrics. */
export function createInferenceApp(options: InferenceAppOptions): FastifyInstance {
  const { runtime, metrics, endpoint } = options;
  const app: FastifyInstance = Fastify({
    bodyLimit: BODY_LIMIT,
    keepAliveTimeout: KEEP_ALIVE_MS,
    return503OnClosing: false,
    logger: false,
    // A path that does not decode comes to no route and so to no error handler.
    frameworkErrors: (error, request, reply) => refuse(error, request, reply, options),
  });
  const access = createAccess(options.token);
  app.decorateRequest("prediction", undefined);
  app.setErrorHandler((error, request, reply) => refuse(error, request, reply, options));
  app.setNotFoundHandler((request, reply) => {
    const missing = servingErrors.SERVING_ROUTE_UNKNOWN(`There is no ${request.method} ${request.url.split("?", 1)[0]}`);
    return refuse(missing, request, reply, options);
  });
  app.addHook("onRequest", (request, _reply, done) => {
    const { url } = request;
    done(url === "/healthz" || url === "/readyz" ? undefined : (access(request.headers) ?? undefined));
  });

  app.get("/healthz", async () => ({
    ok: true,
    endpoint,
    revision: runtime.revision?.revision ?? null,
    problem: runtime.problem?.code ?? null,
    predictionLog: options.logState(),
  }));
  app.get("/readyz", async () => {
    const { revision, problem } = runtime;
    if (revision !== null) return { ready: true, endpoint, revision: revision.revision, problem: problem?.toJSON() ?? null };
    throw servingErrors.SERVING_NOT_DEPLOYED(
      problem === null ? `Nothing is deployed at the endpoint ${endpoint}` : problem.message,
      problem === null ? {} : { hint: problem.hint, details: { cause: problem.code } },
    );
  });
  app.get("/metrics", async (_request, reply) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(await options.metricsText()),
  );
  app.get<EndpointRoute>("/v1/endpoints/:endpoint", async (request) => {
    assertEndpoint(request.params.endpoint, endpoint);
    const { keys, request: fields } = runtime.plan();
    const routes = (runtime.revision?.routes ?? []).map(({ alias, version, share }) => ({ alias, version, share }));
    return { endpoint, revision: runtime.revision?.revision ?? null, routes, keys, request: fields };
  });
  app.post<EndpointRoute>("/v1/endpoints/:endpoint/predict", {
    onRequest(request, _reply, done) {
      const { traceparent } = request.headers;
      const trace = options.tracer.request("predict", typeof traceparent === "string" ? traceparent : undefined);
      request.prediction = { began: performance.now(), trace, answered: null, version: 0, instances: 0, error: null };
      done();
    },
    async handler(request) {
      assertEndpoint(request.params.endpoint, endpoint);
      const instances = instancesOf(request.body);
      const at = requestTime(request, options.clock);
      const { prediction } = request;
      const observe: StageObserver = (stage, begin, end, version) => {
        metrics.stageSeconds.observe({ endpoint, version, stage }, (end - begin) / 1_000);
        prediction?.trace.stage(SPANS[stage], begin, end, { "orrery.model.version": version });
      };
      const predictions = await runtime.predict(instances, { at, traceId: prediction?.trace.traceId ?? null, observe });
      for (const { modelVersion, alias, missing } of predictions) {
        metrics.predictions.inc({ endpoint, version: modelVersion, alias });
        for (const view of missing) metrics.unknownEntities.inc({ endpoint, view });
      }
      if (prediction !== undefined) {
        prediction.answered = performance.now();
        prediction.version = predictions[0].modelVersion;
        prediction.instances = predictions.length;
      }
      return { predictions };
    },
    onResponse(request, reply, done) {
      finish(request.prediction, reply.statusCode, options);
      done();
    },
  });
  return app;
}

interface EndpointRoute {
  Params: { endpoint: string };
}

function finish(notes: PredictionNotes | undefined, status: number, { metrics, endpoint }: InferenceAppOptions): void {
  if (notes === undefined) return;
  const { began, trace, answered, version, error } = notes;
  const ended = performance.now();
  metrics.requestSeconds.observe({ endpoint, status }, (ended - began) / 1_000);
  if (answered !== null) {
    metrics.stageSeconds.observe({ endpoint, version, stage: "respond" }, (ended - answered) / 1_000);
    trace.stage("respond", answered, ended);
  }
  const attributes = {
    "http.request.method": "POST",
    "http.response.status_code": status,
    "orrery.endpoint": endpoint,
    "orrery.instances": notes.instances,
  };
  // The prediction log is written to in the same turn, after the answer; its span comes before the trace ends. A refusal is the
  // caller's error, not this server's, as OpenTelemetry's conventions for HTTP have it.
  setImmediate(() => trace.end(attributes, status >= 500 ? error : null, ended));
}

function assertEndpoint(asked: string, endpoint: string): void {
  if (asked !== endpoint)
    throw servingErrors.SERVING_ENDPOINT_UNKNOWN(`This server answers for the endpoint ${endpoint}, not ${asked}`);
}

function invalid(path: (string | number)[], message: string): OrreryError {
  return servingErrors.SERVING_REQUEST_INVALID(`${path.join(".")} ${message}`, { details: { issues: [{ path, message }] } });
}

/** @throws SERVING_REQUEST_INVALID */
function instancesOf(body: unknown): Record<string, unknown>[] {
  const instances = typeof body === "object" && body !== null && "instances" in body ? body.instances : undefined;
  if (!Array.isArray(instances)) throw invalid(["instances"], "takes a list of objects");
  if (instances.length === 0 || instances.length > MOST_INSTANCES)
    throw invalid(["instances"], `takes 1 to ${MOST_INSTANCES} objects, not ${instances.length}`);
  const wrong = instances.findIndex((instance) => typeof instance !== "object" || instance === null || Array.isArray(instance));
  if (wrong >= 0) throw invalid(["instances", wrong], "takes an object");
  return instances;
}

/**
 * The machine's time; in a replay the request's own, which also moves the clock, or else the time the clock was moved to last.
 * @throws SERVING_REQUEST_INVALID
 */
function requestTime({ headers }: FastifyRequest, clock: Clock): Micros {
  if (!(clock instanceof VirtualClock)) return clock.now();
  const told = headers[VIRTUAL_TIME];
  if (told === undefined) return clock.now() > 0 ? clock.now() : systemClock.now();
  try {
    const at = parseTimestamp(String(told));
    clock.advanceTo(at);
    return at;
  } catch {
    throw invalid(["headers", VIRTUAL_TIME], "takes an ISO 8601 timestamp, such as 2013-11-01T12:00:00Z");
  }
}

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply, options: InferenceAppOptions): FastifyReply {
  const { ours, status } = asRefusal(error);
  options.metrics.failures.inc({ endpoint: options.endpoint, code: ours.code });
  if (request.prediction !== undefined) request.prediction.error = ours.code;
  if (ours.kind === "internal") options.onFailure?.(ours);
  return reply.status(status).send(ours.toJSON());
}

/** What Fastify refuses itself (malformed JSON, too large a body, another content type) is the caller's mistake. */
function asRefusal(error: unknown): { ours: OrreryError; status: number } {
  const { statusCode, message } = error as Partial<FastifyError>; // Anything can be thrown; both may be absent.
  if (!(error instanceof OrreryError) && statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return { ours: servingErrors.SERVING_BODY_REFUSED(message ?? "The body was refused"), status: statusCode };
  const ours = toOrreryError(error);
  return { ours, status: ours.code === "SERVING_TOKEN_REQUIRED" ? 401 : ERROR_KINDS[ours.kind].status };
}
