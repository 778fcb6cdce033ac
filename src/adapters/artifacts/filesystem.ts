import { createHash, randomUUID } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import {
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  opendir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  utimes,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { ArtifactRef, ArtifactStore, ByteRange, PartStore } from "../../core/ports/index.ts";
import { artifactErrors, corrupt, diskError, hasCode, isHash, missing } from "./errors.ts";
import { filesystemParts } from "./filesystem-parts.ts";
import { type Hashed, writeHashed } from "./write-hashed.ts";

export { artifactErrors } from "./errors.ts";

/** What a process left aside when it died is removed once nobody has written to it for so long. */
const LEFTOVERS_LIVE_MS = 24 * 60 * 60_000;

/**
 * Artifacts in a folder, each under its sha256: `sha256/ab/cdef…`. Written aside, synced, then renamed into place. Of a disk that
 * several processes share each may have its own store. Symbolic links in the folder are not followed; the folder may be one itself.
 */
export class FilesystemArtifactStore implements ArtifactStore {
  readonly parts: PartStore;
  readonly #root: string;
  #swept: Promise<void> | null = null;

  constructor(root: string) {
    this.#root = root;
    this.parts = filesystemParts(root, (source) => this.#writeAside((path) => writeHashed(path, source)));
  }

  async put(bytes: Uint8Array | string, mediaType: string): Promise<ArtifactRef> {
    const data = Buffer.from(bytes);
    const sha256 = createHash("sha256").update(data).digest("hex");
    if (!(await this.#renew(sha256))) {
      const aside = await this.#writeAside((path) => writeHashed(path, single(data)));
      await this.#place(aside.path, sha256);
    }
    return { sha256, bytes: data.byteLength, mediaType };
  }

  async putStream(source: AsyncIterable<Uint8Array>, mediaType: string): Promise<ArtifactRef> {
    const { path, sha256, bytes } = await this.#writeAside((aside) => writeHashed(aside, source));
    if (await this.#renew(sha256)) await rm(path, { force: true });
    else await this.#place(path, sha256);
    return { sha256, bytes, mediaType };
  }

  async putFile(path: string, mediaType: string): Promise<ArtifactRef> {
    const { sha256, bytes } = await hashFile(path);
    if (!(await this.#renew(sha256))) {
      const aside = await this.#writeAside(async (unfinished) => {
        // A second name leaves the file where it was should anything fail; where there can be none, a copy does.
        await link(await realpath(path), unfinished).catch(() => copyFile(path, unfinished));
        const now = new Date();
        await utimes(unfinished, now, now);
        await sync(unfinished);
        return {};
      });
      await this.#place(aside.path, sha256);
    }
    await rm(path, { force: true });
    return { sha256, bytes, mediaType };
  }

  async read(sha256: string): Promise<Uint8Array> {
    const bytes = await readFile(await this.localPath(sha256));
    if (createHash("sha256").update(bytes).digest("hex") !== sha256) throw corrupt(sha256);
    return bytes;
  }

  /** The bytes are not hashed again on the way: that would halve the speed. Whoever needs to be sure compares the hash, or uses `read`. */
  async readStream(sha256: string, range?: ByteRange): Promise<Readable> {
    const path = await this.localPath(sha256);
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error) => {
      throw hasCode(error, "ENOENT") ? missing(sha256) : error;
    });
    const part = range === undefined ? {} : { start: range.from, end: range.to };
    return createReadStream("", { fd: file, ...part, highWaterMark: 1 << 20 });
  }

  async has(sha256: string): Promise<boolean> {
    if (!isHash(sha256)) return false;
    const shard = dirname(this.#pathOf(sha256));
    const found = await Promise.all([lstat(dirname(shard)), lstat(shard), lstat(this.#pathOf(sha256))]).catch(() => null);
    return found?.[0].isDirectory() === true && found[1].isDirectory() && found[2].isFile();
  }

  async localPath(sha256: string): Promise<string> {
    if (!(await this.has(sha256))) throw missing(sha256);
    return this.#pathOf(sha256);
  }

  async remove(sha256: string): Promise<void> {
    if (!(await this.has(sha256))) return;
    await rm(this.#pathOf(sha256), { force: true }).catch((error) => {
      throw diskError(error, this.#root);
    });
  }

  async *list(): AsyncGenerator<{ readonly sha256: string; readonly bytes: number; readonly writtenAt: Date }> {
    for (const shard of await readdir(join(this.#root, "sha256")).catch(() => [])) {
      const folder = await opendir(join(this.#root, "sha256", shard)).catch(() => []);
      for await (const { name } of folder) {
        const sha256 = `${shard}${name}`;
        // Another process may have removed it since the folder was read.
        const found = (await this.has(sha256)) ? await stat(this.#pathOf(sha256)).catch(() => null) : null;
        if (found !== null) yield { sha256, bytes: found.size, writtenAt: found.mtime };
      }
    }
  }

  #pathOf(sha256: string): string {
    return join(this.#root, "sha256", sha256.slice(0, 2), sha256.slice(2));
  }

  /** Whether the bytes are there; then they count as written now, so that whoever removes old ones leaves them. */
  async #renew(sha256: string): Promise<boolean> {
    if (!(await this.has(sha256))) return false;
    const now = new Date();
    return utimes(this.#pathOf(sha256), now, now).then(
      () => true,
      // They were removed in between, or nobody may write here, and then nobody removes either.
      (error) => !hasCode(error, "ENOENT"),
    );
  }

  /** Lets `write` make a file aside and sync it; nothing is left of it when that fails. */
  async #writeAside<Written extends object>(
    write: (path: string) => Promise<Written>,
  ): Promise<Written & { readonly path: string }> {
    const path = join(this.#root, "tmp", randomUUID());
    try {
      await mkdir(dirname(path), { recursive: true });
      await (this.#swept ??= sweep(this.#root));
      return { ...(await write(path)), path };
    } catch (error) {
      await rm(path, { force: true }).catch(() => undefined);
      throw diskError(error, this.#root);
    }
  }

  async #place(aside: string, sha256: string): Promise<void> {
    const target = this.#pathOf(sha256);
    try {
      await mkdir(dirname(target), { recursive: true });
      await rename(aside, target);
      // Without this the name may be lost in a power cut though the bytes are not.
      await sync(dirname(target));
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined);
      throw diskError(error, this.#root);
    }
  }
}

/** Removes what was left by writers that died, at a store's first write. Others may be at work in the same folders. */
async function sweep(root: string): Promise<void> {
  for (const folder of [join(root, "tmp"), join(root, "parts")]) {
    for (const name of await readdir(folder).catch(() => [])) {
      const found = await lstat(join(folder, name)).catch(() => null);
      if (found === null || Date.now() - found.mtimeMs < LEFTOVERS_LIVE_MS) continue;
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
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

async function hashFile(path: string): Promise<Hashed> {
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

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
