import { defineErrors } from "../../core/errors.ts";

export const artifactErrors = defineErrors({
  ARTIFACT_MISSING: { kind: "not-found", hint: "It may have been collected or belong to another state folder." },
  ARTIFACT_FILE_MISSING: { kind: "not-found", hint: "The file to store was moved or deleted before it could be taken over." },
  ARTIFACT_CORRUPT: {
    kind: "internal",
    hint: "The bytes in the store changed after they were written; restore them from a backup.",
  },
  ARTIFACT_STORE_FULL: {
    kind: "unavailable",
    hint: "Free space where the artifacts lie and run it again; nothing partial was left.",
  },
  ARTIFACT_STORE_READ_ONLY: { kind: "unavailable", hint: "Make the state folder writable, or choose another with --state." },
  ARTIFACT_STORE_UNREACHABLE: {
    kind: "unavailable",
    hint: "See whether the endpoint of the artifact store answers from this machine, then run it again.",
  },
  ARTIFACT_STORE_REFUSED: {
    kind: "unavailable",
    hint: "Give the server credentials (AWS_ACCESS_KEY_ID, a profile or a role) that may read, write, list and delete in the bucket.",
  },
  ARTIFACT_STORE_BUCKET_MISSING: { kind: "unavailable", hint: "Create the bucket, or correct --artifacts and its region." },
  ARTIFACT_STORE_SETTING_INVALID: {
    kind: "invalid",
    hint: "Write it as s3://bucket/prefix?endpoint=https://host:port&region=eu-west-1&forcePathStyle=1; only the bucket is needed.",
  },
  ARTIFACT_STORE_CLIENT_MISSING: { kind: "unavailable", hint: "Run `npm install @aws-sdk/client-s3`." },
});

const SHA256 = /^[0-9a-f]{64}$/;
/** Only what is a hash names bytes; anything else, such as a path, names nothing. */
export const isHash = (text: string): boolean => SHA256.test(text);

export const missing = (sha256: string) => artifactErrors.ARTIFACT_MISSING(`There is no artifact ${sha256.slice(0, 12)}`);
export const corrupt = (sha256: string) =>
  artifactErrors.ARTIFACT_CORRUPT(`The artifact ${sha256.slice(0, 12)} does not match its hash`);

export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code));

/** What the disk says, in the store's own words. */
export function diskError(error: unknown, root: string): unknown {
  if (hasCode(error, "ENOSPC", "EDQUOT", "EFBIG"))
    return artifactErrors.ARTIFACT_STORE_FULL(`The disk of ${root} is full`, { cause: error });
  if (hasCode(error, "EROFS", "EACCES", "EPERM", "ENOTDIR", "EEXIST"))
    return artifactErrors.ARTIFACT_STORE_READ_ONLY(`${root} cannot be written`, { cause: error });
  return error;
}
