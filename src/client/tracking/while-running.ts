import { withRun } from "./current-run.ts";
import type { EndableRun } from "./run-log.ts";

/** Calls `body` within a run and ends the run with it. @throws what the body throws, TRACKER_ENTRIES_REFUSED */
export async function whileRunning<Run extends EndableRun, T>(run: Run, body: (run: Run) => Promise<T> | T): Promise<T> {
  let result: T;
  try {
    result = await withRun(run, async () => body(run));
  } catch (error) {
    // The body's error is the one that counts.
    await run.end("failed").catch(() => undefined);
    throw error;
  }
  try {
    await run.end();
  } catch (error) {
    // What waits for the server is kept; a result that took hours must not be lost to that.
    if (!(error instanceof Error && "code" in error && error.code === "TRACKER_UNREACHABLE")) throw error;
  }
  return result;
}
