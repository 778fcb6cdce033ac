import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, link, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { defineErrors } from "../../core/errors.ts";
import type { ArtifactRef, ArtifactStore } from "../../core/ports/index.ts";

export const artifactErrors = defineErrors({
  ARTIFACT_MISSING: { kind: "not-found", hint: "It may have been collected or belong to another state folder." },
  ARTIFACT_FILE_MISSING: { kind: "not-found", hint: "The file to store was moved or deleted before it could be taken over." },
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
    const data = Buffer.from(bytes);
    const sha256 = createHash("sha256").update(data).digest("hex");
    const ref = { sha256, bytes: data.byteLength, mediaType };
    if (await this.has(sha256)) return ref;
    await this.#place(sha256, async (path) => {
      await writeFile(path, data, { flag: "wx" });
    });
    return ref;
  }

  async putFile(path: string, mediaType: string): Promise<ArtifactRef> {
    const { sha256, bytes } = await hashFile(path);
    if (!(await this.has(sha256))) {
      await this.#place(sha256, async (unfinished) => {
        // A second name leaves the file where it was should anything fail; where there can be none, a copy does.
        await link(path, unfinished).catch(() => copyFile(path, unfinished));
      });
    }
    await rm(path, { force: true });
    return { sha256, bytes, mediaType };
  }

  async read(sha256: string): Promise<Uint8Array> {
    const bytes = await readFile(await this.localPath(sha256));
    if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
      throw artifactErrors.ARTIFACT_CORRUPT(`The artifact ${sha256.slice(0, 12)} does not match its hash`);
    }
    return bytes;
  }

  async has(sha256: string): Promise<boolean> {
    if (!SHA256.test(sha256)) return false;
    return stat(this.#pathOf(sha256)).then(
      (found) => found.isFile(),
      () => false,
    );
  }

  async localPath(sha256: string): Promise<string> {
    if (!(await this.has(sha256))) throw artifactErrors.ARTIFACT_MISSING(`There is no artifact ${sha256.slice(0, 12)}`);
    return this.#pathOf(sha256);
  }

  #pathOf(sha256: string): string {
    return join(this.#root, "sha256", sha256.slice(0, 2), sha256.slice(2));
  }

  /** Lets `write` make a file aside; what is seen under the hash is whole and on disk. */
  async #place(sha256: string, write: (unfinished: string) => Promise<void>): Promise<void> {
    const target = this.#pathOf(sha256);
    const unfinished = join(this.#root, "tmp", randomUUID());
    try {
      await mkdir(dirname(target), { recursive: true });
      await mkdir(dirname(unfinished), { recursive: true });
      await write(unfinished);
      await sync(unfinished);
      await rename(unfinished, target);
      // Without this the name may be lost in a power cut though the bytes are not.
      await sync(dirname(target));
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw translate(error, this.#root);
    }
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function hashFile(path: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (cause) {
    throw artifactErrors.ARTIFACT_FILE_MISSING(`The file ${basename(path)} cannot be read`, { cause });
  }
  return { sha256: hash.digest("hex"), bytes };
}

const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code));

function translate(error: unknown, root: string): unknown {
  if (isCode(error, "ENOSPC", "EDQUOT", "EFBIG"))
    return artifactErrors.ARTIFACT_STORE_FULL(`The disk of ${root} is full`, { cause: error });
  if (isCode(error, "EROFS", "EACCES", "EPERM", "ENOTDIR", "EEXIST"))
    return artifactErrors.ARTIFACT_STORE_READ_ONLY(`${root} cannot be written`, { cause: error });
  return error;
}
