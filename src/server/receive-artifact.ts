import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { defineErrors } from "../core/errors.ts";
import { artifactFileErrors } from "../core/tracking/index.ts";
import { releaseChunk } from "./release-chunk.ts";

export const uploadErrors = defineErrors({
  SERVER_UPLOAD_BROKEN: { kind: "invalid", hint: "Send the file again; nothing of it was kept." },
});

/** Lets the routes of this scope have their bodies as streams, of any type and length. */
export function takeBodiesAsStreams(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", async (_request: unknown, payload: unknown) => payload);
}

/**
 * The body's bytes as they come. Where whoever reads them stops, the rest is still taken from the caller and thrown away, so that it gets
 * to read the answer instead of losing the connection. A chunk is gone once the next is asked for.
 * @throws TRACKING_ARTIFACT_TOO_LARGE beyond `maxBytes`, before the first byte where the caller says how many it sends; SERVER_UPLOAD_BROKEN
 */
export async function* bytesOfBody(request: FastifyRequest, maxBytes: number): AsyncGenerator<Uint8Array> {
  const tooLarge = () => artifactFileErrors.TRACKING_ARTIFACT_TOO_LARGE(`A file may have at most ${maxBytes} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  const body = request.body instanceof Readable ? request.body : request.raw;
  let bytes = 0;
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge();
      yield chunk;
      releaseChunk(chunk);
    }
  } catch (error) {
    if (!request.raw.errored) throw error;
    throw uploadErrors.SERVER_UPLOAD_BROKEN(`The sender went away after ${bytes} bytes`, { cause: error });
  }
}
