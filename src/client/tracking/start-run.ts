import { currentRun } from "./current-run.ts";
import type { EndableRun } from "./run-log.ts";
import { createTracker, type StartOptions, type Tracker } from "./tracker.ts";
import { whileRunning } from "./while-running.ts";

let tracker: Tracker | null = null;
/** Of the environment (ORRERY_URL, ORRERY_PROJECT, ORRERY_TOKEN): a connection, made when it is first used. */
const defaultTracker = (): Tracker => (tracker ??= createTracker());

/** As Tracker.startRun: below the current run, wherever that one is logged to; on the environment's server where there is none. */
export function startRun<T>(options: StartOptions, body: (run: EndableRun) => Promise<T> | T): Promise<T>;
export function startRun(options?: StartOptions): Promise<EndableRun>;
export async function startRun<T>(
  options: StartOptions = {},
  body?: (run: EndableRun) => Promise<T> | T,
): Promise<T | EndableRun> {
  const above = options.parent === undefined ? currentRun() : undefined;
  const run = await (above === undefined ? defaultTracker().startRun(options) : above.startNested(options));
  return body === undefined ? run : whileRunning(run, body);
}
