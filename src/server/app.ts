import { existsSync } from "node:fs";
import type { Server } from "node:http";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import fastifySwagger from "@fastify/swagger";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyPluginAsync,
  LogController,
} from "fastify";
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { z } from "zod";
import { API_PREFIX, type Route, routes } from "../contract/index.ts";
import { type Access, may, rolesIn } from "../core/access/index.ts";
import type { Scope } from "../core/scope.ts";
import { type AccessPolicy, checkAccessPolicy } from "./authorise.ts";
import { closeIdleConnections } from "./close-idle.ts";
import { sendError, serverErrors } from "./errors.ts";
import { guard } from "./guard.ts";
import type { Call, Handlers } from "./handlers.ts";
import { addJsonParser } from "./json-body.ts";
import { LIMITS } from "./limits.ts";
import { type Certificate, tlsServer } from "./tls.ts";

/** Routes that are not of the contract, in a scope of their own: they may bring parsers and an error handler. */
export interface Protocol {
  readonly prefix?: string;
  /** Each route names its permission: `config: { permission: "track" }`. Of OpenAPI are those that have an operationId. */
  readonly plugin: FastifyPluginAsync;
}

export interface AppOptions {
  scope: Scope;
  version: string;
  access: AccessPolicy;
  /** Users, tokens and the trail of changes; without them there is the administrator's token alone. */
  accounts?: Access;
  handlers: Handlers;
  protocols?: readonly Protocol[];
  /** Whether a workspace and project of the contract's routes is held here; the server's own alone when absent. */
  holds?: (scope: Scope) => boolean;
  /** False where there is no project file behind the server. */
  projectFile?: boolean;
  tls?: Certificate;
  /** Prometheus text for GET /metrics. */
  metrics?: () => Promise<string>;
  logger?: FastifyBaseLogger;
}

const UI_DIRECTORY = fileURLToPath(new URL("../../ui/dist", import.meta.url));

type AnyHandler = (input: Record<string, unknown>, call: Call) => Promise<unknown>;

/** The control plane's HTTP server: every route of the contract, OpenAPI, metrics, the web UI, and the protocols it is given. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { access, accounts, scope, tls } = options;
  await checkAccessPolicy(access, accounts);
  const settings: FastifyHttpOptions<Server> = {
    ...LIMITS,
    ...(options.logger === undefined ? { logger: false } : { loggerInstance: options.logger }),
    ...(tls === undefined ? {} : { serverFactory: (handler) => tlsServer(tls, handler) }),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => traceIdOf(request.headers.traceparent),
    trustProxy: access.trustedProxies === undefined ? false : [...access.trustedProxies],
    // A path that does not decode comes to no route, and so to no error handler.
    frameworkErrors: sendError,
  };
  const app: FastifyInstance = Fastify(settings);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendError);
  addJsonParser(app);
  closeIdleConnections(app);
  guard(app, { scope, policy: access, ...(accounts === undefined ? {} : { accounts }) });
  await app.register(fastifySwagger, {
    openapi: { openapi: "3.1.0", info: { title: "Orrery", version: options.version } },
    transform: jsonSchemaTransform,
  });

  const hide = true;
  app.get("/healthz", { schema: { hide }, config: { permission: "public" } }, async () => ({ ok: true }));
  app.get(`${API_PREFIX}/context`, { schema: { hide }, config: { permission: "public" } }, async () => ({
    ...scope,
    version: options.version,
    tokenRequired: access.token !== null || ((await accounts?.hasUsers()) ?? false),
    projectFile: options.projectFile ?? true,
  }));
  app.get("/openapi.json", { schema: { hide }, config: { permission: "read" } }, async () => app.swagger());
  app.get("/metrics", { schema: { hide }, config: { permission: "read" } }, async (_request, reply) => {
    reply.type("text/plain; version=0.0.4");
    return (await options.metrics?.()) ?? "";
  });

  const holds = options.holds ?? (({ workspace, project }) => workspace === scope.workspace && project === scope.project);
  for (const [room, calls] of Object.entries(routes)) {
    const handlers = options.handlers[room as keyof Handlers] as unknown as Record<string, AnyHandler>;
    for (const [name, route] of Object.entries(calls)) addRoute(app, `${room}.${name}`, route, handlers[name], holds);
  }
  for (const { plugin, prefix } of options.protocols ?? []) {
    await app.register(plugin, prefix === undefined ? {} : { prefix });
  }
  await addUi(app);
  return app;
}

/** W3C trace id of the caller where it sent one, else a new one. */
function traceIdOf(traceparent: string | string[] | undefined): string {
  const given = typeof traceparent === "string" ? /^00-([0-9a-f]{32})-/.exec(traceparent)?.[1] : undefined;
  return given ?? crypto.randomUUID().replaceAll("-", "");
}

const ANY_SCOPE = z.object({ workspace: z.string(), project: z.string() });

function addRoute(
  app: FastifyInstance,
  id: string,
  route: Route,
  handler: AnyHandler | undefined,
  holds: (scope: Scope) => boolean,
): void {
  if (handler === undefined) throw new TypeError(`No handler for ${id}`);
  const schema: Record<string, unknown> = {
    operationId: id,
    summary: route.summary,
    params: ANY_SCOPE.extend(route.params?.shape ?? {}),
    response: { 200: route.response as z.ZodType },
  };
  if (route.query !== undefined) schema.querystring = route.query;
  if (route.body !== undefined) schema.body = route.body;
  app.route({
    method: route.method,
    url: `${API_PREFIX}/:workspace/:project${route.path}`,
    schema,
    config: { permission: route.permission, ...(route.audited === undefined ? {} : { audited: route.audited }) },
    handler: async (request) => {
      const { workspace, project, ...params } = request.params as Scope;
      if (!holds({ workspace, project })) {
        throw serverErrors.SERVER_SCOPE_UNKNOWN(`This server does not hold ${workspace}/${project}`);
      }
      // What the route has not described has not been looked at either.
      const input = {
        ...(route.query === undefined ? {} : (request.query as object)),
        ...(route.body === undefined ? {} : (request.body as object | null)),
        ...params,
      };
      const { identity } = request;
      return handler(input, {
        actor: identity.actor,
        traceId: request.id,
        scope: { workspace, project },
        roles: rolesIn(identity, project),
        may: (permission, where = project) => may(identity, permission, where),
      });
    },
  });
}

async function addUi(app: FastifyInstance): Promise<void> {
  const built = existsSync(`${UI_DIRECTORY}/index.html`);
  if (built) {
    await app.register(fastifyStatic, {
      root: UI_DIRECTORY,
      serve: false,
      index: "index.html",
      cacheControl: true,
      maxAge: "1h",
    });
    // The page says nothing worth protecting, and is needed to ask for a token.
    app.get<{ Params: { "*": string } }>("/*", { schema: { hide: true }, config: { permission: "public" } }, (request, reply) => {
      const { "*": path } = request.params;
      reply.sendFile(path === "" ? "index.html" : path);
    });
  }
  app.setNotFoundHandler((request, reply) => {
    const page =
      request.method === "GET" && !request.url.startsWith("/api/") && (request.headers.accept ?? "").includes("text/html");
    if (page && built) return reply.sendFile("index.html", { maxAge: 0 });
    if (page) return sendError(serverErrors.SERVER_UI_NOT_BUILT("The web UI has not been built"), request, reply);
    const path = request.url.split("?", 1)[0] ?? "";
    return sendError(serverErrors.SERVER_ROUTE_MISSING(`There is no ${request.method} ${path.slice(0, 200)}`), request, reply);
  });
}
