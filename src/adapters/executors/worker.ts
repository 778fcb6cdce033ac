// Body of a worker process. Runs one task at a time, told by messages of the parent; ends when the parent is gone.
import { Worker } from "node:worker_threads";
import { toOrreryError } from "../../core/errors.ts";
import { executorErrors } from "./errors.ts";
import type { Command, Report, StepFunction } from "./worker-protocol.ts";

// A step that computes for minutes never comes round to `disconnect`; this thread notices within a quarter of a second that the
// process has another parent (or none), also when the parent was killed.
const watcher = new Worker(
  `const clock = new Int32Array(new SharedArrayBuffer(4));
   for (;;) {
     Atomics.wait(clock, 0, 0, 250);
     if (process.ppid !== require("node:worker_threads").workerData) process.kill(process.pid, "SIGKILL");
   }`,
  { eval: true, workerData: Number(process.argv[2]), execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 16 } },
);
watcher.unref();
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

const send = (report: Report) => process.send?.(report);
let cancel: AbortController | null = null;

process.on("message", (command: Command) => {
  if (command.kind === "cancel") {
    cancel?.abort();
    return;
  }
  void run(command);
});

async function run({ task }: Extract<Command, { kind: "run" }>): Promise<void> {
  const own = new AbortController();
  cancel = own;
  try {
    const step = await load(task.module);
    const result = await step(task.input, {
      taskId: task.id,
      context: task.context,
      progress: (progress) => {
        send({ kind: "progress", progress: progress ?? null });
      },
      signal: own.signal,
    });
    send({ kind: "result", result: result ?? null });
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? null) : null;
    send({ kind: "error", error: toOrreryError(error).toJSON(), stack });
  }
}

async function load(url: string): Promise<StepFunction> {
  let loaded: { default?: unknown };
  try {
    loaded = await import(url);
  } catch (cause) {
    throw executorErrors.EXECUTOR_MODULE_INVALID(`${url} cannot be loaded: ${toOrreryError(cause).message}`, { cause });
  }
  if (typeof loaded.default !== "function")
    throw executorErrors.EXECUTOR_MODULE_INVALID(`${url} has no function as its default export`);
  // What the function takes is agreed between the plan and the module.
  return loaded.default as StepFunction;
}
