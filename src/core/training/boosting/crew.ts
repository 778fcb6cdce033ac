import { Worker } from "node:worker_threads";
import type { KernelMemory } from "../kernels/kernel-memory.ts";
import { startBoostingKernel } from "./boosting-kernel.ts";
import { createObjective, type ObjectiveChoice } from "./objective.ts";
import { createTasks, TASK_NAMES, type Task, type TaskName } from "./tasks.ts";
import { viewWorkspace, type Workspace, type WorkspaceViews } from "./workspace.ts";

/** Looks so often whether the other side is done before it sleeps: a sleep and a wake take longer than most waits. */
const SPINS = 3_000;
/** Places in the signals; thread t has two from THREADS + 2 * (t - 1) on. */
const TURN = 0;
const TASK = 1;
const THREADS = 2;
const READY = 0;
const DONE = 1;
const FAILED = -1;

/** From what each thread makes its own view of the training. */
export interface CrewStart {
  readonly memory: KernelMemory;
  /** Null: plain TypeScript. */
  readonly module: WebAssembly.Module | null;
  readonly workspace: Workspace;
  readonly objective: ObjectiveChoice;
}

export interface CrewMember extends CrewStart {
  /** From 1 on: thread 0 is the one that hires. */
  readonly thread: number;
}

/** Threads that share the work; this one does a share itself. */
export interface Crew {
  /** Does a task that goes over `rows` rows; answers in how many parts it was done. */
  run(task: TaskName, rows: number, ...args: readonly number[]): number;
  dismiss(): void;
}

/** Below so many rows, telling others takes longer than the work. */
const WORTH_SHARING = 8_192;

/**
 * Starts `workspace.threads` - 1 threads. They help from the moment that they are ready: until then, and should one not start, this
 * thread does all.
 */
export function hireCrew(start: CrewStart, views: WorkspaceViews, tasks: Readonly<Record<TaskName, Task>>): Crew {
  const { signals } = views;
  const workers = Array.from({ length: start.workspace.threads - 1 }, (_, i) => {
    const workerData: CrewMember = { ...start, thread: i + 1 };
    const worker = new Worker(new URL("./crew-member.ts", import.meta.url), { workerData });
    worker.unref();
    return worker;
  });
  const place = (thread: number, what: number) => THREADS + 2 * (thread - 1) + what;
  const ready = () => workers.every((_, i) => Atomics.load(signals, place(i + 1, READY)) === 1);
  let turn = 0;
  return {
    run(task, rows, ...args) {
      views.arguments.set(args);
      if (workers.length === 0 || rows < WORTH_SHARING || !ready()) {
        tasks[task]({ part: 0, parts: 1 });
        return 1;
      }
      const before = workers.map((_, i) => Atomics.load(signals, place(i + 1, DONE)));
      turn++;
      signals[TASK] = TASK_NAMES.indexOf(task);
      Atomics.store(signals, TURN, turn);
      Atomics.notify(signals, TURN);
      tasks[task]({ part: 0, parts: workers.length + 1 });
      workers.forEach((_, i) => {
        const done = awaitOther(signals, place(i + 1, DONE), before[i]);
        if (done === FAILED) throw new Error(`a thread of gradient boosting failed in ${task}`);
      });
      return workers.length + 1;
    },
    dismiss() {
      for (const worker of workers) void worker.terminate();
    },
  };
}

/** What a helping thread does until it is dismissed. */
export function serveInCrew({ thread, memory, module, workspace, objective }: CrewMember): void {
  const views = viewWorkspace(memory, workspace);
  const { signals } = views;
  const kernel = startBoostingKernel(module, memory);
  const tasks = createTasks(kernel, workspace, views, createObjective(objective, kernel));
  const share = { part: thread, parts: workspace.threads };
  const place = THREADS + 2 * (thread - 1);
  const answer = (value: number) => {
    Atomics.store(signals, place + DONE, value);
    Atomics.notify(signals, place + DONE);
  };
  let turn = Atomics.load(signals, TURN);
  Atomics.store(signals, place + READY, 1);
  for (;;) {
    turn = awaitOther(signals, TURN, turn);
    try {
      tasks[TASK_NAMES[signals[TASK]]](share);
      answer(turn);
    } catch (error) {
      answer(FAILED);
      throw error;
    }
  }
}

/** Waits until a signal is another one than `old`; answers it. */
function awaitOther(signals: Int32Array, place: number, old: number): number {
  for (let spin = 0; ; spin++) {
    const seen = Atomics.load(signals, place);
    if (seen !== old) return seen;
    if (spin >= SPINS) Atomics.wait(signals, place, old);
  }
}
