import { availableParallelism } from "node:os";
import { type OrreryError, toOrreryError } from "../../core/errors.ts";
import type { Executor, StepHandle, StepTask } from "../../core/ports/index.ts";
import { executorErrors } from "./errors.ts";
import { type ExecutorLog, WorkerProcess } from "./worker-process.ts";

export type { ExecutorLog } from "./worker-process.ts";
export type { StepContext, StepFunction } from "./worker-protocol.ts";

export interface LocalExecutorOptions {
  /** Worker processes at most; processors of this machine when absent. They start when there is work and stay for the next. */
  readonly workers?: number;
  /** Heap of one worker; typed arrays lie outside it. Node's own limit when absent. */
  readonly memoryLimitMb?: number;
  readonly log: ExecutorLog;
}

interface Submission {
  readonly task: StepTask;
  /** Where it runs; null while it waits. */
  worker: WorkerProcess | null;
  onProgress(progress: unknown): void;
  resolve(result: unknown): void;
  reject(error: OrreryError): void;
}

/** Steps in warm child processes of this one: tasks wait in the order they came, a process that died is replaced. */
export class LocalExecutor implements Executor {
  readonly workers: number;
  readonly #memoryLimitMb: number | undefined;
  readonly #log: ExecutorLog;
  readonly #pool = new Set<WorkerProcess>();
  readonly #queue: Submission[] = [];
  /** The code each module was last submitted with. */
  #code: Readonly<Record<string, string>> = {};
  #closed = false;

  constructor({ workers = availableParallelism(), memoryLimitMb, log }: LocalExecutorOptions) {
    this.workers = Math.max(1, workers);
    this.#memoryLimitMb = memoryLimitMb;
    this.#log = log;
  }

  /**
   * The result rejects with the step's own error, or EXECUTOR_WORKER_LOST, EXECUTOR_STEP_TIMEOUT, EXECUTOR_STEP_CANCELLED,
   * EXECUTOR_MODULE_INVALID, EXECUTOR_TASK_INVALID, EXECUTOR_CLOSED.
   */
  submit(task: StepTask, onProgress: (progress: unknown) => void = () => undefined): StepHandle {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    // Whoever submitted it may look only later.
    promise.catch(() => undefined);
    const submission: Submission = { task, worker: null, onProgress, resolve, reject };
    if (this.#closed) {
      reject(executorErrors.EXECUTOR_CLOSED("The executor is closed"));
    } else {
      this.#code = { ...this.#code, ...task.code };
      this.#queue.push(submission);
      this.#assign();
    }
    return { result: promise, cancel: () => this.#cancel(submission) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const reason = executorErrors.EXECUTOR_CLOSED("The executor was closed before the step was done");
    for (const { reject } of this.#queue.splice(0)) reject(reason);
    const pool = [...this.#pool];
    for (const worker of pool) worker.kill(reason);
    await Promise.all(pool.map(({ gone }) => gone));
  }

  #cancel(submission: Submission): void {
    const reason = executorErrors.EXECUTOR_STEP_CANCELLED(`${submission.task.id} was cancelled`);
    const place = this.#queue.indexOf(submission);
    if (place >= 0) {
      this.#queue.splice(place, 1);
      submission.reject(reason);
    }
    submission.worker?.cancel(reason);
  }

  /** Gives waiting tasks to idle workers, and starts workers while there may be more. */
  #assign(): void {
    for (;;) {
      const [next] = this.#queue;
      const worker = next === undefined ? null : this.#idleWorker(next.task);
      if (next === undefined || worker === null) return;
      this.#queue.shift();
      void this.#run(next, worker);
    }
  }

  async #run(submission: Submission, worker: WorkerProcess): Promise<void> {
    submission.worker = worker;
    try {
      submission.resolve(await worker.run(submission.task, submission.onProgress));
    } catch (error) {
      submission.reject(toOrreryError(error));
    } finally {
      submission.worker = null;
      this.#assign();
    }
  }

  /** One that has the module loaded, else any idle one, else a new one; null when all are busy. */
  #idleWorker({ module }: StepTask): WorkerProcess | null {
    for (const worker of this.#pool) {
      if (worker.busy || !worker.hasOldCode(this.#code)) continue;
      this.#pool.delete(worker);
      worker.kill(executorErrors.EXECUTOR_CLOSED("Its code is old"));
    }
    const idle = [...this.#pool].filter(({ busy }) => !busy);
    const warm = idle.find((worker) => worker.hasLoaded(module)) ?? idle[0];
    if (warm !== undefined) return warm;
    if (this.#closed || this.#pool.size >= this.workers) return null;
    const worker = new WorkerProcess(this.#memoryLimitMb, this.#log);
    this.#pool.add(worker);
    void worker.gone.then(() => {
      this.#pool.delete(worker);
      this.#assign();
    });
    return worker;
  }
}

export const openLocalExecutor = (options: LocalExecutorOptions): LocalExecutor => new LocalExecutor(options);
