import { type ChildProcess, spawn } from "node:child_process";
import { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { BoundedLog } from "./bounded-log.ts";

const SUPERVISOR = fileURLToPath(new URL("./python/orrery_supervise.py", import.meta.url));
/** After the supervisor has gone its pipes are read this long: something that left its group may keep them open. */
const DRAIN_MS = 1_000;

export interface SupervisedCommand {
  /** The interpreter that the supervisor runs on; the command may be another. */
  readonly python: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly timeoutMs: number;
  readonly memoryBytes: number | null;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput?: ((line: string) => void) | undefined;
}

/** lost: the supervisor itself was killed, by whatever did it together with the command. */
export type Outcome = "exited" | "timeout" | "memory" | "cancelled" | "not-started" | "lost";

export interface SupervisedEnd {
  readonly outcome: Outcome;
  readonly code: number | null;
  /** "SIGSEGV" and the like, where a signal ended the command. */
  readonly signal: string | null;
  readonly seconds: number;
  readonly peakBytes: number;
  readonly log: string;
}

/**
 * Runs a command in a process group of its own which is killed as a whole when the command ends, takes too long or too much
 * memory, is cancelled, or when this process dies in whatever way. Rejects only where the interpreter cannot be started.
 */
export async function supervise(command: SupervisedCommand): Promise<SupervisedEnd> {
  const limits = JSON.stringify({ timeout: command.timeoutMs / 1_000, memory: command.memoryBytes });
  const started = performance.now();
  const supervisor = spawn(command.python, ["-I", "-S", SUPERVISOR, limits, ...command.command], {
    cwd: command.folder,
    env: { ...command.environment },
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const { pid } = supervisor;
  const exited = new Promise<void>((resolve, reject) => {
    supervisor.once("error", reject);
    supervisor.once("exit", () => resolve());
  });
  const closed = new Promise<void>((resolve) => supervisor.once("close", () => resolve()));
  const log = new BoundedLog();
  const lines = new LineReader(command.onOutput);
  const read = (text: string) => {
    log.append(text);
    lines.push(text);
  };
  supervisor.stdout.setEncoding("utf8").on("data", read);
  supervisor.stderr.setEncoding("utf8").on("data", read);
  // A process that has gone closes its end.
  supervisor.stdin.on("error", () => undefined);
  const report = readReport(supervisor);

  const cancel = () => killGroup(pid);
  command.signal?.addEventListener("abort", cancel, { once: true });
  if (command.signal?.aborted) cancel();
  try {
    await exited;
    // The supervisor has killed its group, unless it was killed itself.
    killGroup(pid);
    await Promise.race([closed, wait(DRAIN_MS, undefined, { ref: false })]);
  } finally {
    command.signal?.removeEventListener("abort", cancel);
    supervisor.stdout.destroy();
    supervisor.stderr.destroy();
    lines.end();
  }
  const seconds = (performance.now() - started) / 1_000;
  return endOf(report(), { cancelled: command.signal?.aborted === true, seconds, log: log.toString() });
}

/** What the supervisor writes to its file descriptor 3, once it has. */
function readReport(supervisor: ChildProcess): () => string {
  let report = "";
  const pipe = supervisor.stdio[3];
  if (pipe instanceof Readable)
    pipe.setEncoding("utf8").on("data", (text: string) => {
      report += text;
    });
  return () => report;
}

interface Report {
  readonly outcome: Outcome;
  readonly message?: string;
  readonly code?: number | null;
  readonly signal?: string | null;
  readonly seconds?: number;
  readonly peak?: number;
}

function endOf(text: string, known: { cancelled: boolean; seconds: number; log: string }): SupervisedEnd {
  const report: Report = text === "" ? { outcome: "lost" } : JSON.parse(text);
  const { seconds, log } = known;
  return {
    outcome: known.cancelled ? "cancelled" : report.outcome,
    code: report.code ?? null,
    signal: report.signal ?? null,
    seconds: report.seconds ?? seconds,
    peakBytes: report.peak ?? 0,
    log: report.message === undefined ? log : `${log}${report.message}\n`,
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is empty already.
  }
}

/** Cuts pieces of text into lines; the last one may lack its end. */
class LineReader {
  #rest = "";
  readonly #onLine: ((line: string) => void) | undefined;

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine;
  }

  push(text: string): void {
    if (this.#onLine === undefined) return;
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line);
    // A progress bar may never end its line.
    if (this.#rest.length > 16_384) this.end();
  }

  end(): void {
    if (this.#rest !== "") this.#onLine?.(this.#rest);
    this.#rest = "";
  }
}
