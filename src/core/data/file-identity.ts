import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { dataErrors } from "./errors.ts";

/** What of a file changes whenever somebody writes to it. */
export interface FileIdentity {
  readonly size: bigint;
  readonly ctimeMs: number;
  readonly text: string;
}

/** @throws DATA_FILE_MISSING */
export async function fileIdentity(source: string, path: string): Promise<FileIdentity> {
  try {
    const { ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true });
    return { size, ctimeMs: Number(ctimeMs), text: `${ino}-${size}-${mtimeNs}-${ctimeNs}` };
  } catch (cause) {
    throw dataErrors.DATA_FILE_MISSING(`${basename(path)} of source ${source} is gone`, { cause });
  }
}

interface Hashed {
  readonly identity: string;
  readonly hash: string;
}

/** What this process hashed before. Nobody can set a file's ctime, so the same inode, size and times are the same bytes… */
const hashed = new Map<string, Hashed>();
/** …unless it changed again within the clock's step right after it was hashed: a file this young is hashed every time. */
const SETTLED_MS = 2_000;

/** sha256 of a file's bytes. @throws DATA_FILE_UNREADABLE */
export async function fileHash(source: string, path: string, { text, ctimeMs }: FileIdentity): Promise<string> {
  const known = hashed.get(path);
  if (known?.identity === text) return known.hash;
  const begun = Date.now();
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  } catch (cause) {
    throw dataErrors.DATA_FILE_UNREADABLE(`${basename(path)} of source ${source} cannot be read`, { cause });
  }
  const digest = hash.digest("hex");
  if (begun - ctimeMs > SETTLED_MS) hashed.set(path, { identity: text, hash: digest });
  return digest;
}
