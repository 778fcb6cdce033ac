import { createHash } from "node:crypto";
import { trackingErrors } from "./errors.ts";

/** Where a page of a list ended. Opaque to callers, so that the order behind it can change. */
export const writeCursor = (list: string, position: readonly (string | number | null)[]): string =>
  Buffer.from(JSON.stringify([digest(list), ...position])).toString("base64url");

/** What writeCursor was given. @throws TRACKING_CURSOR_INVALID when it is none, or of another list */
export function readCursor(cursor: string, list: string): unknown[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    parts = null;
  }
  if (Array.isArray(parts) && parts[0] === digest(list)) return parts.slice(1);
  throw trackingErrors.TRACKING_CURSOR_INVALID("The cursor does not belong to this list");
}

const digest = (text: string) => createHash("sha256").update(text).digest("base64url").slice(0, 12);
