import { Readable } from "node:stream";
import type { _Object } from "@aws-sdk/client-s3";
import type { ByteRange } from "../../core/ports/index.ts";
import { artifactErrors, missing } from "./errors.ts";
import { isMissing, type S3Bucket, s3Error } from "./s3-client.ts";

/** @throws ARTIFACT_MISSING before the first byte */
export async function getObject({ client, library, bucket: Bucket }: S3Bucket, Key: string, sha256: string, range?: ByteRange) {
  const Range = range === undefined ? {} : { Range: `bytes=${range.from}-${range.to}` };
  const { Body } = await client.send(new library.GetObjectCommand({ Bucket, Key, ...Range })).catch((error) => {
    throw isMissing(error) ? missing(sha256) : error;
  });
  if (!(Body instanceof Readable)) throw artifactErrors.ARTIFACT_STORE_UNREACHABLE("The store sent no body");
  return Body;
}

/** Every object under a prefix, a page of a thousand at a time. */
export async function* objectsBelow(bucket: S3Bucket, Prefix: string): AsyncGenerator<_Object> {
  const { client, library, bucket: Bucket } = bucket;
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(new library.ListObjectsV2Command({ Bucket, Prefix, ContinuationToken })).catch((error) => {
      throw s3Error(error, bucket);
    });
    yield* page.Contents ?? [];
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
}
