import { utimes } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { ArtifactRef } from "../../core/ports/index.ts";
import { corrupt } from "./errors.ts";
import { FilesystemArtifactStore } from "./filesystem.ts";

/** What was used so lately stays, however full the cache is: whoever got its path may be about to open it. */
const IN_USE_MS = 10 * 60_000;

/** Artifacts of a store elsewhere, kept in a folder for engines that read files by name. Several processes may share the folder. */
export class ArtifactCache {
  readonly #files: FilesystemArtifactStore;
  readonly #maxBytes: number;
  readonly #fetching = new Map<string, Promise<void>>();

  constructor(folder: string, maxBytes: number) {
    this.#files = new FilesystemArtifactStore(folder);
    this.#maxBytes = maxBytes;
  }

  /** Path of the artifact; fetched where it is not there, once however many ask at the same time. @throws ARTIFACT_CORRUPT */
  async localPath(sha256: string, fetch: () => Promise<Readable>): Promise<string> {
    if (!(await this.#files.has(sha256))) {
      const fetching = this.#fetching.get(sha256) ?? this.#fetch(sha256, fetch).finally(() => this.#fetching.delete(sha256));
      this.#fetching.set(sha256, fetching);
      await fetching;
    }
    const path = await this.#files.localPath(sha256);
    const now = new Date();
    await utimes(path, now, now);
    return path;
  }

  /** Takes over a file whose bytes are in the store now. */
  async keep(path: string, mediaType: string): Promise<ArtifactRef> {
    const ref = await this.#files.putFile(path, mediaType);
    await this.#evict();
    return ref;
  }

  remove(sha256: string): Promise<void> {
    return this.#files.remove(sha256);
  }

  async #fetch(sha256: string, fetch: () => Promise<Readable>): Promise<void> {
    const ref = await this.#files.putStream(await fetch(), "application/octet-stream");
    if (ref.sha256 !== sha256) {
      await this.#files.remove(ref.sha256);
      throw corrupt(sha256);
    }
    await this.#evict();
  }

  async #evict(): Promise<void> {
    const cached = await Array.fromAsync(this.#files.list());
    let total = cached.reduce((sum, { bytes }) => sum + bytes, 0);
    cached.sort((a, b) => a.writtenAt.getTime() - b.writtenAt.getTime());
    for (const { sha256, bytes, writtenAt } of cached) {
      if (total <= this.#maxBytes || Date.now() - writtenAt.getTime() < IN_USE_MS) return;
      await this.#files.remove(sha256);
      total -= bytes;
    }
  }
}
