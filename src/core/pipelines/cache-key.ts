import { hash } from "node:crypto";

/** What a step's code runs on; another Node or processor may compute another result. */
export const ENVIRONMENT = `${process.version} ${process.platform} ${process.arch}`;

export interface CacheKeyParts {
  readonly codeDigest: string;
  readonly params: unknown;
  /** Outputs of the needed steps, by step. */
  readonly needs: unknown;
  readonly environment?: string;
}

/** Equal for steps that compute the same from the same: code, params, inputs and environment. */
export const cacheKey = ({ codeDigest, params, needs, environment = ENVIRONMENT }: CacheKeyParts): string =>
  hash("sha256", canonicalJson({ codeDigest, params, needs, environment }));

/** JSON with sorted keys, so that the order in which an object was made does not matter. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    each !== null && typeof each === "object" && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
