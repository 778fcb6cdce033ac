import { monitorEventLoopDelay } from "node:perf_hooks";

type IntervalHistogram = ReturnType<typeof monitorEventLoopDelay>;

export interface EventLoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const RESOLUTION_MS = 10;
const WINDOW_MS = 10_000;

let histogram: IntervalHistogram | null = null;
let lastWindow: EventLoopDelay | null = null;

/** How late this process's timers have been: over the last whole ten seconds, or since the start in the first ones. */
export function eventLoopDelay(): EventLoopDelay | null {
  if (lastWindow !== null) return lastWindow;
  return histogram === null || histogram.count === 0 ? null : figuresOf(histogram);
}

/** Begins to measure; once a process. */
export function watchEventLoop(): void {
  if (histogram !== null) return;
  const measured = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  measured.enable();
  histogram = measured;
  setInterval(() => {
    lastWindow = measured.count === 0 ? null : figuresOf(measured);
    measured.reset();
  }, WINDOW_MS).unref();
}

function figuresOf(measured: IntervalHistogram): EventLoopDelay {
  // Node records the whole time from one tick of its timer to the next: the timer's own period is no delay.
  const delay = (nanos: number) => Math.max(0, nanos / 1e6 - RESOLUTION_MS);
  return { p50Ms: delay(measured.percentile(50)), p99Ms: delay(measured.percentile(99)), maxMs: delay(measured.max) };
}
