import { availableParallelism, freemem, totalmem } from "node:os";
import { Worker } from "node:worker_threads";
import { eventLoopDelay, watchEventLoop } from "./event-loop-delay.ts";
import type { GpuFigures, MachineFigures } from "./machine-figures.ts";

export interface SystemSnapshot {
  /** `load`: busy share of all processors between the last two looks, 0…1. */
  readonly cpu: { readonly cores: number; readonly load: number | null };
  readonly memory: { readonly totalBytes: number; readonly usedBytes: number; readonly processBytes: number };
  readonly disk: {
    readonly totalBytes: number;
    readonly freeBytes: number;
    readonly readBytesPerSecond: number | null;
    readonly writeBytesPerSecond: number | null;
  } | null;
  readonly network: { readonly receivedBytesPerSecond: number; readonly sentBytesPerSecond: number } | null;
  /** `null`: this machine has none, or its driver does not tell; never a made-up 0. */
  readonly gpu: readonly GpuFigures[] | null;
  readonly eventLoopLagP99Ms: number | null;
}

let latest: MachineFigures | null = null;
let before: MachineFigures | null = null;

/** The machine's last own figures, for counters. */
export const machineFigures = (): MachineFigures | null => latest;

/** The figures of the last look at the machine, at most ten seconds old; taking them costs nothing. */
export const systemSnapshot = (): SystemSnapshot => snapshotOf(latest, before);

/** What two looks at the machine say together. */
export function snapshotOf(now: MachineFigures | null, earlier: MachineFigures | null): SystemSnapshot {
  const seconds = now === null || earlier === null ? 0 : (now.takenAt - earlier.takenAt) / 1_000;
  const rate = (read: (figures: MachineFigures) => number | undefined) => {
    const end = now === null ? undefined : read(now);
    const begin = earlier === null ? undefined : read(earlier);
    // A counter that went back was reset: no rate until the next look.
    return end === undefined || begin === undefined || seconds <= 0 || end < begin ? null : (end - begin) / seconds;
  };
  const busy = rate(({ cpuMs }) => cpuMs?.busy);
  const total = rate(({ cpuMs }) => cpuMs?.total);
  const received = rate(({ networkBytes }) => networkBytes?.received);
  const sent = rate(({ networkBytes }) => networkBytes?.sent);
  const space = now?.space ?? null;
  return {
    cpu: { cores: availableParallelism(), load: busy === null || !total ? null : Math.min(1, busy / total) },
    memory: { totalBytes: totalmem(), usedBytes: totalmem() - freemem(), processBytes: process.memoryUsage.rss() },
    disk:
      space === null
        ? null
        : {
            ...space,
            readBytesPerSecond: rate(({ diskBytes }) => diskBytes?.read),
            writeBytesPerSecond: rate(({ diskBytes }) => diskBytes?.written),
          },
    network: received === null || sent === null ? null : { receivedBytesPerSecond: received, sentBytesPerSecond: sent },
    gpu: now?.gpu ?? null,
    eventLoopLagP99Ms: eventLoopDelay()?.p99Ms ?? null,
  };
}

/** A process that just starts has better things to do. */
const FIRST_LOOK_MS = 1_000;

/** Looks at the machine soon, a second later and then every ten seconds, in a thread of its own. Returns how to stop. */
export function watchSystem(directory: string): () => void {
  watchEventLoop();
  let thread: Worker | null = null;
  const start = setTimeout(() => {
    thread = new Worker(new URL("./machine-thread.ts", import.meta.url), { workerData: { directory } });
    thread.unref();
    thread.on("message", (figures: MachineFigures) => {
      before = latest;
      latest = figures;
    });
    // Nothing depends on it: where the thread fails, figures are not available.
    thread.on("error", () => undefined);
  }, FIRST_LOOK_MS).unref();
  return () => {
    clearTimeout(start);
    void thread?.terminate();
  };
}
