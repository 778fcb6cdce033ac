import type { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ByteRange } from "../core/ports/index.ts";
import type { ArtifactFiles } from "../core/tracking/index.ts";
import { releaseChunk } from "./release-chunk.ts";

/** Whatever was uploaded, a browser that opens it runs and loads nothing of it. */
const BYTES_POLICY = "sandbox; default-src 'none'";

/**
 * Answers with a file as an attachment, in constant memory: the whole, the range that is asked for (206, or 416 with its size), or 304
 * where the caller has it already (its hash is the ETag). Of HEAD only the headers.
 * @throws TRACKING_ARTIFACT_UNKNOWN, TRACKING_PATH_INVALID
 */
export async function sendArtifact(
  request: FastifyRequest,
  reply: FastifyReply,
  files: ArtifactFiles,
  path: string,
  mediaType: (file: { readonly path: string; readonly mediaType: string }) => string = (file) => file.mediaType,
): Promise<FastifyReply> {
  const file = await files.stat(path);
  const etag = `"${file.sha256}"`;
  const { headers } = request;
  reply
    .header("accept-ranges", "bytes")
    .header("etag", etag)
    .header("cache-control", "private, no-cache")
    .header("content-security-policy", BYTES_POLICY)
    .header("x-content-type-options", "nosniff")
    .header("content-disposition", attachment(file.path));
  if (headers["if-none-match"]?.split(/\s*,\s*/).some((known) => known.replace(/^W\//, "") === etag || known === "*"))
    return reply.status(304).send();

  const sameFile = headers["if-range"] === undefined || headers["if-range"] === etag;
  const range = sameFile ? rangeOf(headers.range, file.bytes) : undefined;
  if (range === null) return reply.status(416).header("content-range", `bytes */${file.bytes}`).send();
  if (range !== undefined) reply.status(206).header("content-range", `bytes ${range.from}-${range.to}/${file.bytes}`);
  reply
    .header("content-type", mediaType(file))
    .header("content-length", range === undefined ? file.bytes : range.to - range.from + 1);
  if (request.method === "HEAD") return reply.send();
  const { stream } = await files.read(file.path, range);
  await streamed(reply, stream);
  return reply;
}

/** Writes the stream by hand, so that each chunk's memory is free again when the connection has taken it. */
async function streamed(reply: FastifyReply, stream: Readable): Promise<void> {
  const { raw } = reply.hijack();
  raw.on("close", () => stream.destroy());
  try {
    raw.writeHead(reply.statusCode, headersOf(reply));
    for await (const chunk of stream) {
      await new Promise<void>((resolve, reject) => raw.write(chunk, (error) => (error == null ? resolve() : reject(error))));
      releaseChunk(chunk);
    }
    raw.end();
  } catch (error) {
    // The status is sent: only a broken connection can say that this is not the whole file.
    if (!raw.destroyed) reply.log.error({ err: error }, "an artifact could not be sent to its end");
    raw.destroy();
  }
}

const headersOf = (reply: FastifyReply) => {
  const headers: Record<string, number | string | string[]> = {};
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) headers[name] = value;
  return headers;
};

/** The one range of a header; undefined where the whole file is meant, null where the file has nothing at it. */
export function rangeOf(header: string | undefined, bytes: number): ByteRange | undefined | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") return Number(last) === 0 || bytes === 0 ? null : { from: Math.max(0, bytes - Number(last)), to: bytes - 1 };
  const from = Number(first);
  const to = last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  // A range that ends before it begins is no range, and is ignored as the standard has it.
  if (last !== "" && Number(last) < from) return undefined;
  return from < bytes ? { from, to } : null;
}

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

function attachment(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (TOKEN.test(name)) return `attachment; filename=${name}`;
  if (/^[ -~]+$/.test(name)) return `attachment; filename="${name.replace(/["\\]/g, "\\$&")}"`;
  return `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}
