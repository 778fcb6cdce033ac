import { trackingErrors } from "./errors.ts";

/** What one call and one value may hold: the limits that tracking clients know. Lengths are in UTF-16 units. */
export const TRACKING_LIMITS = {
  batchMetrics: 1_000,
  batchParams: 100,
  batchTags: 100,
  batchEntries: 1_000,
  key: 250,
  paramValue: 6_000,
  tagValue: 8_000,
  experimentName: 500,
  experimentTagValue: 20_000,
  runName: 250,
  datasetName: 500,
  datasetDigest: 36,
  datasetSource: 65_535,
  datasetSchema: 1_048_575,
  datasetProfile: 16_777_215,
  inputTagKey: 255,
  inputTagValue: 500,
  location: 2_048,
  historyPage: 25_000,
} as const;

/** Letters and digits of any script: what the clients' own check lets through. */
const KEY = /^[/\p{L}\p{N}_.\- :]+$/u;

/**
 * A key of a metric, param or tag.
 * @throws TRACKING_NAME_INVALID, also for one that would be another when read as a path ("a/../b")
 */
export function checkKey(key: string): string {
  if (key.length > TRACKING_LIMITS.key) throw tooLong("A key", key, TRACKING_LIMITS.key);
  if (!KEY.test(key) || key.startsWith("..") || key.split("/").some((part) => part === "" || part === "." || part === ".."))
    throw trackingErrors.TRACKING_NAME_INVALID(`"${shortened(key)}" cannot be a key`);
  return key;
}

/** A name that people read on one line. @throws TRACKING_NAME_INVALID */
export function checkName(name: string, most: number): string {
  if (name.trim().length === 0 || name.length > most || UNPRINTABLE.test(name))
    throw trackingErrors.TRACKING_NAME_INVALID(`A name of ${name.length} characters cannot be used: "${shortened(name)}"`);
  return name;
}

/** @throws TRACKING_VALUE_TOO_LONG, TRACKING_VALUE_INVALID */
export function checkText(what: string, text: string, most: number): string {
  if (text.length > most)
    throw trackingErrors.TRACKING_VALUE_TOO_LONG(`${what} has ${text.length} characters, ${most} are the limit`);
  // PostgreSQL cannot store it, and the databases shall not differ.
  if (text.includes("\0")) throw trackingErrors.TRACKING_VALUE_INVALID(`${what} holds a NUL character`);
  return text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u001f\u007f\u2028\u2029]/;

const tooLong = (what: string, text: string, most: number) =>
  trackingErrors.TRACKING_NAME_INVALID(
    `${what} of ${text.length} characters is too long, ${most} are the limit: "${shortened(text)}"`,
  );

const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
