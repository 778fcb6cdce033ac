import type { FastifyInstance, FastifyRequest } from "fastify";
import { artifactFilePath, artifactPath, mediaTypeOf, trackingErrors } from "../../../core/tracking/index.ts";
import { serverErrors } from "../../errors.ts";
import { bytesOfBody } from "../../receive-artifact.ts";
import { sendArtifact } from "../../send-artifact.ts";
import { type ArtifactRooms, fileInfo, filesField, mediaTypeByName, optional, required } from "./artifacts-wire.ts";
import { refused } from "./wire.ts";

type RunQuery = { Querystring: { run_id?: string; run_uuid?: string; path?: string } };
type DirectoriesQuery = { Params: { id: string }; Querystring: { artifact_directory_path?: string } };
type ModelFileQuery = { Params: { id: string }; Querystring: { artifact_file_path?: string } };
type VersionQuery = { Querystring: { name?: string; version?: string; path?: string } };

/** Files of runs, logged models and model versions. Only those that lie on this server: a location elsewhere is never followed. */
export function entityArtifactRoutes(app: FastifyInstance, roomsFor: (request: FastifyRequest) => ArtifactRooms): void {
  const config = { permission: "read" } as const;

  app.get<RunQuery>("/api/2.0/mlflow/artifacts/list", { config }, async (request) => {
    const { tracking } = roomsFor(request);
    const { artifactUri } = await tracking.runs.record(runIdOf(request.query));
    return listBelow(tracking, artifactUri, request.query.path);
  });

  app.get<DirectoriesQuery>("/api/2.0/mlflow/logged-models/:id/artifacts/directories", { config }, async (request) => {
    const { tracking } = roomsFor(request);
    const { artifactLocation } = await tracking.loggedModels.get(request.params.id);
    return listBelow(tracking, artifactLocation, request.query.artifact_directory_path);
  });

  app.route<ModelFileQuery>({
    method: ["GET", "HEAD"],
    url: "/api/2.0/mlflow/logged-models/:id/artifacts/files",
    exposeHeadRoute: false,
    config,
    handler: async (request, reply) => {
      const { tracking } = roomsFor(request);
      const path = artifactFilePath(required("artifact_file_path", request.query.artifact_file_path));
      const { artifactLocation } = await tracking.loggedModels.get(request.params.id);
      return sendArtifact(request, reply, tracking.files, joined(ownRoot(artifactLocation), path), mediaTypeByName);
    },
  });

  app.route<RunQuery>({
    method: ["GET", "HEAD"],
    url: "/get-artifact",
    exposeHeadRoute: false,
    config,
    handler: async (request, reply) => {
      const { tracking } = roomsFor(request);
      const path = artifactFilePath(required("path", request.query.path));
      const { artifactUri } = await tracking.runs.record(runIdOf(request.query));
      return sendArtifact(request, reply, tracking.files, joined(ownRoot(artifactUri), path), mediaTypeByName);
    },
  });

  app.route<VersionQuery>({
    method: ["GET", "HEAD"],
    url: "/model-versions/get-artifact",
    exposeHeadRoute: false,
    config,
    handler: async (request, reply) => {
      const { tracking, registry } = roomsFor(request);
      const { query } = request;
      const path = artifactFilePath(required("path", query.path));
      const number = Number(required("version", query.version));
      if (!Number.isSafeInteger(number)) throw serverErrors.SERVER_REQUEST_INVALID(`version: ${query.version} is no number`);
      const { location } = await registry.version(required("name", query.name), number);
      const [, runId, inRun = ""] = /^runs:\/([^/]+)\/?(.*)$/.exec(location) ?? [];
      const root =
        runId === undefined ? ownRoot(location) : joined(ownRoot((await tracking.runs.record(runId)).artifactUri), inRun);
      return sendArtifact(request, reply, tracking.files, joined(root, path), mediaTypeByName);
    },
  });
}

/**
 * POST upload-artifact: one file of a run, its bytes the body; the query says which. Registered where bodies come as streams.
 * @throws MLFLOW_PARAMETER_INVALID where run_uuid, path or the bytes are missing; TRACKING_PATH_INVALID, TRACKING_RUN_UNKNOWN,
 * TRACKING_LOCATION_INVALID, TRACKING_ARTIFACT_TOO_LARGE
 */
export function runUploadRoute(
  app: FastifyInstance,
  roomsFor: (request: FastifyRequest) => ArtifactRooms,
  maxUploadBytes: number,
): void {
  const options = { config: { permission: "track" }, bodyLimit: Number.MAX_SAFE_INTEGER } as const;
  app.post<RunQuery>("/api/2.0/mlflow/upload-artifact", options, async (request) => {
    const { tracking } = roomsFor(request);
    const runId = optional("run_uuid", request.query.run_uuid);
    if (runId === "") throw refused("Request must specify run_uuid.", "run_uuid");
    const given = optional("path", request.query.path);
    if (given === "") throw refused("Request must specify path.", "path");
    const path = artifactFilePath(given);
    const { artifactUri } = await tracking.runs.record(runId);
    const bytes = someBytes(bytesOfBody(request, maxUploadBytes));
    await tracking.files.write(joined(ownRoot(artifactUri), path), bytes, mediaTypeOf(path));
    return {};
  });
}

/** @throws MLFLOW_PARAMETER_INVALID where there are none, before a file is named */
async function* someBytes(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isEmpty = true;
  for await (const chunk of chunks) {
    isEmpty &&= chunk.byteLength === 0;
    yield chunk;
  }
  if (isEmpty) throw refused("Request must specify data.");
}

async function listBelow({ files }: ArtifactRooms["tracking"], location: string, path: string | undefined) {
  const given = optional("path", path);
  const folder = given === "" ? "" : artifactFilePath(given.replace(/\/+$/, ""));
  const entries = await files.list(joined(ownRoot(location), folder));
  return { root_uri: location, ...filesField(entries.map((entry) => fileInfo(joined(folder, entry.path), entry))) };
}

/** @throws TRACKING_LOCATION_INVALID where the files are in a store that clients reach themselves */
function ownRoot(location: string): string {
  if (location === "mlflow-artifacts:") return "";
  const root = artifactPath(location);
  if (root !== null) return root;
  throw trackingErrors.TRACKING_LOCATION_INVALID(`The artifacts lie at ${location}, not on this server`, {
    hint: "Read them from there, with credentials of your own.",
  });
}

const joined = (root: string, path: string) => (root === "" || path === "" ? `${root}${path}` : `${root}/${path}`);

const runIdOf = ({ run_id, run_uuid }: RunQuery["Querystring"]) => required("run_id", run_id || run_uuid);
