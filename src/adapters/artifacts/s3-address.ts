import { artifactErrors } from "./errors.ts";

export interface S3Address {
  readonly bucket: string;
  /** "" or with a slash at its end. */
  readonly prefix: string;
  /** null for Amazon's own of the region. */
  readonly endpoint: string | null;
  readonly region: string;
  /** The bucket in the path instead of the host name: what most other implementations want. */
  readonly forcePathStyle: boolean;
}

const BUCKET = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i;
const SETTINGS = new Set(["endpoint", "region", "forcePathStyle"]);

/**
 * `s3://bucket/prefix?endpoint=https://host:port&region=eu-west-1&forcePathStyle=1`; all but the bucket may be left out. With an endpoint of
 * one's own, the bucket goes in the path unless forcePathStyle says otherwise.
 * @throws ARTIFACT_STORE_SETTING_INVALID, also for credentials in it: they come from the environment
 */
export function parseS3Address(url: string): S3Address {
  const refused = (why: string) =>
    artifactErrors.ARTIFACT_STORE_SETTING_INVALID(`The address of the artifact store cannot be used: ${why}`);
  if (!URL.canParse(url)) throw refused("it is no URL");
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(url);
  if (protocol !== "s3:") throw refused(`it begins with ${protocol} instead of s3:`);
  if (username !== "" || password !== "") throw refused("credentials do not belong in it");
  if (!BUCKET.test(hostname) || port !== "") throw refused("it names no bucket");
  for (const name of searchParams.keys()) if (!SETTINGS.has(name)) throw refused(`there is no setting ${name}`);
  const endpoint = searchParams.get("endpoint");
  if (endpoint !== null && !/^https?:\/\/[^/?#@]+\/?$/.test(endpoint))
    throw refused("its endpoint is not http(s)://host or host:port");
  const path = decodeURIComponent(pathname).replace(/^\/+|\/+$/g, "");
  if (path.split("/").some((part) => part === "." || part === "..")) throw refused('its prefix has a "." or ".." part');
  const pathStyle = searchParams.get("forcePathStyle");
  if (pathStyle !== null && !/^(0|1|true|false)$/.test(pathStyle)) throw refused("forcePathStyle is 1 or 0");
  return {
    bucket: hostname,
    prefix: path === "" ? "" : `${path}/`,
    endpoint: endpoint?.replace(/\/$/, "") ?? null,
    region: searchParams.get("region") ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? "us-east-1",
    forcePathStyle: pathStyle === null ? endpoint !== null : pathStyle === "1" || pathStyle === "true",
  };
}
