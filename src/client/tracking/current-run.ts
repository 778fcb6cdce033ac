import { AsyncLocalStorage } from "node:async_hooks";
import { trackerErrors } from "./errors.ts";
import type { RunLog } from "./run-log.ts";

/** Each asynchronous call tree has its own: nobody sets it for anybody else. */
const runs = new AsyncLocalStorage<RunLog>();

/** The innermost run that this code is called in. */
export const currentRun = (): RunLog | undefined => runs.getStore();

/** Calls `body` within a run: whatever it calls, now or later, finds the run by currentRun(). */
export const withRun = <T>(run: RunLog, body: () => T): T => runs.run(run, body);

/** @throws TRACKER_NO_RUN */
export function theRun(): RunLog {
  const run = currentRun();
  if (run === undefined) throw trackerErrors.TRACKER_NO_RUN("Nothing can be logged here: this code runs within no run");
  return run;
}
