import type { S3Bucket } from "./s3-client.ts";
import { objectsBelow } from "./s3-objects.ts";

const LEFTOVERS_LIVE_MS = 24 * 60 * 60_000;

/** Removes what uploads left behind whose process died: what nobody has written to for a day. */
export async function sweepS3(bucket: S3Bucket, now = Date.now()): Promise<void> {
  const { client, library, bucket: Bucket, prefix } = bucket;
  const isOld = (time: Date | undefined) => time !== undefined && now - time.getTime() > LEFTOVERS_LIVE_MS;
  for (const below of [`${prefix}tmp/`, `${prefix}parts/`]) {
    for await (const { Key, LastModified } of objectsBelow(bucket, below))
      if (isOld(LastModified)) await client.send(new library.DeleteObjectCommand({ Bucket, Key }));
  }
  const { Uploads = [] } = await client.send(new library.ListMultipartUploadsCommand({ Bucket, Prefix: `${prefix}tmp/` }));
  // By the time in the key: not every implementation says when an upload was begun.
  for (const { Key = "", UploadId } of Uploads)
    if (isOld(new Date(Number(/tmp\/(\d+)-[^/]*$/.exec(Key)?.[1] ?? Number.NaN))))
      await client.send(new library.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
}
