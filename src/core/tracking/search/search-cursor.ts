import { createHash } from "node:crypto";
import { trackingErrors } from "../errors.ts";
import type { OrderTerm } from "./parse-order.ts";

/** Where a row stands in one term of the order: `rank` 0 with a value, 1 NaN, 2 without a value. */
export interface TermPosition {
  readonly rank: 0 | 1 | 2;
  /** null unless the rank is 0. */
  readonly value: string | number | null;
}

/** Where a row stands in the whole order, one position a term. */
export type Position = readonly TermPosition[];

/** Of everything but the page's size: a cursor of another search is noticed by it. */
export const digestOf = (search: unknown): string =>
  createHash("sha256").update(JSON.stringify(search)).digest("base64url").slice(0, 16);

const MAX_CURSOR_CHARACTERS = 200_000;

export const writeSearchCursor = (digest: string, position: Position): string =>
  Buffer.from(JSON.stringify([digest, ...position.map(written)])).toString("base64url");

function written({ rank, value }: TermPosition): string | number | null | readonly [string] {
  if (rank === 2) return null;
  if (rank === 1) return ["NaN"];
  return typeof value === "number" && !Number.isFinite(value) ? [String(value)] : value;
}

/** @throws TRACKING_CURSOR_INVALID when it is none, or of another search */
export function readSearchCursor(cursor: string, digest: string, order: readonly OrderTerm[]): Position {
  const parts = cursor.length > MAX_CURSOR_CHARACTERS ? null : json(Buffer.from(cursor, "base64url").toString("utf8"));
  if (Array.isArray(parts) && parts[0] === digest && parts.length === order.length + 1) {
    const positions = order.map((term, place) => positionOf(term, parts[place + 1]));
    if (positions.every((position) => position !== null)) return positions;
  }
  throw trackingErrors.TRACKING_CURSOR_INVALID(
    "The cursor does not belong to this search",
    Array.isArray(parts) ? {} : { details: { reason: "unreadable" } },
  );
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function positionOf({ subject }: OrderTerm, part: unknown): TermPosition | null {
  const attribute = subject.of === "attribute" ? subject.attribute : null;
  if (part === null) return attribute === null || attribute.nullable ? { rank: 2, value: null } : null;
  const special = Array.isArray(part) && part.length === 1 ? part[0] : null;
  if (subject.of === "metric" && special === "NaN") return { rank: 1, value: null };
  if (subject.of === "metric" && (special === "Infinity" || special === "-Infinity")) return { rank: 0, value: Number(special) };
  if (subject.of === "metric") return typeof part === "number" ? { rank: 0, value: part } : null;
  if (attribute?.type === "number") return Number.isSafeInteger(part) ? { rank: 0, value: Number(part) } : null;
  return typeof part === "string" && !part.includes("\0") ? { rank: 0, value: part } : null;
}
