import { TRACKING_LIMITS } from "../core/tracking/index.ts";

/**
 * The nearest key that tracking takes: what it does not take becomes "_". For names that other programs chose, since a training shall not
 * fail at its end over the name of a metric.
 */
export function loggableKey(name: string): string {
  const parts = name
    .replace(/[^/\p{L}\p{N}_.\- :]/gu, "_")
    .split("/")
    .filter((part) => part !== "" && part !== "." && part !== "..");
  const key = parts.join("/").replace(/^\.\./, "__");
  return key === ""
    ? "_"
    : key
        .slice(0, TRACKING_LIMITS.key)
        .toWellFormed()
        .replace(/[^/\p{L}\p{N}_.\- :]$|\/$/u, "_");
}

/** Params as tracking takes them; a value that is too long ends with "…". */
export const loggableParams = (
  params: Readonly<Record<string, string | number | boolean | null>>,
): Record<string, string | number | boolean | null> =>
  Object.fromEntries(
    Object.entries(params).map(([key, value]) => [
      loggableKey(key),
      typeof value === "string" ? cut(value.replaceAll("\0", "�"), TRACKING_LIMITS.paramValue) : value,
    ]),
  );

/** One line, as the name of a run has to be; "" where nothing is left, for which a run gets a name of its own. */
export const loggableName = (name: string): string =>
  cut(name.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim(), TRACKING_LIMITS.runName);

const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text);
