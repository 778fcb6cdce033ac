import { createHash, randomBytes } from "node:crypto";
import type { PartStore, UploadPart } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { artifactFileErrors, artifactFilePath } from "./artifact-path.ts";
import type { ArtifactFiles, ArtifactUploads } from "./interfaces.ts";

const UPLOAD_ID = /^[0-9a-f]{64}$/;
const MOST_PARTS = 10_000;

/**
 * Uploads in parts. Nothing is written down of an upload but its parts: the name they wait under is made of the id, the project and the
 * path, so that an id is good for its own path only, on every server process that shares the store.
 */
export function artifactUploads(parts: PartStore, scope: Scope, write: ArtifactFiles["write"]): ArtifactUploads {
  function nameOf(path: string, upload: string): string {
    if (!UPLOAD_ID.test(upload)) throw unknownUpload(upload);
    return createHash("sha256")
      .update(JSON.stringify([scope.workspace, scope.project, artifactFilePath(path), upload]))
      .digest("hex");
  }

  return {
    async begin(path) {
      artifactFilePath(path);
      return randomBytes(32).toString("hex");
    },

    async writePart(path, upload, number, source) {
      if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS)
        throw artifactFileErrors.TRACKING_UPLOAD_INCOMPLETE(`A part has a number from 1 to ${MOST_PARTS}`);
      const { sha256, bytes } = await parts.put(nameOf(path, upload), number, source);
      return { sha256, bytes };
    },

    async complete(path, upload, expected, mediaType) {
      const name = nameOf(path, upload);
      const there = new Map((await parts.list(name)).map((part) => [part.number, part]));
      if (there.size === 0) throw unknownUpload(upload);
      const chosen = [...expected]
        .sort((a, b) => a.number - b.number)
        .map(({ number, sha256 }, index) => {
          const part = there.get(number);
          if (part === undefined || number !== index + 1 || part.sha256 !== sha256)
            throw artifactFileErrors.TRACKING_UPLOAD_INCOMPLETE(`Part ${number} is not there, or not the one that was sent`);
          return part;
        });
      if (chosen.length !== there.size)
        throw artifactFileErrors.TRACKING_UPLOAD_INCOMPLETE(`${there.size} parts were sent, ${chosen.length} are named`);
      const file = await write(path, joined(parts, name, chosen), mediaType);
      await parts.drop(name);
      return file;
    },

    abort: async (path, upload) => parts.drop(nameOf(path, upload)),
  };
}

async function* joined(parts: PartStore, name: string, chosen: readonly UploadPart[]): AsyncGenerator<Uint8Array> {
  for (const part of chosen) yield* await parts.read(name, part);
}

const unknownUpload = (upload: string) => artifactFileErrors.TRACKING_UPLOAD_UNKNOWN(`There is no upload ${upload.slice(0, 12)}`);
