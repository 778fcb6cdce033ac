import { createHash } from "node:crypto";

/** Short enough for what other tracking clients allow a digest. */
export const datasetDigest = (parts: readonly (string | null)[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
