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
  // Most are neither whole nor infinite.
  if (value % 1 !== 0) return Number.isFinite(value) ? `${value}` : infinite(value);
  if (Object.is(value, -0)) return "-0.0";
  // From 1e21 on the text has an exponent.
  return Math.abs(value) < 1e21 ? `${value}.0` : `${value}`;
}

const infinite = (value: number) => (Number.isNaN(value) ? "null" : `"${value}"`);

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

/** Timestamps are whole seconds since 1970, as Feast's values have them. */
export const writeFeastValueOf = (type: ColumnType): WriteValue =>
  type === "timestamp" ? (value) => (typeof value === "number" ? `${Math.floor(value / 1e6)}` : "null") : WRITERS[type];
