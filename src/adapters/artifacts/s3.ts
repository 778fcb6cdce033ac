import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { pipeline, type Readable, Transform } from "node:stream";
import type { ArtifactRef, ArtifactStore, ByteRange, PartStore } from "../../core/ports/index.ts";
import { ArtifactCache } from "./artifact-cache.ts";
import { artifactErrors, corrupt, hasCode, isHash, missing } from "./errors.ts";
import { parseS3Address } from "./s3-address.ts";
import { connectS3, isMissing, type S3Bucket, s3Error } from "./s3-client.ts";
import { getObject, objectsBelow } from "./s3-objects.ts";
import { s3Parts } from "./s3-parts.ts";
import { sweepS3 } from "./s3-sweep.ts";
import { uploadHashed } from "./s3-upload.ts";

/** Bytes put again within so short a time are not sent again; after it they are, so that whoever removes old ones leaves them. */
const FRESH_MS = 60 * 60_000;

export interface S3Settings {
  /** As parseS3Address reads it. */
  readonly url: string;
  /** Where artifacts are kept that engines read by file name. */
  readonly cacheFolder: string;
  /** How much of them is kept, in bytes; 20 GB when absent. */
  readonly cacheBytes?: number;
}

/** @throws ARTIFACT_STORE_SETTING_INVALID, ARTIFACT_STORE_CLIENT_MISSING; whether the bucket answers shows at the first use */
export async function openS3({ url, cacheFolder, cacheBytes = 20e9 }: S3Settings): Promise<S3ArtifactStore> {
  return new S3ArtifactStore(await connectS3(parseS3Address(url)), new ArtifactCache(cacheFolder, cacheBytes));
}

/**
 * Artifacts in a bucket of any S3-compatible store, each under `<prefix>sha256/ab/cdef…`. Large ones are uploaded beside it first; no more
 * than 48 MB of one upload are in memory. Whole reads are checked against the hash. Every process of a deployment may have its own store.
 */
export class S3ArtifactStore implements ArtifactStore {
  readonly parts: PartStore;
  readonly #bucket: S3Bucket;
  readonly #cache: ArtifactCache;
  #swept = false;

  constructor(bucket: S3Bucket, cache: ArtifactCache) {
    this.#bucket = bucket;
    this.#cache = cache;
    this.parts = s3Parts(bucket, (source, keyOf) => this.#upload(source, keyOf, "application/octet-stream"));
  }

  async put(bytes: Uint8Array | string, mediaType: string): Promise<ArtifactRef> {
    const data = Buffer.from(bytes);
    const ref = { sha256: createHash("sha256").update(data).digest("hex"), bytes: data.byteLength, mediaType };
    const found = await this.#head(ref.sha256);
    if (found?.LastModified === undefined || Date.now() - found.LastModified.getTime() > FRESH_MS)
      await this.#upload([data], () => this.#keyOf(ref.sha256), mediaType);
    return ref;
  }

  async putStream(source: AsyncIterable<Uint8Array>, mediaType: string): Promise<ArtifactRef> {
    return { ...(await this.#upload(source, ({ sha256 }) => this.#keyOf(sha256), mediaType)), mediaType };
  }

  async putFile(path: string, mediaType: string): Promise<ArtifactRef> {
    try {
      await this.putStream(createReadStream(path, { highWaterMark: 1 << 20 }), mediaType);
    } catch (error) {
      if (!hasCode(error, "ENOENT", "EACCES", "EISDIR")) throw error;
      throw artifactErrors.ARTIFACT_FILE_MISSING(`The file ${basename(path)} cannot be read`, { cause: error });
    }
    return this.#cache.keep(path, mediaType);
  }

  async read(sha256: string): Promise<Uint8Array> {
    const chunks = await Array.fromAsync<Uint8Array>(await this.readStream(sha256));
    return Buffer.concat(chunks);
  }

  /** A whole stream fails at its end where the bytes do not match their hash. */
  async readStream(sha256: string, range?: ByteRange): Promise<Readable> {
    if (!isHash(sha256)) throw missing(sha256);
    const body = await this.#get(this.#keyOf(sha256), sha256, range);
    if (range !== undefined) return body;
    return pipeline(body, checkingHash(sha256), () => undefined);
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.#head(sha256)) !== null;
  }

  async localPath(sha256: string): Promise<string> {
    if (!isHash(sha256)) throw missing(sha256);
    return this.#cache.localPath(sha256, () => this.#get(this.#keyOf(sha256), sha256));
  }

  async remove(sha256: string): Promise<void> {
    if (!isHash(sha256)) return;
    const { client, library, bucket: Bucket } = this.#bucket;
    await this.#asking(client.send(new library.DeleteObjectCommand({ Bucket, Key: this.#keyOf(sha256) })));
    await this.#cache.remove(sha256);
  }

  async *list(): AsyncGenerator<{ readonly sha256: string; readonly bytes: number; readonly writtenAt: Date }> {
    const prefix = `${this.#bucket.prefix}sha256/`;
    for await (const { Key = "", Size = 0, LastModified } of objectsBelow(this.#bucket, prefix)) {
      const sha256 = Key.slice(prefix.length).replace("/", "");
      if (isHash(sha256)) yield { sha256, bytes: Size, writtenAt: LastModified ?? new Date() };
    }
  }

  #keyOf(sha256: string): string {
    return `${this.#bucket.prefix}sha256/${sha256.slice(0, 2)}/${sha256.slice(2)}`;
  }

  async #upload(...[source, keyOf, mediaType]: UploadArguments) {
    if (!this.#swept) {
      this.#swept = true;
      // Nobody waits for it, and what it cannot remove another start will.
      void sweepS3(this.#bucket).catch(() => undefined);
    }
    return this.#asking(uploadHashed(this.#bucket, iterable(source), keyOf, mediaType));
  }

  async #head(sha256: string) {
    if (!isHash(sha256)) return null;
    const { client, library, bucket: Bucket } = this.#bucket;
    return this.#asking(
      client.send(new library.HeadObjectCommand({ Bucket, Key: this.#keyOf(sha256) })).catch((error) => {
        if (isMissing(error)) return null;
        throw error;
      }),
    );
  }

  async #get(Key: string, sha256: string, range?: ByteRange): Promise<Readable> {
    return this.#asking(getObject(this.#bucket, Key, sha256, range));
  }

  async #asking<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return answer.catch((error) => {
      throw s3Error(error, this.#bucket);
    });
  }
}

type UploadArguments = [
  source: AsyncIterable<Uint8Array> | readonly Uint8Array[],
  keyOf: Parameters<typeof uploadHashed>[2],
  mediaType: string,
];

async function* iterable(source: AsyncIterable<Uint8Array> | readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* source;
}

function checkingHash(sha256: string): Transform {
  const hash = createHash("sha256");
  return new Transform({
    readableHighWaterMark: 1 << 20,
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      done(hash.digest("hex") === sha256 ? null : corrupt(sha256));
    },
  });
}
