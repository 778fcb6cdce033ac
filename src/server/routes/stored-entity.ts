import type { z } from "zod";

/** No report that a pipeline writes is larger; a client's file of its name may be. */
export const MOST_REPORT_BYTES = 32 * 1024 * 1024;

/**
 * What a pipeline stored, as the contract has it; null where it is not that: any client may log a file under a report's name, with other things in
 * it.
 */
export function storedEntity<Schema extends z.ZodType>(schema: Schema, make: () => unknown): z.output<Schema> | null {
  let made: unknown;
  try {
    made = make();
  } catch {
    return null;
  }
  const parsed = schema.safeParse(made);
  return parsed.success ? parsed.data : null;
}
