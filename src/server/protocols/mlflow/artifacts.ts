import type { FastifyInstance, FastifyRequest } from "fastify";
import { mediaTypeOf } from "../../../core/tracking/index.ts";
import { bytesOfBody, takeBodiesAsStreams } from "../../receive-artifact.ts";
import { sendArtifact } from "../../send-artifact.ts";
import { multipartRoutes } from "./artifacts-multipart.ts";
import { entityArtifactRoutes, runUploadRoute } from "./artifacts-of-entities.ts";
import { type ArtifactRooms, fileInfo, filesField, mediaTypeByName, optional } from "./artifacts-wire.ts";

export type { ArtifactRooms } from "./artifacts-wire.ts";

export interface MlflowArtifactOptions {
  /** The rooms of the project that the request's address names. */
  roomsFor(request: FastifyRequest): ArtifactRooms;
  /** How large one file may be, in bytes; as large as the store has room for when absent. */
  readonly maxUploadBytes?: number | undefined;
  /** What callers reach this server under, where that is not what their requests say (a proxy that rewrites paths). */
  readonly publicUrl?: string | undefined;
}

type AnyPath = { Params: { "*": string } };

/**
 * The artifact routes of the MLflow protocol, under the scope's prefix: the tree itself, uploads in parts, and the files of runs, logged
 * models and model versions. Errors are left to the scope's error handler.
 */
export async function mlflowArtifactRoutes(app: FastifyInstance, options: MlflowArtifactOptions): Promise<void> {
  const { roomsFor, maxUploadBytes = Number.MAX_SAFE_INTEGER } = options;
  const filesFor = (request: FastifyRequest) => roomsFor(request).tracking.files;
  const tree = "/api/2.0/mlflow-artifacts/artifacts";

  const list = async (request: FastifyRequest, folder: string) =>
    filesField((await filesFor(request).list(folder)).map((entry) => fileInfo(entry.path, entry)));

  app.get<{ Querystring: { path?: string } }>(tree, { config: { permission: "read" } }, (request) =>
    list(request, optional("path", request.query.path)),
  );

  app.route<AnyPath>({
    method: ["GET", "HEAD"],
    url: `${tree}/*`,
    exposeHeadRoute: false,
    config: { permission: "read" },
    handler: async (request, reply) => {
      const path = request.params["*"];
      if (path === "") return reply.send(await list(request, ""));
      return sendArtifact(request, reply, filesFor(request), path, mediaTypeByName);
    },
  });

  app.delete<AnyPath>(`${tree}/*`, { config: { permission: "track" } }, async (request) => {
    await filesFor(request).delete(request.params["*"]);
    return {};
  });

  await app.register(async (scope) => {
    takeBodiesAsStreams(scope);
    runUploadRoute(scope, roomsFor, maxUploadBytes);
    scope.put<AnyPath>(`${tree}/*`, { config: { permission: "track" }, bodyLimit: Number.MAX_SAFE_INTEGER }, async (request) => {
      const path = request.params["*"];
      await filesFor(request).write(path, bytesOfBody(request, maxUploadBytes), mediaTypeOf(path));
      return {};
    });
  });

  app.get("/api/2.0/mlflow-artifacts/presigned/*", { config: { permission: "read" } }, (_request, reply) =>
    // With this very message clients fall back to the download above.
    reply.status(501).send({
      error_code: "NOT_IMPLEMENTED",
      message: "Multipart download is not supported for the current artifact repository",
    }),
  );

  await app.register(async (scope) => multipartRoutes(scope, { ...options, filesFor, maxUploadBytes }));
  entityArtifactRoutes(app, roomsFor);
}
