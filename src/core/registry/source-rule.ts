import { registryErrors } from "./errors.ts";
import { isStorable } from "./names.ts";

const SOURCE_LENGTH = 2_048;
/** They name a file of whatever machine reads them, or a program. */
const REFUSED_SCHEMES = new Set(["file", "javascript", "vbscript", "data", "blob", "jar"]);

/**
 * Whether a client may say that a version's files lie there. Orrery itself reads "mlflow-artifacts:/" only, inside its own tree of
 * artifacts; everything else is kept for the client, which resolves it with its own rights. What names a file of a machine, or steps
 * upwards once its percent signs are decoded, is refused (docs/decisions/artifact-locations.md).
 * @throws REGISTRY_SOURCE_INVALID; `details.reason` is "local", "relative" or "malformed"
 */
export function checkSource(source: string): void {
  const refuse = (reason: "local" | "relative" | "malformed", why: string) =>
    registryErrors.REGISTRY_SOURCE_INVALID(`${JSON.stringify(source.slice(0, 200))} cannot be a version's source: it ${why}`, {
      details: { reason },
    });
  if (source === "" || source.length > SOURCE_LENGTH || !isStorable(source) || /\p{Cc}/u.test(source))
    throw refuse("malformed", `is empty, longer than ${SOURCE_LENGTH} characters or has control characters`);
  const decoded = decodeFully(source);
  if (decoded === null || /\p{Cc}/u.test(decoded)) throw refuse("relative", "hides control characters behind percent signs");
  if (decoded.split(/[/\\?#&;=]/).includes("..")) throw refuse("relative", "steps upwards");
  if (/[#\\]/.test(decoded)) throw refuse("malformed", "has a fragment or a backslash");
  // A single letter before the colon is a drive.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(source)?.[1]?.toLowerCase();
  if (scheme !== undefined) {
    if (REFUSED_SCHEMES.has(scheme)) throw refuse("local", `names a local file (${scheme}:)`);
    return;
  }
  if (/^[/~]|[:%]/.test(source)) throw refuse("local", "names a local file");
}

/** Percent signs are decoded until nothing changes; null where they hide no text. */
function decodeFully(text: string): string | null {
  let current = text;
  for (;;) {
    let next: string;
    try {
      next = decodeURIComponent(current);
    } catch {
      // A percent sign of its own: what can be decoded is, so that nothing hides beside it.
      next = current.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    }
    if (next === current) return current.isWellFormed() ? current : null;
    current = next;
  }
}
