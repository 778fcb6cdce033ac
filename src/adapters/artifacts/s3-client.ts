import type { S3Client } from "@aws-sdk/client-s3";
import { OrreryError } from "../../core/errors.ts";
import { artifactErrors, hasCode } from "./errors.ts";
import type { S3Address } from "./s3-address.ts";

type S3Library = typeof import("@aws-sdk/client-s3");

/** A bucket with the client that reaches it: no other address is ever asked. */
export interface S3Bucket extends S3Address {
  readonly client: S3Client;
  readonly library: S3Library;
}

/** Loads the client, which is large, only where S3 is used. Credentials are found the client's usual way. @throws ARTIFACT_STORE_CLIENT_MISSING */
export async function connectS3(address: S3Address): Promise<S3Bucket> {
  const library = await import("@aws-sdk/client-s3").catch((cause) => {
    throw artifactErrors.ARTIFACT_STORE_CLIENT_MISSING("The S3 client is not installed", { cause });
  });
  const { endpoint, region, forcePathStyle } = address;
  const client = new library.S3Client({
    region,
    forcePathStyle,
    ...(endpoint === null ? {} : { endpoint }),
    followRegionRedirects: false,
    // Every object is hashed here anyway, and other implementations know none of the newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 300_000, throwOnRequestTimeout: true },
  });
  return { ...address, client, library };
}

const MISSING = new Set(["NoSuchKey", "NotFound"]);
const REFUSED = new Set([
  "AccessDenied",
  "AccountProblem",
  "CredentialsProviderError",
  "ExpiredToken",
  "Forbidden",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
]);
const FULL = new Set(["QuotaExceeded", "XMinioStorageFull", "EntityTooLarge"]);
const NETWORK = ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "EPIPE", "ETIMEDOUT"];

export const isMissing = (error: unknown): boolean => error instanceof Error && MISSING.has(error.name);

/** What S3 says, in the store's own words; what it does not explain, and errors of others, stay as they are. */
export function s3Error(error: unknown, { bucket, endpoint, region }: S3Address): unknown {
  if (!(error instanceof Error) || error instanceof OrreryError) return error;
  const where = `${bucket} at ${endpoint ?? `Amazon S3 in ${region}`}`;
  const status = statusOf(error);
  if (error.name === "NoSuchBucket")
    return artifactErrors.ARTIFACT_STORE_BUCKET_MISSING(`There is no bucket ${where}`, { cause: error });
  if (REFUSED.has(error.name) || status === 401 || status === 403)
    return artifactErrors.ARTIFACT_STORE_REFUSED(`The bucket ${where} refuses: ${error.name}`, { cause: error });
  if (FULL.has(error.name) || status === 507)
    return artifactErrors.ARTIFACT_STORE_FULL(`The bucket ${where} takes no more: ${error.name}`, { cause: error });
  if (hasCode(error, ...NETWORK) || error.name === "TimeoutError" || (status !== undefined && status >= 500))
    return artifactErrors.ARTIFACT_STORE_UNREACHABLE(`The bucket ${where} cannot be reached`, { cause: error });
  return error;
}

function statusOf(error: Error): number | undefined {
  const metadata: unknown = "$metadata" in error ? error.$metadata : undefined;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}
