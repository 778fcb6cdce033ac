import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import fastifySwagger from "@fastify/swagger";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyServerOptions, LogController } from "fastify";
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import type { z } from "zod";
import { API_PREFIX, type Route, routes } from "../contract/index.ts";
import type { Actor, Scope } from "../core/scope.ts";
import { type AccessPolicy, authorise, checkAccessPolicy } from "./authorise.ts";
import { sendError, serverErrors } from "./errors.ts";
import type { Call, Handlers } from "./handlers.ts";

export interface AppOptions {
  scope: Scope;
  version: string;
  access: AccessPolicy;
  handlers: Handlers;
  /** Prometheus text for GET /metrics. */
  metrics?: () => Promise<string>;
  logger?: FastifyBaseLogger;
}

declare module "fastify" {
  interface FastifyRequest {
    actor: Actor;
  }
}

const UI_DIRECTORY = fileURLToPath(new URL("../../ui/dist", import.meta.url));
const BODY_LIMIT = 8 * 1024 * 1024;
/** Pages load nothing from elsewhere; Mantine writes style attributes, hence 'unsafe-inline' for styles only. */
const CONTENT_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

type AnyHandler = (input: Record<string, unknown>, call: Call) => Promise<unknown>;

/** The control plane's HTTP server: every route of the contract, OpenAPI, metrics and the web UI. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  checkAccessPolicy(options.access);
  const settings: FastifyServerOptions = {
    ...(options.logger === undefined ? { logger: false } : { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    genReqId: (request) => traceIdOf(request.headers.traceparent),
  };
  const app: FastifyInstance = Fastify(settings);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendError);
  await app.register(fastifySwagger, {
    openapi: { openapi: "3.1.0", info: { title: "Orrery", version: options.version } },
    transform: jsonSchemaTransform,
  });
  app.decorateRequest("actor");
  app.addHook("onRequest", async (request, reply) => {
    reply
      .header("x-content-type-options", "nosniff")
      .header("content-security-policy", CONTENT_POLICY)
      .header("referrer-policy", "no-referrer");
    if (needsNoActor(request.url)) return;
    request.actor = authorise(request, options.access);
  });

  app.get("/healthz", { schema: { hide: true } }, async () => ({ ok: true }));
  app.get(`${API_PREFIX}/context`, { schema: { hide: true } }, async () => ({
    ...options.scope,
    version: options.version,
    tokenRequired: options.access.token !== null,
  }));
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  app.get("/metrics", { schema: { hide: true } }, async (_request, reply) => {
    reply.type("text/plain; version=0.0.4");
    return (await options.metrics?.()) ?? "";
  });

  for (const [room, calls] of Object.entries(routes)) {
    const handlers = options.handlers[room as keyof Handlers] as unknown as Record<string, AnyHandler>;
    for (const [name, route] of Object.entries(calls)) addRoute(app, `${room}.${name}`, route, handlers[name], options.scope);
  }
  await addUi(app);
  return app;
}

/** W3C trace id of the caller where it sent one, else a new one. */
function traceIdOf(traceparent: string | string[] | undefined): string {
  const given = typeof traceparent === "string" ? /^00-([0-9a-f]{32})-/.exec(traceparent)?.[1] : undefined;
  return given ?? crypto.randomUUID().replaceAll("-", "");
}

/** The page itself and liveness say nothing worth protecting, and the page is needed to ask for a token. */
const needsNoActor = (url: string) =>
  url === "/healthz" || !(url.startsWith("/api/") || url.startsWith("/metrics") || url.startsWith("/openapi"));

function addRoute(app: FastifyInstance, id: string, route: Route, handler: AnyHandler | undefined, scope: Scope): void {
  if (handler === undefined) throw new TypeError(`No handler for ${id}`);
  const schema: Record<string, unknown> = {
    operationId: id,
    summary: route.summary,
    response: { 200: route.response as z.ZodType },
  };
  if (route.query !== undefined) schema.querystring = route.query;
  if (route.body !== undefined) schema.body = route.body;
  app.route({
    method: route.method,
    url: `${API_PREFIX}/:workspace/:project${route.path}`,
    schema,
    handler: async (request) => {
      const { workspace, project, ...params } = request.params as Record<string, string>;
      if (workspace !== scope.workspace || project !== scope.project) {
        throw serverErrors.SERVER_SCOPE_UNKNOWN(`This server does not hold ${workspace}/${project}`);
      }
      const input = { ...(request.query as object), ...(request.body as object | null), ...parseParams(route, params) };
      return handler(input, { actor: request.actor, traceId: request.id });
    },
  });
}

function parseParams(route: Route, params: Record<string, string>): Record<string, unknown> {
  if (route.params === undefined) return params;
  const parsed = route.params.safeParse(params);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: ["params", ...path.map(String)], message }));
  throw serverErrors.SERVER_REQUEST_INVALID(`${issues[0]?.path.join(".")}: ${issues[0]?.message}`, { details: { issues } });
}

async function addUi(app: FastifyInstance): Promise<void> {
  const built = existsSync(`${UI_DIRECTORY}/index.html`);
  if (built) await app.register(fastifyStatic, { root: UI_DIRECTORY, index: "index.html", cacheControl: true, maxAge: "1h" });
  app.setNotFoundHandler((request, reply) => {
    const page =
      request.method === "GET" && !request.url.startsWith("/api/") && (request.headers.accept ?? "").includes("text/html");
    if (page && built) return reply.sendFile("index.html", { maxAge: 0 });
    if (page) return sendError(serverErrors.SERVER_UI_NOT_BUILT("The web UI has not been built"), request, reply);
    return sendError(
      serverErrors.SERVER_ROUTE_MISSING(`There is no ${request.method} ${request.url.split("?", 1)[0]}`),
      request,
      reply,
    );
  });
}
