import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PartStore, UploadPart } from "../../core/ports/index.ts";
import { diskError, hasCode, missing } from "./errors.ts";
import type { Hashed } from "./write-hashed.ts";

const UPLOAD = /^[A-Za-z0-9-]{1,128}$/;
const PART = /^(\d+)-(\d+)-([0-9a-f]{64})$/;

/**
 * Parts in `parts/<upload>/<number>-<bytes>-<sha256>`.
 * @param writeAside writes a stream to a file of the same disk and tells where it is
 */
export function filesystemParts(
  root: string,
  writeAside: (source: AsyncIterable<Uint8Array>) => Promise<Hashed & { readonly path: string }>,
): PartStore {
  const folderOf = (upload: string) => {
    if (!UPLOAD.test(upload)) throw missing(upload);
    return join(root, "parts", upload);
  };
  const fileOf = ({ number, bytes, sha256 }: UploadPart) => `${number}-${bytes}-${sha256}`;

  async function list(upload: string): Promise<UploadPart[]> {
    const names = UPLOAD.test(upload) ? await readdir(folderOf(upload)).catch(nothingThere) : [];
    return names
      .flatMap((name) => {
        const [, number, bytes, sha256] = PART.exec(name) ?? [];
        return sha256 === undefined ? [] : [{ number: Number(number), bytes: Number(bytes), sha256 }];
      })
      .sort((a, b) => a.number - b.number);
  }

  return {
    async put(upload, number, source) {
      const folder = folderOf(upload);
      const { path, sha256, bytes } = await writeAside(source);
      const part = { number, sha256, bytes };
      try {
        await mkdir(folder, { recursive: true });
        await rename(path, join(folder, fileOf(part)));
        const replaced = (await list(upload)).filter((other) => other.number === number && fileOf(other) !== fileOf(part));
        for (const other of replaced) await rm(join(folder, fileOf(other)), { force: true });
      } catch (error) {
        await rm(path, { force: true });
        throw diskError(error, root);
      }
      return part;
    },
    list,
    async read(upload, part) {
      const handle = await open(join(folderOf(upload), fileOf(part))).catch((error) => {
        throw hasCode(error, "ENOENT") ? missing(part.sha256) : error;
      });
      return createReadStream("", { fd: handle, highWaterMark: 1 << 20 });
    },
    async drop(upload) {
      if (UPLOAD.test(upload)) await rm(folderOf(upload), { recursive: true, force: true });
    },
  };
}

function nothingThere(error: unknown): string[] {
  if (hasCode(error, "ENOENT")) return [];
  throw error;
}
