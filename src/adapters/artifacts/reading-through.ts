import type { ArtifactStore } from "../../core/ports/index.ts";

/** A store of its own over another one: what it does not hold is read from there, and nothing is written or removed there. */
export function readingThrough(own: ArtifactStore, below: ArtifactStore): ArtifactStore {
  const holder = async (sha256: string) => ((await own.has(sha256)) ? own : below);
  return {
    put: (bytes, mediaType) => own.put(bytes, mediaType),
    putStream: (source, mediaType) => own.putStream(source, mediaType),
    putFile: (path, mediaType) => own.putFile(path, mediaType),
    read: async (sha256) => (await holder(sha256)).read(sha256),
    readStream: async (sha256, range) => (await holder(sha256)).readStream(sha256, range),
    has: async (sha256) => (await own.has(sha256)) || (await below.has(sha256)),
    localPath: async (sha256) => (await holder(sha256)).localPath(sha256),
    remove: (sha256) => own.remove(sha256),
    list: () => own.list(),
    parts: own.parts,
  };
}
