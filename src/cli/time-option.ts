import { type Duration, durationToMicros, formatTimestamp, fromDate, parseTimestamp } from "../core/time.ts";

const isDuration = (text: string): text is Duration => /^\d+(\.\d+)?[a-z]+$/.test(text);
const moved = (text: string, sign: 1 | -1): string =>
  formatTimestamp(isDuration(text) ? fromDate(new Date()) + sign * durationToMicros(text) : parseTimestamp(text));

/** "30d" is thirty days ago. @returns ISO 8601 @throws TIME_DURATION_INVALID, TIME_TIMESTAMP_INVALID */
export const timeAgo = (text: string): string => moved(text, -1);

/** "30d" is in thirty days. @returns ISO 8601 @throws TIME_DURATION_INVALID, TIME_TIMESTAMP_INVALID */
export const timeAhead = (text: string): string => moved(text, 1);
