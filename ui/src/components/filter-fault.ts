import { ApiError } from "../../../src/client/index.ts";

/** Where in a filter the server found something wrong, for a line of the filter with carets under it. */
export interface FilterFault {
  /** What was expected there, in the server's words. */
  readonly message: string;
  readonly hint: string;
  readonly before: string;
  readonly at: string;
  readonly after: string;
  /** Stands under `at`: as long as it is. */
  readonly carets: string;
}

/** A long filter is shown around the place alone. */
const AROUND = 60;

/** Null for errors that point nowhere. The server counts characters from 1; a place past the end is where something is missing. */
export function filterFault(error: unknown, filter: string): FilterFault | null {
  if (!(error instanceof ApiError) || error.body.code !== "TRACKING_FILTER_INVALID") return null;
  const { column, length } = error.body.details;
  if (typeof column !== "number" || typeof length !== "number") return null;
  const characters = [...filter.replaceAll(/\s/g, " ")];
  const start = Math.min(Math.max(column - 1, 0), characters.length);
  const end = Math.min(start + Math.max(length, 1), Math.max(characters.length, start));
  const from = Math.max(0, start - AROUND);
  const to = Math.min(characters.length, end + AROUND);
  return {
    message: error.body.message,
    hint: error.body.hint,
    before: `${from > 0 ? "…" : ""}${characters.slice(from, start).join("")}`,
    at: characters.slice(start, end).join(""),
    after: `${characters.slice(end, to).join("")}${to < characters.length ? "…" : ""}`,
    carets: "^".repeat(Math.min(Math.max(1, end - start), AROUND)),
  };
}
