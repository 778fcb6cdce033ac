import type { PartStore, UploadPart } from "../../core/ports/index.ts";
import { missing } from "./errors.ts";
import { type S3Bucket, s3Error } from "./s3-client.ts";
import { getObject, objectsBelow } from "./s3-objects.ts";
import type { Hashed } from "./write-hashed.ts";

const UPLOAD = /^[A-Za-z0-9-]{1,128}$/;
const PART = /^(\d+)-(\d+)-([0-9a-f]{64})$/;

/** Parts under `<prefix>parts/<upload>/<number>-<bytes>-<sha256>`. */
export function s3Parts(
  bucket: S3Bucket,
  upload: (source: AsyncIterable<Uint8Array>, keyOf: (hashed: Hashed) => string) => Promise<Hashed>,
): PartStore {
  const { client, library, bucket: Bucket } = bucket;
  const prefixOf = (name: string) => {
    if (!UPLOAD.test(name)) throw missing(name);
    return `${bucket.prefix}parts/${name}/`;
  };
  const keyOf = (name: string, { number, bytes, sha256 }: UploadPart) => `${prefixOf(name)}${number}-${bytes}-${sha256}`;
  const remove = (Key: string) =>
    client.send(new library.DeleteObjectCommand({ Bucket, Key })).catch((error) => {
      throw s3Error(error, bucket);
    });

  async function list(name: string): Promise<UploadPart[]> {
    if (!UPLOAD.test(name)) return [];
    const prefix = prefixOf(name);
    const parts: UploadPart[] = [];
    for await (const { Key = "" } of objectsBelow(bucket, prefix)) {
      const [, number, bytes, sha256] = PART.exec(Key.slice(prefix.length)) ?? [];
      if (sha256 !== undefined) parts.push({ number: Number(number), bytes: Number(bytes), sha256 });
    }
    return parts.sort((a, b) => a.number - b.number);
  }

  return {
    list,
    async put(name, number, source) {
      // Before the bytes are sent: the name may be no name.
      prefixOf(name);
      const part = { number, ...(await upload(source, (hashed) => keyOf(name, { number, ...hashed }))) };
      for (const other of await list(name))
        if (other.number === number && keyOf(name, other) !== keyOf(name, part)) await remove(keyOf(name, other));
      return part;
    },
    read: (name, part) =>
      getObject(bucket, keyOf(name, part), part.sha256).catch((error) => {
        throw s3Error(error, bucket);
      }),
    async drop(name) {
      for (const part of await list(name)) await remove(keyOf(name, part));
    },
  };
}
