import type { ActiveRun } from "./active-run.ts";
import type { RunDelivery } from "./run-delivery.ts";

interface Unfinished {
  readonly run: ActiveRun;
  readonly delivery: RunDelivery;
  /** How long the process's end may wait for the server. */
  readonly waitMs: number;
}

/** Of this process: what would be lost if it ended now. Not what runs where, which is currentRun()'s to say. */
const unfinished = new Map<string, Unfinished>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let stopping = false;

/** Until the run is forgotten, an end of the process sends what it logged, or keeps it on disk. */
export function remember(each: Unfinished): void {
  if (unfinished.size === 0) listen();
  unfinished.set(each.run.id, each);
}

export function forget(run: ActiveRun): void {
  unfinished.delete(run.id);
  if (unfinished.size === 0 && !stopping) unlisten();
}

function listen(): void {
  process.on("beforeExit", onIdle);
  process.on("exit", onExit);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function unlisten(): void {
  process.off("beforeExit", onIdle);
  process.off("exit", onExit);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

/** Nothing is left to do: runs that nobody ended have finished. */
function onIdle(): void {
  void deliver(process.exitCode === undefined || process.exitCode === 0 ? "finished" : "failed");
}

/** Also after process.exit() and an error that nobody caught: nothing can be waited for any more. */
function onExit(code: number): void {
  for (const { run, delivery } of unfinished.values()) {
    run.mark(code === 0 ? "finished" : "failed");
    delivery.spoolRest();
  }
}

function onSignal(signal: NodeJS.Signals): void {
  const alone = process.listenerCount(signal) === 1;
  const end = () => {
    // Whoever else listens decides whether the process ends; where nobody does, the signal does what it would have done.
    if (!alone) return;
    unlisten();
    process.kill(process.pid, signal);
  };
  if (stopping) {
    for (const { delivery } of unfinished.values()) delivery.spoolRest();
    end();
    return;
  }
  stopping = true;
  void deliver("killed").finally(() => {
    stopping = false;
    end();
  });
}

async function deliver(status: "finished" | "failed" | "killed"): Promise<void> {
  await Promise.all(
    [...unfinished.values()].map(async ({ run, delivery, waitMs }) => {
      run.mark(status);
      // What was refused has been told as a warning; what cannot be sent is kept.
      await delivery.flush(waitMs).catch(() => undefined);
      if (delivery.isEmpty) delivery.close();
      else delivery.spoolRest();
      forget(run);
    }),
  );
}
