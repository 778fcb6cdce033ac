import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

/** Chunks of a network stream are small; so many bytes of them are written together. */
const BLOCK_BYTES = 1 << 20;
/** So much is handed to the disk while more is coming, so that little is left to wait for at the end. */
const FLUSH_EVERY_BYTES = 64 << 20;

export interface Hashed {
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Writes a stream into a new file and hashes it on the way; on disk when it returns. The next block is read and hashed while the one
 * before is written, so two blocks are in memory, the same two from beginning to end. A failure leaves the file as it is.
 */
export async function writeHashed(path: string, source: AsyncIterable<Uint8Array>): Promise<Hashed> {
  const file = await open(path, "wx");
  try {
    const hash = createHash("sha256");
    const writing = sequential();
    let block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    let other = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    let filled = 0;
    let unflushed = 0;
    let bytes = 0;
    for await (const chunk of source) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      for (let at = 0; at < chunk.byteLength; ) {
        const taken = Math.min(BLOCK_BYTES - filled, chunk.byteLength - at);
        block.set(chunk.subarray(at, at + taken), filled);
        filled += taken;
        at += taken;
        if (filled < BLOCK_BYTES) continue;
        const full = block;
        unflushed += filled;
        const flush = unflushed >= FLUSH_EVERY_BYTES;
        if (flush) unflushed = 0;
        // Returns when the block before is written, which is the one to be filled next.
        await writing.next(async () => {
          await writeAll(file, full);
          if (flush) await file.datasync();
        });
        [block, other] = [other, full];
        filled = 0;
      }
    }
    await writing.next(() => writeAll(file, block.subarray(0, filled)));
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

async function writeAll(file: FileHandle, block: Uint8Array): Promise<void> {
  for (let at = 0; at < block.byteLength; ) at += (await file.write(block, at)).bytesWritten;
}
