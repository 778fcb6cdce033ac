import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { OrreryError } from "../../core/errors.ts";
import type { StepTask } from "../../core/ports/index.ts";
import { executorErrors } from "./errors.ts";
import type { Command, Report } from "./worker-protocol.ts";

/** Where the executor and its workers' output go; a pino logger is one. */
export interface ExecutorLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

// The worker is TypeScript beside TypeScript, and JavaScript beside JavaScript once compiled.
const WORKER = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));
const CANCEL_GRACE_MS = 250;
const KEPT_ERROR_LINES = 40;

interface Running {
  readonly task: StepTask;
  readonly timer: NodeJS.Timeout | undefined;
  onProgress(progress: unknown): void;
  resolve(result: unknown): void;
  reject(error: OrreryError): void;
  /** Why the executor itself kills the process, when it does. */
  killedFor: OrreryError | null;
}

/** One child process that runs one step at a time and keeps its modules between them. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #log: ExecutorLog;
  readonly #loaded = new Map<string, string>();
  readonly #errorLines: string[] = [];
  #running: Running | null = null;
  #spawnError: Error | null = null;
  #doomed = false;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;

  constructor(memoryLimitMb: number | undefined, log: ExecutorLog) {
    this.#log = log;
    this.#child = fork(WORKER, [String(process.pid)], {
      execArgv: memoryLimitMb === undefined ? [] : [`--max-old-space-size=${memoryLimitMb}`],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "json",
    });
    this.#child.on("message", (report: Report) => this.#receive(report));
    this.#child.on("error", (error) => {
      this.#spawnError = error;
    });
    this.gone = new Promise((resolve) => {
      // "close" comes after the last line of output; "error" alone when the process never began.
      this.#child.once("close", (code, signal) => {
        this.#lost(code, signal);
        resolve();
      });
    });
    this.#readLines(this.#child.stdout, "stdout");
    this.#readLines(this.#child.stderr, "stderr");
    this.#idle();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** It runs a step, or will never run one again. */
  get busy(): boolean {
    return this.#running !== null || this.#doomed;
  }

  hasLoaded(module: string): boolean {
    return this.#loaded.has(module);
  }

  /** It has loaded a module whose code is another by now: Node cannot load it anew. */
  hasOldCode(code: Readonly<Record<string, string>> | undefined): boolean {
    return [...this.#loaded].some(([module, digest]) => code?.[module] !== undefined && code[module] !== digest);
  }

  run(task: StepTask, onProgress: (progress: unknown) => void): Promise<unknown> {
    this.#loaded.set(task.module, task.code?.[task.module] ?? "");
    this.#errorLines.length = 0;
    this.#child.ref();
    this.#child.channel?.ref();
    return new Promise((resolve, reject) => {
      const timer =
        task.timeoutMs === undefined
          ? undefined
          : setTimeout(
              () => this.kill(executorErrors.EXECUTOR_STEP_TIMEOUT(`${task.id} took longer than ${task.timeoutMs} ms`)),
              task.timeoutMs,
            );
      this.#running = { task, timer, onProgress, resolve, reject, killedFor: null };
      const { id, module, input, context } = task;
      try {
        this.#send({ kind: "run", task: { id, module, input, context } });
      } catch (cause) {
        this.#settle();
        reject(executorErrors.EXECUTOR_TASK_INVALID(`${id} cannot be sent to a process`, { cause }));
      }
    });
  }

  /** Tells the step, and kills its process a moment later. */
  cancel(reason: OrreryError): void {
    if (this.#running === null) return;
    this.#running.killedFor ??= reason;
    this.#doomed = true;
    this.#send({ kind: "cancel" });
    setTimeout(() => this.kill(reason), CANCEL_GRACE_MS);
  }

  kill(reason: OrreryError): void {
    this.#doomed = true;
    if (this.#running !== null) this.#running.killedFor ??= reason;
    this.#child.kill("SIGKILL");
  }

  #send(command: Command): void {
    // A process that dies at this moment is reported by its end.
    this.#child.send(command, () => undefined);
  }

  #receive(report: Report): void {
    const running = this.#running;
    if (running === null) return;
    if (report.kind === "progress") {
      running.onProgress(report.progress);
      return;
    }
    // A cancelled step that ends in time is cancelled all the same; its process goes as announced.
    if (running.killedFor !== null) return;
    this.#settle();
    if (report.kind === "result") running.resolve(report.result);
    else {
      if (report.error.kind === "internal") this.#log.warn({ task: running.task.id, stack: report.stack }, "a step failed");
      running.reject(OrreryError.fromJSON(report.error));
    }
  }

  #lost(code: number | null, signal: NodeJS.Signals | null): void {
    this.#doomed = true;
    const running = this.#running;
    if (running === null) return;
    this.#settle();
    if (running.killedFor !== null) {
      running.reject(running.killedFor);
      return;
    }
    const memory = this.#errorLines.some((line) => line.includes("JavaScript heap out of memory"));
    const how = memory ? "ran out of memory" : signal === null ? `ended with code ${code}` : `was killed by ${signal}`;
    running.reject(
      executorErrors.EXECUTOR_WORKER_LOST(`The process of ${running.task.id} ${how}`, {
        details: { pid: this.#child.pid, code, signal, stderr: this.#errorLines.slice(-5) },
        cause: this.#spawnError,
      }),
    );
  }

  #settle(): void {
    clearTimeout(this.#running?.timer);
    this.#running = null;
    this.#idle();
  }

  /** An idle worker does not keep the process that owns it alive. */
  #idle(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }

  #readLines(stream: Readable | null, name: "stdout" | "stderr"): void {
    if (stream === null) return;
    // A child's pipes are sockets, and these can be left out of what keeps a process alive.
    if ("unref" in stream && typeof stream.unref === "function") stream.unref();
    createInterface({ input: stream }).on("line", (line) => {
      if (name === "stderr") {
        this.#errorLines.push(line);
        if (this.#errorLines.length > KEPT_ERROR_LINES) this.#errorLines.shift();
      }
      this.#log.info({ task: this.#running?.task.id ?? null, pid: this.#child.pid, stream: name }, line);
    });
  }
}
