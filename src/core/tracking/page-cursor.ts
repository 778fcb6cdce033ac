import { trackingErrors } from "./errors.ts";

/** Where a page ended: the last row's place in the order. `at` is null where the rows without a value have begun. */
export interface PagePosition {
  readonly order: string;
  readonly at: number | null;
  readonly id: string;
}

/** Opaque to callers, so that the order behind it can change. */
export const writeCursor = ({ order, at, id }: PagePosition): string =>
  Buffer.from(JSON.stringify([order, at, id])).toString("base64url");

/** @throws TRACKING_CURSOR_INVALID when it is none, or of another order */
export function readCursor(cursor: string, order: string): PagePosition {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    parts = null;
  }
  if (Array.isArray(parts) && parts.length === 3) {
    const [writtenOrder, at, id]: unknown[] = parts;
    if (writtenOrder === order && (typeof at === "number" || at === null) && typeof id === "string") return { order, at, id };
  }
  throw trackingErrors.TRACKING_CURSOR_INVALID("The cursor does not belong to this list");
}
