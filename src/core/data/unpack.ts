import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { FileFormat } from "../definitions/index.ts";
import { dataErrors } from "./errors.ts";

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

const unpackers: Readonly<Record<string, () => Transform>> = { gz: createGunzip, zst: createZstdDecompress };

/** What decompresses a file of this name. */
function packing(name: string): (() => Transform) | undefined {
  return unpackers[/\.(gz|zst)$/i.exec(name)?.[1]?.toLowerCase() ?? ""];
}

/**
 * Hands `read` a file that the engine can read: text files that are compressed (their name ends in .gz or .zst) are unpacked first,
 * whole, because an engine that unpacks them takes a file that was cut short for a shorter one. The copy is taken away afterwards.
 * @throws DATA_FILE_CORRUPT
 */
export async function withUnpacked<T>(
  file: { path: string; name: string; format: FileFormat; tmpDirectory: string; source: string },
  read: (path: string) => Promise<T>,
): Promise<T> {
  const { path, name, format, tmpDirectory, source } = file;
  const unpack = format === "parquet" ? undefined : packing(name);
  const marked = format === "json-lines" && unpack === undefined && (await beginsWithMark(path));
  if (unpack === undefined && !marked) return await read(path);
  const copy = join(tmpDirectory, `unpacked-${randomUUID()}`);
  await mkdir(tmpDirectory, { recursive: true });
  try {
    const from = createReadStream(path, { start: marked ? BYTE_ORDER_MARK.length : 0 });
    if (unpack === undefined) await pipeline(from, createWriteStream(copy));
    else await pipeline(from, unpack(), createWriteStream(copy));
    if (format === "json-lines" && unpack !== undefined && (await beginsWithMark(copy)))
      return await withUnpacked({ ...file, path: copy, name: "" }, read);
    return await read(copy);
  } catch (cause) {
    if (!isPackingError(cause)) throw cause;
    throw dataErrors.DATA_FILE_CORRUPT(`${name} of source ${source} cannot be unpacked: ${cause.message}`, { cause });
  } finally {
    await rm(copy, { force: true });
  }
}

/** zlib's own errors, and zstd's. */
const isPackingError = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && typeof error.code === "string" && /^(Z_|ZSTD_|ERR_ZSTD)/.test(error.code);

async function beginsWithMark(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BYTE_ORDER_MARK.length), 0, BYTE_ORDER_MARK.length, 0);
    return buffer.subarray(0, bytesRead).equals(BYTE_ORDER_MARK);
  } finally {
    await file.close();
  }
}
