import { createHash, randomUUID } from "node:crypto";
import type { S3Bucket } from "./s3-client.ts";
import type { Hashed } from "./write-hashed.ts";

/** Of 10,000 parts, the most there may be: 160 GB. Three of them are in memory at a time. */
const PART_BYTES = 16 << 20;
/** What one copy may hold, and what a piece of a larger one does. */
const COPY_BYTES = 5 * 2 ** 30;
const COPY_PIECE_BYTES = 2 ** 30;

/**
 * Uploads a stream to a key that its hash decides. A stream of one part goes there in one request. A longer one goes to a temporary key in
 * parts, because its hash is known only at the end, and is copied from there inside the store: what is under the final key is always whole.
 * That costs no disk here and no second transfer; a spool file would cost both. Of a stream that fails nothing is left.
 */
export async function uploadHashed(
  bucket: S3Bucket,
  source: AsyncIterable<Uint8Array>,
  keyOf: (hashed: Hashed) => string,
  mediaType: string,
): Promise<Hashed> {
  const { client, library, bucket: Bucket } = bucket;
  const hash = createHash("sha256");
  let bytes = 0;
  let multipart: Multipart | null = null;
  try {
    for await (const block of blocksOf(source, PART_BYTES)) {
      hash.update(block);
      bytes += block.byteLength;
      if (multipart === null && block.byteLength < PART_BYTES) {
        const hashed = { sha256: hash.digest("hex"), bytes };
        const put = { Bucket, Key: keyOf(hashed), Body: block, ContentType: mediaType };
        await client.send(new library.PutObjectCommand(put));
        return hashed;
      }
      multipart ??= await beginMultipart(bucket, `${bucket.prefix}tmp/${Date.now()}-${randomUUID()}`, mediaType);
      await multipart.add(block);
    }
    const hashed = { sha256: hash.digest("hex"), bytes };
    if (multipart === null) throw new TypeError("blocksOf gives at least one block");
    await multipart.complete();
    await copy(bucket, multipart.key, keyOf(hashed), bytes, mediaType);
    return hashed;
  } catch (error) {
    await multipart?.abort();
    throw error;
  } finally {
    if (multipart !== null) await deleteQuietly(bucket, multipart.key);
  }
}

interface Multipart {
  readonly key: string;
  /** Returns when there is room for another block, not when this one is there. */
  add(block: Uint8Array): Promise<void>;
  complete(): Promise<void>;
  abort(): Promise<void>;
}

async function beginMultipart({ client, library, bucket: Bucket }: S3Bucket, Key: string, mediaType: string): Promise<Multipart> {
  const { UploadId } = await client.send(new library.CreateMultipartUploadCommand({ Bucket, Key, ContentType: mediaType }));
  const parts: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];
  let running: Promise<void> = Promise.resolve();
  return {
    key: Key,
    async add(block) {
      await running;
      const PartNumber = parts.length + 1;
      const upload = { Bucket, Key, UploadId, PartNumber, Body: block };
      running = client.send(new library.UploadPartCommand(upload)).then(({ ETag }) => void parts.push({ PartNumber, ETag }));
      // It is awaited with the next block; until then its failure is not unhandled.
      running.catch(() => undefined);
    },
    async complete() {
      await running;
      await client.send(new library.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }));
    },
    async abort() {
      await running.catch(() => undefined);
      // What cannot be taken back now is taken back by a sweep.
      await client.send(new library.AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined);
    },
  };
}

async function copy(bucket: S3Bucket, from: string, Key: string, bytes: number, ContentType: string): Promise<void> {
  const { client, library, bucket: Bucket } = bucket;
  const CopySource = encodeURIComponent(`${Bucket}/${from}`);
  if (bytes <= COPY_BYTES) {
    await client.send(new library.CopyObjectCommand({ Bucket, Key, CopySource, ContentType, MetadataDirective: "REPLACE" }));
    return;
  }
  const { UploadId } = await client.send(new library.CreateMultipartUploadCommand({ Bucket, Key, ContentType }));
  try {
    const parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let start = 0; start < bytes; start += COPY_PIECE_BYTES) {
      const PartNumber = parts.length + 1;
      const CopySourceRange = `bytes=${start}-${Math.min(start + COPY_PIECE_BYTES, bytes) - 1}`;
      const piece = { Bucket, Key, UploadId, PartNumber, CopySource, CopySourceRange };
      const { CopyPartResult } = await client.send(new library.UploadPartCopyCommand(piece));
      parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    await client.send(new library.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }));
  } catch (error) {
    await client.send(new library.AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined);
    throw error;
  }
}

const deleteQuietly = ({ client, library, bucket: Bucket }: S3Bucket, Key: string) =>
  client.send(new library.DeleteObjectCommand({ Bucket, Key })).catch(() => undefined);

/** The stream in blocks of one size, the last of them shorter: of an empty stream, or one that fills its blocks, it is empty. */
async function* blocksOf(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let block = Buffer.allocUnsafe(size);
  let filled = 0;
  let any = false;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.byteLength; ) {
      const taken = Math.min(size - filled, chunk.byteLength - at);
      block.set(chunk.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (filled < size) continue;
      yield block;
      any = true;
      block = Buffer.allocUnsafe(size);
      filled = 0;
    }
  }
  if (filled > 0 || !any) yield block.subarray(0, filled);
}
