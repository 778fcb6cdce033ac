import { ApiError } from "../client/index.ts";

/**
 * The filter with a mark under what is wrong with it; null for other errors. `before` counts the characters that the command itself put
 * in front of what was typed.
 */
export function pointAtFilter(error: unknown, filter: string, before = 0): string | null {
  if (!(error instanceof ApiError) || error.body.code !== "TRACKING_FILTER_INVALID") return null;
  const { column, length } = error.body.details;
  if (typeof column !== "number" || typeof length !== "number") return null;
  // One line, so that the mark stands below: a tab is as wide as any other character then.
  const line = filter.replace(/\s/g, " ");
  return `  ${line}\n  ${" ".repeat(Math.max(0, column - before - 1))}${"^".repeat(Math.max(1, length))}`;
}

/** Shows a wrong filter before its error is reported. */
export async function pointingAt<T>(filter: string | undefined, before: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const marked = filter === undefined ? null : pointAtFilter(error, filter, before);
    if (marked !== null) console.error(marked);
    throw error;
  }
}
