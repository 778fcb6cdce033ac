import { trackingErrors } from "./errors.ts";
import { TRACKING_LIMITS } from "./limits.ts";

const OWN_SCHEME = "mlflow-artifacts";

/**
 * Stores that clients reach with credentials of their own; this server records such a URI and never follows it. What is not here is
 * refused: local paths (they would be this machine's or another client's), and http, ftp and their like, by which one client could
 * have another ask any address.
 */
const CLIENT_SCHEMES = new Set([
  "s3",
  "r2",
  "b2",
  "oss",
  "gs",
  "wasb",
  "wasbs",
  "abfs",
  "abfss",
  "adl",
  "hdfs",
  "viewfs",
  "dbfs",
]);

/**
 * Where an experiment's artifacts may lie (docs/decisions/artifact-locations.md), without a slash at the end.
 * @throws TRACKING_LOCATION_INVALID
 */
export function checkArtifactLocation(location: string): string {
  const refused = (why: string) =>
    trackingErrors.TRACKING_LOCATION_INVALID(`"${location.slice(0, 80)}" cannot be an artifact location: ${why}`);
  if (location.length > TRACKING_LIMITS.location) throw refused(`it has more than ${TRACKING_LIMITS.location} characters`);
  const decoded = decodedWhole(location);
  if (decoded === null) throw refused("its percent signs do not decode");
  // In either form: what a client decodes must not be another place than the one that was checked.
  for (const text of [location, decoded]) {
    if (FORBIDDEN.test(text))
      throw refused("it holds a query, a fragment, a parameter, a backslash, white space or a control character");
  }
  const [, scheme, slashes = "", rest = ""] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(\/*)(.*)$/.exec(decoded) ?? [];
  if (scheme === undefined) throw refused("it has no scheme");
  const parts = rest.replace(/\/+$/, "").split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) throw refused('it has an empty, "." or ".." part');
  if (scheme === OWN_SCHEME) {
    if (slashes !== "/") throw refused(`this server's own are written ${OWN_SCHEME}:/<path>, without a host`);
  } else {
    if (!CLIENT_SCHEMES.has(scheme))
      throw refused(`its scheme ${scheme} is none of ${OWN_SCHEME}, ${[...CLIENT_SCHEMES].join(", ")}`);
    if (slashes !== "//" && !(scheme === "dbfs" && slashes === "/")) throw refused(`write ${scheme}://…`);
    if (/:/.test(parts[0] ?? "")) throw refused("it holds a password or a port");
  }
  return location.replace(/\/+$/, "");
}

const FORBIDDEN = /[?#;\\\s\p{Cc}]/u;

/** Decoded until nothing changes; null where it cannot be. */
function decodedWhole(text: string): string | null {
  let last = text;
  try {
    // Each round shortens it, so this ends.
    for (let next = decodeURIComponent(last); next !== last; next = decodeURIComponent(last)) last = next;
  } catch {
    return null;
  }
  return last;
}

export const experimentLocation = (experimentId: string): string => `${OWN_SCHEME}:/${experimentId}`;
export const runArtifactUri = (location: string, runId: string): string => `${location}/${runId}/artifacts`;
export const modelArtifactUri = (location: string, modelId: string): string => `${location}/models/${modelId}/artifacts`;

/** The path in the project's tree of artifacts, null where the URI is of another store. */
export function artifactPath(uri: string): string | null {
  return uri.startsWith(`${OWN_SCHEME}:/`) ? uri.slice(OWN_SCHEME.length + 2) : null;
}
