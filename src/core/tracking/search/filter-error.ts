import type { OrreryError } from "../../errors.ts";
import { trackingErrors } from "../errors.ts";

/** From start up to, not including, end; in UTF-16 code units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * What is wrong: the grammar; what stands before a dot (room) or names an attribute; an operator for this identifier; a value for it, a
 * text without quotes, or something in a list.
 */
export type Objection = "syntax" | "room" | "attribute" | "operator" | "value" | "unquoted" | "list";

export type Refuse = (source: string, span: Span, objection: Objection, what: string) => OrreryError;

/** TRACKING_FILTER_INVALID that points at the column, which counts characters from 1; `found` is what stands there. */
export function refuse(source: string, { start, end }: Span, objection: Objection, what: string): OrreryError {
  const { column, length } = placeOf(source, start, end);
  const found = excerpt(source.slice(start, end));
  return trackingErrors.TRACKING_FILTER_INVALID(`column ${column}: ${what}`, { details: { column, length, objection, found } });
}

/** TRACKING_ORDER_INVALID that says which of the order's terms and where in it. */
export function refuseOrder(source: string, { start, end }: Span, objection: Objection | "duplicate", what: string): OrreryError {
  const { column, length } = placeOf(source, start, end);
  return trackingErrors.TRACKING_ORDER_INVALID(`order "${excerpt(source)}", column ${column}: ${what}`, {
    details: { order: excerpt(source), column, length, objection },
  });
}

function placeOf(source: string, start: number, end: number) {
  return { column: [...source.slice(0, start)].length + 1, length: Math.max(1, [...source.slice(start, end)].length) };
}

const excerpt = (source: string): string => (source.length > 200 ? `${source.slice(0, 200)}…` : source);
