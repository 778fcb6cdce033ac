import type { ColumnType } from "../../core/definitions/index.ts";
import type { ExactValue } from "../../core/features/index.ts";
import { formatTimestamp } from "../../core/time.ts";

/**
 * Values as JSON that keeps their types for who infers them from the text, as Python does: a float has a point or an exponent, an
 * integer all of its digits.
 */
export type WriteValue = (value: ExactValue) => string;

/** Infinite numbers are written as protobuf's JSON has them. */
function float(value: ExactValue): string {
  if (typeof value !== "number") return "null";
  // Most are neither whole nor infinite. Rounding is far faster than a remainder.
  if (Math.floor(value) !== value) return Number.isNaN(value) ? "null" : `${value}`;
  if (!Number.isFinite(value)) return `"${value}"`;
  if (Object.is(value, -0)) return "-0.0";
  // From 1e21 on the text has an exponent.
  return Math.abs(value) < 1e21 ? `${value}.0` : `${value}`;
}

const text: WriteValue = (value) => (value === null ? "null" : JSON.stringify(String(value)));
const plain: WriteValue = (value) => String(value);

const WRITERS: Readonly<Record<Exclude<ColumnType, "timestamp">, WriteValue>> = {
  float64: float,
  int32: plain,
  int64: plain,
  bool: plain,
  string: text,
};

/** Timestamps are ISO 8601. */
export const writeValueOf = (type: ColumnType): WriteValue =>
  type === "timestamp" ? (value) => (typeof value === "number" ? `"${formatTimestamp(value)}"` : "null") : WRITERS[type];

/** Whether JSON itself writes the value as `float` does. */
const isPlain = (value: ExactValue) => typeof value !== "number" || Math.floor(value) !== value;

/** Values with commas between them, as Feast's have them. */
export function writeFeastColumn(type: ColumnType, values: readonly ExactValue[]): string {
  // All at once, doubles are printed in half of the time.
  if (type === "float64" && values.every(isPlain)) return JSON.stringify(values).slice(1, -1);
  return values.map(writeFeastValueOf(type)).join(",");
}

/** Timestamps are whole seconds since 1970, as Feast's values have them. */
export const writeFeastValueOf = (type: ColumnType): WriteValue =>
  type === "timestamp" ? (value) => (typeof value === "number" ? `${Math.floor(value / 1e6)}` : "null") : WRITERS[type];
