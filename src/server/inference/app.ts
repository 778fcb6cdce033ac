import { createHash, timingSafeEqual } from "node:crypto";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { ERROR_KINDS, OrreryError, toOrreryError } from "../../core/errors.ts";
import type { Metrics, Tracer } from "../../core/observability/index.ts";
import type { Clock, VirtualClock } from "../../core/ports/index.ts";
import { type EndpointRuntime, servingErrors } from "../../core/serving/index.ts";
import { parseTimestamp } from "../../core/time.ts";

export interface InferenceAppOptions {
  readonly endpoint: string;
  readonly runtime: EndpointRuntime;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly token: string | null;
  /** Prometheus text over all workers. */
  readonly metricsText: () => Promise<string>;
  readonly logState: () => { lost: number; degraded: string | null };
}

const BODY_LIMIT = 4 * 1024 * 1024;
const MOST_INSTANCES = 1_000;
const digest = (text: string) => createHash("sha256").update(text).digest();

/** The data plane's HTTP surface: predict, health, metrics. */
export function createInferenceApp(options: InferenceAppOptions): FastifyInstance {
  const { runtime, metrics, endpoint } = options;
  const app: FastifyInstance = Fastify({ bodyLimit: BODY_LIMIT, return503OnClosing: false, logger: false });
  const expected = options.token === null ? null : digest(options.token);

  app.setErrorHandler((error, _request, reply) => refuse(error, reply, options));
  app.setNotFoundHandler((request, reply) =>
    refuse(
      servingErrors.SERVING_ENDPOINT_UNKNOWN(`There is no ${request.method} ${request.url.split("?", 1)[0]}`),
      reply,
      options,
    ),
  );
  app.addHook("onRequest", async (request) => {
    if (expected === null || request.url === "/healthz" || request.url === "/readyz") return;
    const sent = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (sent === undefined || !timingSafeEqual(digest(sent), expected))
      throw servingErrors.SERVING_TOKEN_REQUIRED("A valid access token is required");
  });

  app.get("/healthz", async () => ({
    ok: true,
    revision: runtime.revision?.revision ?? null,
    predictionLog: options.logState(),
  }));
  app.get("/readyz", async (_request, reply) => {
    if (runtime.revision === null) throw servingErrors.SERVING_NOT_DEPLOYED(`Nothing is deployed at the endpoint ${endpoint}`);
    return reply.send({ ready: true, revision: runtime.revision.revision });
  });
  app.get("/metrics", async (_request, reply) => reply.type("text/plain; version=0.0.4").send(await options.metricsText()));
  app.get("/v1/endpoints/:endpoint", async (request) => {
    assertEndpoint(request, endpoint);
    const { keys, request: fields } = runtime.plan();
    return { endpoint, revision: runtime.revision?.revision ?? null, keys, request: fields };
  });
  app.post("/v1/endpoints/:endpoint/predict", async (request, reply) => {
    assertEndpoint(request, endpoint);
    const trace = options.tracer.request("predict", header(request, "traceparent"));
    try {
      const requests = instancesOf(request.body);
      const at = requestTime(request, options.clock);
      const answers = await runtime.predict(requests, {
        at,
        traceId: trace.traceId,
        observe(stage, begin, end, version) {
          metrics.stageSeconds.observe({ endpoint, version, stage }, (end - begin) / 1_000);
          trace.stage(stage === "read" ? "feature-read" : stage, begin, end, { "orrery.model.version": version });
        },
      });
      for (const { modelVersion, alias } of answers) metrics.predictions.inc({ endpoint, version: modelVersion, alias });
      const sent = performance.now();
      await reply.header("traceresponse", trace.traceId).send({ predictions: answers });
      metrics.stageSeconds.observe(
        { endpoint, version: answers[0]?.modelVersion ?? 0, stage: "respond" },
        (performance.now() - sent) / 1_000,
      );
      metrics.requests.inc({ endpoint, status: 200 });
      trace.stage("respond", sent, performance.now());
      trace.end({ "http.response.status_code": 200, "orrery.predictions": answers.length });
      return reply;
    } catch (error) {
      trace.end({}, toOrreryError(error).code);
      throw error;
    }
  });
  return app;
}

const header = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
};

function assertEndpoint(request: FastifyRequest, endpoint: string): void {
  const { endpoint: asked } = request.params as { endpoint: string };
  if (asked !== endpoint)
    throw servingErrors.SERVING_ENDPOINT_UNKNOWN(`This server answers for the endpoint ${endpoint}, not ${asked}`);
}

/** @throws SERVING_REQUEST_INVALID */
function instancesOf(body: unknown): Record<string, unknown>[] {
  const invalid = (path: (string | number)[], message: string) =>
    servingErrors.SERVING_REQUEST_INVALID(`${path.join(".")} ${message}`, { details: { issues: [{ path, message }] } });
  const instances = typeof body === "object" && body !== null && "instances" in body ? body.instances : undefined;
  if (!Array.isArray(instances)) throw invalid(["instances"], "takes a list of requests");
  if (instances.length === 0 || instances.length > MOST_INSTANCES)
    throw invalid(["instances"], `takes 1 to ${MOST_INSTANCES} requests, not ${instances.length}`);
  instances.forEach((instance: unknown, i) => {
    if (typeof instance !== "object" || instance === null || Array.isArray(instance))
      throw invalid(["instances", i], "takes an object");
  });
  return instances;
}

/** The machine's time, or in a replay the request's own, which also moves the clock. */
function requestTime(request: FastifyRequest, clock: Clock): number {
  const told = header(request, "orrery-virtual-time");
  if (clock.kind !== "virtual" || told === undefined) return clock.now();
  const at = parseTimestamp(told);
  (clock as VirtualClock).advanceTo(at);
  return at;
}

function refuse(error: unknown, reply: FastifyReply, { metrics, endpoint }: InferenceAppOptions): FastifyReply {
  const ours = asOurs(error);
  const status = ours.code === "SERVING_TOKEN_REQUIRED" ? 401 : ERROR_KINDS[ours.kind].status;
  metrics.requests.inc({ endpoint, status });
  metrics.failures.inc({ endpoint, code: ours.code });
  return reply.status(status).send(ours.toJSON());
}

/** What Fastify refuses itself (malformed JSON, too large a body, another content type) is the caller's mistake. */
function asOurs(error: unknown): OrreryError {
  if (error instanceof OrreryError) return error;
  const { statusCode, message } = error as { statusCode?: number; message: string };
  return statusCode !== undefined && statusCode < 500 ? servingErrors.SERVING_REQUEST_INVALID(message) : toOrreryError(error);
}
