import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { defineErrors, type OrreryError } from "../../core/errors.ts";
import type { ArtifactRef, ArtifactStore } from "../../core/ports/index.ts";

export const artifactErrors = defineErrors({
  ARTIFACT_MISSING: { kind: "not-found", hint: "It may have been collected or belong to another state folder." },
  ARTIFACT_CORRUPT: {
    kind: "internal",
    hint: "The bytes on disk changed after they were written; restore the state folder from a backup.",
  },
  ARTIFACT_STORE_FULL: {
    kind: "unavailable",
    hint: "Free space on the disk of the state folder and run it again; nothing partial was left.",
  },
  ARTIFACT_STORE_READ_ONLY: { kind: "unavailable", hint: "Make the state folder writable, or choose another with --state." },
});

const SHA256 = /^[0-9a-f]{64}$/;

/** Artifacts in a folder, each under its sha256: `sha256/ab/cdef…`. Written aside, synced, then renamed into place. */
export class FilesystemArtifactStore implements ArtifactStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async put(bytes: Uint8Array | string, mediaType: string): Promise<ArtifactRef> {
    const data = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    const sha256 = createHash("sha256").update(data).digest("hex");
    const ref = { sha256, bytes: data.byteLength, mediaType };
    if (await this.has(sha256)) return ref;
    await this.#place(sha256, async (path) => {
      const file = await open(path, "wx");
      try {
        await file.writeFile(data);
        await file.sync();
      } finally {
        await file.close();
      }
    });
    return ref;
  }

  async putFile(path: string, mediaType: string): Promise<ArtifactRef> {
    const hash = createHash("sha256");
    await pipeline(createReadStream(path), hash);
    const sha256 = hash.digest("hex");
    const { size } = await stat(path);
    if (await this.has(sha256)) {
      await rm(path, { force: true });
    } else {
      await this.#place(sha256, async (target) => {
        // A rename cannot cross file systems; a copy can.
        await rename(path, target).catch(async () => {
          await copyFile(path, target);
          await rm(path, { force: true });
        });
        const file = await open(target, "r+");
        await file.sync();
        await file.close();
      });
    }
    return { sha256, bytes: size, mediaType };
  }

  async read(sha256: string): Promise<Uint8Array> {
    const bytes = await readFile(await this.localPath(sha256));
    if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
      throw artifactErrors.ARTIFACT_CORRUPT(`The artifact ${sha256.slice(0, 12)} does not match its hash`);
    }
    return bytes;
  }

  async has(sha256: string): Promise<boolean> {
    return stat(this.#pathOf(sha256)).then(
      () => true,
      () => false,
    );
  }

  async localPath(sha256: string): Promise<string> {
    if (!SHA256.test(sha256) || !(await this.has(sha256)))
      throw artifactErrors.ARTIFACT_MISSING(`There is no artifact ${sha256.slice(0, 12)}`);
    return this.#pathOf(sha256);
  }

  #pathOf(sha256: string): string {
    return join(this.#root, "sha256", sha256.slice(0, 2), sha256.slice(2));
  }

  async #place(sha256: string, write: (path: string) => Promise<void>): Promise<void> {
    const target = this.#pathOf(sha256);
    const unfinished = join(this.#root, "tmp", randomUUID());
    try {
      await mkdir(dirname(target), { recursive: true });
      await mkdir(dirname(unfinished), { recursive: true });
      await write(unfinished);
      await rename(unfinished, target);
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw translate(error, this.#root);
    }
  }
}

function translate(error: unknown, root: string): OrreryError | unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT")
    return artifactErrors.ARTIFACT_STORE_FULL(`The disk of ${root} is full`, { cause: error });
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") {
    return artifactErrors.ARTIFACT_STORE_READ_ONLY(`${root} cannot be written`, { cause: error });
  }
  return error;
}
