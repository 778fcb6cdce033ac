import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { API_PREFIX } from "../../contract/index.ts";
import type { ByteRange } from "../../core/ports/index.ts";
import { type Tracking, trackingErrors } from "../../core/tracking/index.ts";
import type { RoomHandlers } from "../handlers.ts";
import type { TrackingOf } from "./runs.ts";

const SCHEME = "mlflow-artifacts:/";
/** Whatever was uploaded, a browser that opens it runs nothing of it. */
const BYTES_POLICY = "sandbox; default-src 'none'";

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
      const tracking = trackingOf(call);
      const root = await rootOf(tracking, id, "read");
      const items = await tracking.files.list(path === "" ? root : `${root}/${path}`);
      return { items: items.map(({ path: name, isFolder, bytes }) => ({ path: name, isFolder, bytes })) };
    },
  };
}

type FileParams = { workspace: string; project: string; id: string; "*": string };

/** PUT and GET of one file of a run, as bytes, streamed both ways. */
export const runFileRoutes =
  (trackingOf: (request: FastifyRequest) => Tracking): FastifyPluginAsync =>
  async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", async (_request: unknown, payload: unknown) => payload);
    const url = `${API_PREFIX}/:workspace/:project/runs/:id/artifacts/*`;
    const responses = { 200: { description: "Done" } };

    app.put<{ Params: FileParams }>(url, {
      config: { permission: "track" },
      // A file may be as large as the store has room for.
      bodyLimit: Number.MAX_SAFE_INTEGER,
      schema: { operationId: "artifacts.upload", summary: "Store a file of a run: the body is its bytes", response: responses },
      handler: async (request, reply) => {
        const tracking = trackingOf(request);
        const { id, "*": path } = request.params;
        const root = await rootOf(tracking, id, "write");
        const type = request.headers["content-type"] ?? "application/octet-stream";
        const file = await tracking.files.write(`${root}/${path}`, request.raw, type);
        const { sha256, bytes, mediaType } = file;
        return reply.type("application/json").serializer(JSON.stringify).send({ path, sha256, bytes, mediaType });
      },
    });

    app.get<{ Params: FileParams }>(url, {
      config: { permission: "read" },
      exposeHeadRoute: false,
      schema: { operationId: "artifacts.download", summary: "A file of a run, or the range of it that is asked for" },
      handler: async (request, reply) => {
        const tracking = trackingOf(request);
        const { id, "*": path } = request.params;
        const whole = `${await rootOf(tracking, id, "read")}/${path}`;
        const { bytes, sha256, mediaType } = await tracking.files.stat(whole);
        reply
          .header("accept-ranges", "bytes")
          .header("etag", `"${sha256}"`)
          .header("content-security-policy", BYTES_POLICY)
          .header("content-disposition", `attachment; filename*=UTF-8''${encodeURIComponent(path.split("/").at(-1) ?? "file")}`)
          .type(mediaType);
        const range = rangeOf(request.headers.range, bytes);
        if (range === null) {
          reply.header("content-range", `bytes */${bytes}`);
          return reply.status(416).send();
        }
        const { stream } = await tracking.files.read(whole, range);
        if (range === undefined) return reply.header("content-length", bytes).send(stream);
        return reply
          .status(206)
          .header("content-range", `bytes ${range.from}-${range.to}/${bytes}`)
          .header("content-length", range.to - range.from + 1)
          .send(stream);
      },
    });
  };

/** The one range of a header; undefined where the whole file is meant, null where there is nothing at it. */
export function rangeOf(header: string | undefined, bytes: number): ByteRange | undefined | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, bytes - Number(last)) : Number(first);
  const to = first === "" || last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  return from > to || from >= bytes ? null : { from, to };
}
