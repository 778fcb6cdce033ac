import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from "fastify";
import type { TrackingRoom, TrackingRooms } from "../../../platform/tracking-rooms.ts";
import { serverErrors } from "../../errors.ts";
import { isNestedDeeper, MOST_LEVELS } from "../../json-body.ts";
import { takeBodiesAsStreams } from "../../receive-artifact.ts";
import { mlflowArtifactRoutes } from "./artifacts.ts";
import type { MlflowEndpoint } from "./endpoint.ts";
import { mlflowErrors, sendMlflowError } from "./errors.ts";
import { experimentEndpoints } from "./experiments.ts";
import { loggedModelEndpoints } from "./logged-models.ts";
import { modelVersionEndpoints } from "./model-versions.ts";
import { registeredModelEndpoints } from "./registered-models.ts";
import { runLogEndpoints } from "./run-logs.ts";
import { runEndpoints } from "./runs.ts";
import type { Fields } from "./wire.ts";
import { rememberText } from "./written-number.ts";

/** The MLflow whose clients and wire this was held against. */
export const MLFLOW_VERSION = "3.17.2";

export const mlflowEndpoints: readonly MlflowEndpoint[] = [
  ...experimentEndpoints,
  ...runEndpoints,
  ...runLogEndpoints,
  ...loggedModelEndpoints,
  ...registeredModelEndpoints,
  ...modelVersionEndpoints,
];

export interface MlflowOptions {
  readonly rooms: TrackingRooms;
  /** The project of addresses that name none. */
  readonly project: string;
  /** How large one artifact may be, in bytes. */
  readonly maxUploadBytes?: number | undefined;
  readonly publicUrl?: string | undefined;
}

/** Where each project's protocol is: the server's own at the root, any under its name. */
export const MLFLOW_PREFIXES = ["", "/projects/:project"] as const;

/** The protocol of the server's own project and of every other, for createApp's `protocols`. */
export const mlflowProtocols = (options: MlflowOptions) =>
  MLFLOW_PREFIXES.map((prefix) => ({ ...(prefix === "" ? {} : { prefix }), plugin: mlflowProtocol(options) }));

function mlflowProtocol({ rooms, project, maxUploadBytes, publicUrl }: MlflowOptions): FastifyPluginAsync {
  const roomsFor = (request: FastifyRequest): TrackingRoom => {
    const named = (request.params as { readonly project?: unknown } | null)?.project;
    return rooms.of(typeof named === "string" ? named : project);
  };
  return async (app) => {
    app.setErrorHandler(sendMlflowError);
    serverInfo(app);
    await app.register(async (scope) => {
      // Before the body is looked at: an address that names no project has none to be read for.
      scope.addHook("preParsing", (request, _reply, _payload, done) => {
        try {
          const waiting = roomsFor(request).prepare();
          if (waiting === undefined) done();
          else waiting.then(() => done(), done);
        } catch (error) {
          done(error instanceof Error ? error : new Error(String(error)));
        }
      });
      await scope.register(async (json) => {
        parseJson(json);
        for (const each of mlflowEndpoints) addEndpoint(json, each, roomsFor);
      });
      await mlflowArtifactRoutes(scope, { roomsFor, maxUploadBytes, publicUrl });
    });
    await app.register(unsupportedRoutes);
  };
}

function addEndpoint(app: FastifyInstance, endpoint: MlflowEndpoint, roomsFor: (request: FastifyRequest) => TrackingRoom) {
  const { method, path, permission, handle } = endpoint;
  const named = path.includes("/:");
  app.route({
    method,
    url: `/api/2.0/mlflow${path}`,
    config: { permission },
    handler: (request) => {
      const given = (method === "GET" ? request.query : request.body) as Fields | null | undefined;
      if (typeof given !== "object" || Array.isArray(given)) {
        if (given !== undefined) throw mlflowErrors.MLFLOW_PARAMETER_INVALID("The body is no JSON object.");
      }
      return handle({
        fields: named ? { ...given, ...(request.params as Fields) } : (given ?? {}),
        room: roomsFor(request),
        actor: request.actor,
        traceId: request.id,
        bodyBytes: Number(request.headers["content-length"] ?? 0),
      });
    },
  });
}

/** As everywhere on this server, but that an empty body is one without fields, and that old clients send the text of a text. */
function parseJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body === "") return done(null, {});
    if (isNestedDeeper(body))
      return done(serverErrors.SERVER_JSON_TOO_DEEP(`The body is nested deeper than ${MOST_LEVELS} levels`));
    const read = (text: string, then: typeof done) =>
      parse(request, text, (error, value) => {
        rememberText(value, text);
        then(error, value);
      });
    read(body, (error, value) => {
      if (error !== null || typeof value !== "string") return done(error, value);
      if (isNestedDeeper(value))
        return done(serverErrors.SERVER_JSON_TOO_DEEP(`The body is nested deeper than ${MOST_LEVELS} levels`));
      read(value, done);
    });
  });
  app.addContentTypeParser("*", (_request, payload, done) => {
    payload.resume();
    done(mlflowErrors.MLFLOW_PARAMETER_INVALID("Bad Request. Content-Type must be one of ['application/json']."));
  });
}

/** What clients ask before anything else, without a token. */
function serverInfo(app: FastifyInstance): void {
  const config = { permission: "public" } as const;
  app.get("/health", { config }, (_request, reply) => reply.type("text/plain; charset=utf-8").send("OK"));
  app.get("/version", { config }, (_request, reply) => reply.type("text/plain; charset=utf-8").send(MLFLOW_VERSION));
  const info = {
    store_type: "SqlStore",
    workspaces_enabled: false,
    trace_archival_enabled: false,
    multipart_uploads_enabled: true,
    multipart_downloads_enabled: false,
    presigned_upload_run_id_supported: false,
    presigned_upload_model_id_supported: false,
    features_enabled: { gateway: false },
  };
  app.get("/api/3.0/mlflow/server-info", { config }, async () => info);
}

/** Rooms of MLflow that Orrery does not have. */
const UNSUPPORTED =
  /\/mlflow\/(traces|assessments|scorers|webhooks|gateway|datasets|issues|label-schemas|review-queues|workspaces|prompt|jobs|genai|demo|mcp|server-features|artifacts\/presigned|runs\/(link-|log-image))|\/v1\/traces|\/ajax-api\/|\/graphql/;

/** Whatever else clients may ask for below the protocol's addresses, in words that they understand. */
async function unsupportedRoutes(app: FastifyInstance): Promise<void> {
  takeBodiesAsStreams(app);
  for (const url of [
    "/api/2.0/mlflow/*",
    "/api/2.0/mlflow-artifacts/*",
    "/api/3.0/*",
    "/api/4.0/*",
    "/ajax-api/*",
    "/v1/traces",
    "/graphql",
  ])
    app.route({
      method: ["GET", "POST", "PUT", "PATCH", "DELETE"],
      url,
      config: { permission: "read", audited: false },
      handler: async (request) => {
        const [path = ""] = request.url.split("?", 1);
        const asked = `${request.method} ${path.slice(0, 200)}`;
        if (UNSUPPORTED.test(path))
          throw mlflowErrors.MLFLOW_UNSUPPORTED(
            `${asked}: this server does tracking, artifacts and the model registry, not this`,
          );
        throw mlflowErrors.MLFLOW_ENDPOINT_MISSING(`No API found for ${asked}`);
      },
    });
}
