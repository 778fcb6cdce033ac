import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export const CLI = join(import.meta.dirname, "../../src/cli/main.ts");

export interface Finished {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end. */
export function orrery(args: readonly string[], environment: Record<string, string> = {}): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [CLI, ...args],
      { env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024 },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
      },
    );
  });
}

export interface Up {
  readonly url: string;
  readonly child: ChildProcess;
  /** What the pattern's group has caught of the output, as soon as it is there. */
  heard(pattern: RegExp): Promise<string>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** `orrery up` until it says where it listens. */
export async function up(project: string, args: readonly string[] = []): Promise<Up> {
  const child = spawn(process.execPath, [CLI, "-p", project, "up", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const heard = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(said)?.[1];
        if (found === undefined) return;
        child.stdout?.off("data", look);
        resolve(found);
      };
      child.stdout?.on("data", look);
      child.once("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
      look();
    });
  for (const output of [child.stderr, child.stdout]) output?.on("data", (chunk: Buffer) => (said += chunk));
  const url = await heard(/up at (http\S+)/);
  return {
    url,
    child,
    heard,
    async stop(signal = "SIGTERM") {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const gone = once(child, "exit");
      child.kill(signal);
      await gone;
      return child.exitCode;
    },
  };
}

/** Waits until something is there, with a bound. */
export async function eventually<T>(look: () => Promise<T | null>, what: string, seconds = 20): Promise<T> {
  for (const deadline = Date.now() + seconds * 1_000; Date.now() < deadline; ) {
    const found = await look().catch(() => null);
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not happen within ${seconds} s`);
}
