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

/**
 * What a search asks for, but for the page's size, in parts. A cursor holds a digest of each, in this order: one of another search is noticed, and
 * which part is another can be said.
 */
export interface Asked {
  /** The kind of rows, the project and the view. */
  readonly scope: unknown;
  readonly experiments?: unknown;
  readonly order: unknown;
  readonly filter: unknown;
}

const PARTS = ["scope", "experiments", "order", "filter"] as const satisfies readonly (keyof Asked)[];

const DIFFERENCES = {
  scope: "The cursor does not belong to this search",
  experiments: "The cursor belongs to a search in other experiments",
  order: "The cursor belongs to a search in another order",
  filter: "The cursor belongs to a search with another filter",
} satisfies Record<keyof Asked, string>;

/** Digests of the parts; short, as they tell searches apart and protect nothing. */
export type Digests = readonly string[];

export const digestsOf = (asked: Asked): Digests =>
  PARTS.map((part) =>
    createHash("sha256")
      .update(JSON.stringify(asked[part] ?? null))
      .digest("base64url")
      .slice(0, 12),
  );

const MAX_CURSOR_CHARACTERS = 200_000;

export const writeSearchCursor = (digests: Digests, position: Position): string =>
  Buffer.from(JSON.stringify([digests, ...position.map(written)])).toString("base64url");

function written({ rank, value }: TermPosition): string | number | null | readonly [string] {
  if (rank === 2) return null;
  if (rank === 1) return ["NaN"];
  return typeof value === "number" && !Number.isFinite(value) ? [String(value)] : value;
}

/** @throws TRACKING_CURSOR_INVALID when it is none, or of another search: `details.reason` is "unreadable", or the part that is another */
export function readSearchCursor(cursor: string, digests: Digests, order: readonly OrderTerm[]): Position {
  const parts = cursor.length > MAX_CURSOR_CHARACTERS ? null : json(Buffer.from(cursor, "base64url").toString("utf8"));
  if (!Array.isArray(parts)) throw invalid("scope", "unreadable");
  const [given, ...terms]: readonly unknown[] = parts;
  const other = PARTS.find((_, place) => !Array.isArray(given) || given[place] !== digests[place]);
  if (other !== undefined) throw invalid(other);
  const positions = order.map((term, place) => positionOf(term, terms[place]));
  if (terms.length === order.length && positions.every((position) => position !== null)) return positions;
  throw invalid("scope", "unreadable");
}

const invalid = (part: (typeof PARTS)[number], reason: string = part) =>
  trackingErrors.TRACKING_CURSOR_INVALID(DIFFERENCES[part], { details: { reason } });

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
