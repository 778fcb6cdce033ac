import type { FastifyPluginAsync } from "fastify";
import { API_PREFIX } from "../../contract/index.ts";
import type { Scope } from "../../core/scope.ts";
import { type Tracking, trackingErrors } from "../../core/tracking/index.ts";
import type { RoomHandlers } from "../handlers.ts";
import { bytesOfBody, takeBodiesAsStreams } from "../receive-artifact.ts";
import { sendArtifact } from "../send-artifact.ts";
import type { TrackingOf } from "./runs.ts";

const SCHEME = "mlflow-artifacts:/";

/** Where a run's files lie in the project's tree of artifacts. @throws TRACKING_RUN_UNKNOWN, TRACKING_RUN_DELETED, TRACKING_PATH_INVALID */
async function rootOf({ runs }: Tracking, id: string, use: "read" | "write"): Promise<string> {
  const { artifactUri, lifecycle } = await runs.record(id);
  if (use === "write" && lifecycle === "deleted") throw trackingErrors.TRACKING_RUN_DELETED(`The run ${id} is deleted`);
  if (!artifactUri.startsWith(SCHEME))
    throw trackingErrors.TRACKING_PATH_INVALID(`The artifacts of ${id} do not lie on this server`, {
      hint: "Read and write them where their location says.",
    });
  return artifactUri.slice(SCHEME.length).replace(/^\/+/, "");
}

export function artifactHandlers(trackingOf: TrackingOf): RoomHandlers<"artifacts"> {
  return {
    async list({ id, path }, call) {
      const tracking = trackingOf(call.scope);
      const root = await rootOf(tracking, id, "read");
      const items = await tracking.files.list(path === "" ? root : `${root}/${path}`);
      return { items: items.map(({ path: name, isFolder, bytes }) => ({ path: name, isFolder, bytes })) };
    },
  };
}

interface FileParams {
  readonly workspace: string;
  readonly project: string;
  readonly id: string;
  readonly "*": string;
}

/** `trackingOf` refuses a scope that is not held here. @throws SERVER_SCOPE_UNKNOWN */
export interface RunFileOptions {
  readonly trackingOf: (scope: Scope) => Tracking;
  /** A larger file is refused; as large as the store has room for when absent. */
  readonly maxBytes?: number;
}

/** PUT and GET of one file of a run, as bytes, streamed both ways. */
export const runFileRoutes =
  ({ trackingOf, maxBytes = Number.MAX_SAFE_INTEGER }: RunFileOptions): FastifyPluginAsync =>
  async (app) => {
    takeBodiesAsStreams(app);
    const url = `${API_PREFIX}/:workspace/:project/runs/:id/artifacts/*`;

    app.put<{ Params: FileParams }>(url, {
      config: { permission: "track", audited: false },
      bodyLimit: maxBytes,
      schema: { operationId: "artifacts.upload", summary: "Store a file of a run: the body is its bytes" },
      handler: async (request, reply) => {
        const { id, "*": path, ...scope } = request.params;
        const tracking = trackingOf(scope);
        const root = await rootOf(tracking, id, "write");
        const type = request.headers["content-type"] ?? "application/octet-stream";
        const { sha256, bytes, mediaType } = await tracking.files.write(`${root}/${path}`, bytesOfBody(request, maxBytes), type);
        return reply.type("application/json").serializer(JSON.stringify).send({ path, sha256, bytes, mediaType });
      },
    });

    app.get<{ Params: FileParams }>(url, {
      config: { permission: "read" },
      schema: { operationId: "artifacts.download", summary: "A file of a run, or the range of it that is asked for" },
      handler: async (request, reply) => {
        const { id, "*": path, ...scope } = request.params;
        const tracking = trackingOf(scope);
        return sendArtifact(request, reply, tracking.files, `${await rootOf(tracking, id, "read")}/${path}`);
      },
    });
  };
