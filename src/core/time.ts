import { defineErrors } from "./errors.ts";

/** Microseconds since 1970-01-01T00:00:00Z. A safe integer in a JavaScript number until the year 2255. */
export type Micros = number;

/** "30d", "2h", "15m", "20s", "500ms": a length of time as people write it. */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d" | "w"}`;

export const SECOND: Micros = 1_000_000;
export const MINUTE: Micros = 60 * SECOND;
export const HOUR: Micros = 60 * MINUTE;
export const DAY: Micros = 24 * HOUR;

const UNITS: Record<string, Micros> = { ms: 1_000, s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY };

export const timeErrors = defineErrors({
  TIME_DURATION_INVALID: { kind: "invalid", hint: 'Write a number and a unit: "500ms", "20s", "15m", "2h", "30d", "4w".' },
  TIME_TIMESTAMP_INVALID: {
    kind: "invalid",
    hint: "Write an ISO 8601 timestamp with a zone, such as 2013-11-01T12:00:00Z.",
  },
});

/** @throws TIME_DURATION_INVALID */
export function durationToMicros(duration: Duration | Micros): Micros {
  if (typeof duration === "number") return duration;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(duration);
  const unit = match?.[2] === undefined ? undefined : UNITS[match[2]];
  if (match?.[1] === undefined || unit === undefined) {
    throw timeErrors.TIME_DURATION_INVALID(`"${duration}" is not a duration`);
  }
  return Math.round(Number(match[1]) * unit);
}

/**
 * ISO 8601 to microseconds; a timestamp without a zone is read as UTC. Digits past the microsecond are cut.
 * @throws TIME_TIMESTAMP_INVALID
 */
export function parseTimestamp(text: string): Micros {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text.trim());
  const [, date, time = "00:00:00", fraction = "", zone = "Z"] = match ?? [];
  const millis = date === undefined ? Number.NaN : Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}${zone}`);
  if (Number.isNaN(millis)) throw timeErrors.TIME_TIMESTAMP_INVALID(`"${text}" is not a timestamp`);
  return millis * 1_000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** Microseconds to ISO 8601 in UTC; microseconds are printed only when there are some. */
export function formatTimestamp(at: Micros): string {
  const micros = ((at % SECOND) + SECOND) % SECOND;
  const seconds = new Date((at - micros) / 1_000).toISOString().slice(0, 19);
  if (micros === 0) return `${seconds}Z`;
  const digits = String(micros).padStart(6, "0");
  return `${seconds}.${digits.endsWith("000") ? digits.slice(0, 3) : digits}Z`;
}

export const toDate = (at: Micros): Date => new Date(at / 1_000);
export const fromDate = (date: Date): Micros => date.getTime() * 1_000;
/** Whole days since 1970-01-01 UTC: the unit by which intervals are resampled. */
export const dayOf = (at: Micros): number => Math.floor(at / DAY);
