import { matchesGlob } from "node:path";
import { Readable } from "node:stream";
import { OrreryError } from "../../core/errors.ts";
import type { Copied, CopyOptions, RemoteFile, RemoteFiles } from "../../core/ports/index.ts";
import { parseS3Address } from "../artifacts/s3-address.ts";
import { connectS3, isMissing, type S3Bucket, s3Error } from "../artifacts/s3-client.ts";
import { objectsBelow } from "../artifacts/s3-objects.ts";
import { copyStream, withRetries } from "./copy-stream.ts";
import { sourceErrors } from "./errors.ts";

/**
 * Objects of a bucket: `s3://bucket/key`, a pattern of keys, or a prefix that stands for what is below it; endpoint, region and
 * forcePathStyle as parameters. Credentials are found the client's usual way, never in the address.
 */
export class S3Files implements RemoteFiles {
  readonly #buckets = new Map<string, Promise<S3Bucket>>();
  readonly #waits: readonly number[] | undefined;

  /** `waits` are the pauses between tries, in milliseconds. */
  constructor({ waits }: { waits?: readonly number[] } = {}) {
    this.#waits = waits;
  }

  /** @throws SOURCE_ADDRESS_INVALID, SOURCE_CLIENT_MISSING, SOURCE_FILE_MISSING, SOURCE_DENIED, SOURCE_UNREACHABLE */
  async list(address: string, isWanted: (path: string) => boolean): Promise<RemoteFile[]> {
    try {
      const bucket = await this.#connect(address);
      return await withRetries(() => listOnce(bucket, isWanted), this.#waits);
    } catch (error) {
      throw sourceError(error);
    }
  }

  /** @throws SOURCE_FILE_MISSING, SOURCE_FILE_CHANGED, SOURCE_TOO_LARGE, SOURCE_DENIED, and SOURCE_UNREACHABLE after four tries */
  async copy(address: string, file: RemoteFile, options: CopyOptions): Promise<Copied | null> {
    if (file.version !== null && file.version === options.known) return null;
    const bucket = await this.#connect(address);
    return await withRetries(async () => {
      try {
        return await copyOnce(bucket, file, options);
      } catch (error) {
        throw sourceError(s3Error(error, bucket), file.address);
      }
    }, this.#waits);
  }

  #connect(address: string): Promise<S3Bucket> {
    const known = this.#buckets.get(address) ?? Promise.resolve().then(() => connectS3(parseS3Address(address)));
    this.#buckets.set(address, known);
    return known;
  }
}

async function listOnce(bucket: S3Bucket, isWanted: (path: string) => boolean): Promise<RemoteFile[]> {
  // The artifact store's addresses end in a slash: they are folders.
  const wanted = bucket.prefix.replace(/\/$/, "");
  const isPattern = /[*?[{]/.test(wanted);
  const literal = isPattern ? wanted.slice(0, wanted.search(/[*?[{]/)) : wanted;
  const exact: RemoteFile[] = [];
  const matching: RemoteFile[] = [];
  try {
    for await (const { Key = "", ETag = null } of objectsBelow(bucket, literal)) {
      const file = { address: `s3://${bucket.bucket}/${Key}`, path: Key.split("/"), version: ETag };
      if (Key === wanted) exact.push(file);
      else if (Key.endsWith("/")) continue;
      else if (isPattern ? matchesGlob(Key, wanted) : isBelow(Key, wanted) && isWanted(Key.slice(bucket.prefix.length)))
        matching.push(file);
    }
  } catch (error) {
    throw sourceError(s3Error(error, bucket));
  }
  const found = exact.length > 0 ? exact : matching;
  if (found.length === 0) throw sourceErrors.SOURCE_FILE_MISSING(`No object matches s3://${bucket.bucket}/${wanted}`);
  return found.sort((a, b) => (a.address < b.address ? -1 : 1));
}

const isBelow = (key: string, folder: string) => folder === "" || key.startsWith(`${folder}/`);

async function copyOnce({ client, library, bucket }: S3Bucket, file: RemoteFile, { to, maxBytes }: CopyOptions): Promise<Copied> {
  const Key = file.path.join("/");
  // Exactly the object that was listed: one that was replaced meanwhile has another version.
  const IfMatch = file.version === null ? {} : { IfMatch: file.version };
  const { Body, ContentLength, ContentEncoding } = await client.send(
    new library.GetObjectCommand({ Bucket: bucket, Key, ...IfMatch }),
  );
  if (!(Body instanceof Readable)) throw sourceErrors.SOURCE_UNREACHABLE(`${file.address} has no body`);
  await copyStream(Body, { shown: file.address, to, maxBytes, length: ContentLength ?? null });
  return { version: file.version, packed: ContentEncoding === "gzip" ? "gz" : null };
}

const CODES = {
  ARTIFACT_STORE_REFUSED: "SOURCE_DENIED",
  ARTIFACT_STORE_UNREACHABLE: "SOURCE_UNREACHABLE",
  ARTIFACT_STORE_BUCKET_MISSING: "SOURCE_FILE_MISSING",
  ARTIFACT_STORE_SETTING_INVALID: "SOURCE_ADDRESS_INVALID",
  ARTIFACT_STORE_CLIENT_MISSING: "SOURCE_CLIENT_MISSING",
} as const;

/** A bucket says the same things to a source as to the artifact store, under other codes. */
function sourceError(error: unknown, shown?: string): unknown {
  if (error instanceof OrreryError) {
    const code = Object.entries(CODES).find(([known]) => known === error.code)?.[1];
    const message = error.message.replace("address of the artifact store", "address of the bucket");
    return code === undefined ? error : sourceErrors[code](message, { cause: error.cause });
  }
  if (!(error instanceof Error) || shown === undefined) return error;
  if (isMissing(error)) return sourceErrors.SOURCE_FILE_MISSING(`${shown} is not there`, { cause: error });
  if (error.name === "PreconditionFailed")
    return sourceErrors.SOURCE_FILE_CHANGED(`${shown} changed after it was listed`, { cause: error });
  return sourceErrors.SOURCE_UNREACHABLE(`${shown} cannot be read: ${error.message}`, { cause: error });
}
