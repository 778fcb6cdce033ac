import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

/** Chunks of a network stream are small; they are written together from this many bytes on. */
const BLOCK_BYTES = 1 << 20;
/** So much is handed to the disk while more is coming, so that little is left to wait for at the end. */
const FLUSH_EVERY_BYTES = 64 << 20;

export interface Hashed {
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Writes a stream into a new file and hashes it on the way; on disk when it returns. The next block is read and hashed while the one
 * before is written, so at most two blocks are in memory. The source must not reuse its chunks. A failure leaves the file as it is.
 */
export async function writeHashed(path: string, source: AsyncIterable<Uint8Array>): Promise<Hashed> {
  const file = await open(path, "wx");
  try {
    const hash = createHash("sha256");
    const writing = sequential();
    let block: Uint8Array[] = [];
    let blockBytes = 0;
    let unflushed = 0;
    let bytes = 0;
    for await (const chunk of source) {
      hash.update(chunk);
      block.push(chunk);
      blockBytes += chunk.byteLength;
      bytes += chunk.byteLength;
      if (blockBytes < BLOCK_BYTES) continue;
      const full = block;
      unflushed += blockBytes;
      const flush = unflushed >= FLUSH_EVERY_BYTES;
      if (flush) unflushed = 0;
      block = [];
      blockBytes = 0;
      await writing.next(async () => {
        await writeAll(file, full);
        if (flush) await file.datasync();
      });
    }
    await writing.next(() => writeAll(file, block));
    await writing.end();
    await file.sync();
    return { sha256: hash.digest("hex"), bytes };
  } finally {
    await file.close();
  }
}

/** Starts a piece of work when the one before is done, and returns at once; a failure comes out of the next call. */
function sequential() {
  let running: Promise<void> = Promise.resolve();
  return {
    async next(work: () => Promise<void>): Promise<void> {
      await running;
      running = work();
      // It is awaited later; until then its failure is not unhandled.
      running.catch(() => undefined);
    },
    end: () => running,
  };
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let left = chunks.filter(({ byteLength }) => byteLength > 0);
  while (left.length > 0) {
    let { bytesWritten } = await file.writev(left);
    const rest: Uint8Array[] = [];
    for (const chunk of left) {
      const taken = Math.min(bytesWritten, chunk.byteLength);
      bytesWritten -= taken;
      if (taken < chunk.byteLength) rest.push(chunk.subarray(taken));
    }
    left = rest;
  }
}
