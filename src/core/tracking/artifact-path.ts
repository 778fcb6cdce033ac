import { defineErrors } from "../errors.ts";
import { trackingErrors } from "./errors.ts";

export const artifactFileErrors = defineErrors({
  TRACKING_PATH_TAKEN: { kind: "conflict", hint: "A name is a file or a folder; choose another, or delete what has it." },
  TRACKING_ARTIFACT_TOO_LARGE: { kind: "invalid", hint: "The server's operator sets how large one file may be." },
  TRACKING_UPLOAD_UNKNOWN: { kind: "not-found", hint: "Begin the upload again; parts that wait for a day are removed." },
  TRACKING_UPLOAD_INCOMPLETE: {
    kind: "invalid",
    hint: "Send every part, numbered from 1, and complete the upload with their ETags.",
  },
});

/** In bytes of UTF-8: an index entry of PostgreSQL holds little more. */
const LONGEST_PATH = 2_000;
/** What file systems that clients download to can name. */
const LONGEST_PART = 255;
const DRIVE = /^[A-Za-z]:/;
const FORBIDDEN = /[\\#\p{Cc}]|%00/u;

/**
 * The one form of a path in the tree of artifacts: percent signs decoded until nothing changes, so that no reader can find another
 * meaning in it. Escapes of control characters, and those that are no UTF-8, stay as they are: clients write names such as "dog%step%17".
 * @throws TRACKING_PATH_INVALID
 */
export function artifactFilePath(path: string): string {
  const refused = (why: string) =>
    trackingErrors.TRACKING_PATH_INVALID(`${JSON.stringify(path.slice(0, 80))} cannot be a path: ${why}`);
  if (path.length > 3 * LONGEST_PATH) throw refused("it is too long");
  let decoded = path;
  for (let next = decodedOnce(decoded); next !== decoded; next = decodedOnce(decoded)) decoded = next;
  if (FORBIDDEN.test(decoded)) throw refused('it holds a backslash, a "#" or a control character');
  if (!decoded.isWellFormed()) throw refused("it is no Unicode text");
  if (DRIVE.test(decoded)) throw refused("it begins with a drive");
  for (const part of decoded.split("/")) {
    if (part === "" || part === "." || part === "..") throw refused('it is absolute or has an empty, "." or ".." part');
    if (Buffer.byteLength(part) > LONGEST_PART) throw refused(`a part of it has more than ${LONGEST_PART} bytes`);
  }
  if (Buffer.byteLength(decoded) > LONGEST_PATH) throw refused(`it has more than ${LONGEST_PATH} bytes`);
  return decoded;
}

/** As artifactFilePath; "" is the root, and a folder may be written with a slash at its end. @throws TRACKING_PATH_INVALID */
export function artifactFolderPath(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  // "/" alone is an absolute path, not the root.
  return trimmed === "" && path === "" ? "" : artifactFilePath(trimmed);
}

const ESCAPES = /(?:%[0-9A-Fa-f]{2})+/g;

function decodedOnce(text: string): string {
  return text.replace(ESCAPES, (run) => {
    const bytes = Buffer.from(run.replaceAll("%", ""), "hex");
    let decoded = "";
    for (let at = 0; at < bytes.length; ) {
      const character = characterAt(bytes, at);
      decoded += character ?? run.slice(at * 3, at * 3 + 3);
      at += character === null ? 1 : Buffer.byteLength(character);
    }
    return decoded;
  });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** null where the bytes are no character, or a control character of ASCII. */
function characterAt(bytes: Buffer, at: number): string | null {
  const first = bytes[at] ?? 0;
  if (first < 0x20 || first === 0x7f) return null;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    return utf8.decode(bytes.subarray(at, at + length));
  } catch {
    return null;
  }
}
