import { spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Scope } from "../core/scope.ts";

const PRIMARY = fileURLToPath(new URL("./inference/primary.ts", import.meta.url));

export interface InferenceOptions {
  stateDirectory: string;
  scope: Scope;
  endpoint: string;
  host: string;
  /** 0 takes any free port. */
  port: number;
  workers: number;
  clock: "system" | "virtual";
  tokenFile?: string;
}

/** Arguments for node to run one endpoint's inference server. */
export function inferenceArguments(options: InferenceOptions): string[] {
  const named: Record<string, string | number> = {
    host: options.host,
    port: options.port,
    workers: options.workers,
    "state-dir": options.stateDirectory,
    workspace: options.scope.workspace,
    project: options.scope.project,
    endpoint: options.endpoint,
    clock: options.clock,
    ...(options.tokenFile === undefined ? {} : { "token-file": options.tokenFile }),
  };
  return [PRIMARY, ...Object.entries(named).flatMap(([name, value]) => [`--${name}`, String(value)])];
}

export interface ModelServerArguments {
  /** models:/…, runs:/… or a folder. */
  model: string;
  stateDirectory: string;
  host: string;
  port: number;
  workers: number;
  trackingUri?: string;
  tokenFile?: string;
  anonymous?: boolean;
}

/** Arguments for node to serve a model by its address. */
export function modelServerArguments(options: ModelServerArguments): string[] {
  const { model, host, port, workers, stateDirectory, trackingUri, tokenFile, anonymous } = options;
  return [
    PRIMARY,
    ...["--model", model, "--host", host, "--port", String(port), "--workers", String(workers), "--state-dir", stateDirectory],
    ...(trackingUri === undefined ? [] : ["--tracking-uri", trackingUri]),
    ...(tokenFile === undefined ? [] : ["--token-file", tokenFile]),
    ...(anonymous === true ? ["--anonymous"] : []),
  ];
}

export interface InferenceProcess {
  readonly url: string;
  readonly pid: number;
}

/** The server that wrote itself down under this name in the folder of what runs, if it still answers. */
export async function findServer(runDirectory: string, name: string): Promise<InferenceProcess | null> {
  try {
    const { listening, pid } = JSON.parse(readFileSync(join(runDirectory, `${name}.json`), "utf8")) as {
      listening: string;
      pid: number;
    };
    const answer = await fetch(`${listening}/healthz`, { signal: AbortSignal.timeout(1_000) });
    return answer.ok ? { url: listening, pid } : null;
  } catch {
    return null;
  }
}

/** An endpoint's inference server of this state folder, if it still answers. */
export const findInference = (runDirectory: string, endpoint: string): Promise<InferenceProcess | null> =>
  findServer(runDirectory, `inference-${endpoint}`);

const START_TIMEOUT_MS = 15_000;

/**
 * Finds the server of this name or starts one. It is a process group of its own and goes on when this process dies; it logs to a file,
 * not to a pipe that would break with its parent.
 */
export async function ensureServer(
  name: string,
  args: readonly string[],
  directories: { run: string; logs: string },
): Promise<InferenceProcess | null> {
  const running = await findServer(directories.run, name);
  if (running !== null) return running;
  const log = openSync(join(directories.logs, `${name}.log`), "a");
  const child = spawn(process.execPath, args, { detached: true, stdio: ["ignore", log, log] });
  child.unref();
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline && child.exitCode === null; ) {
    const found = await findServer(directories.run, name);
    if (found !== null && found.pid === child.pid) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return null;
}

/** The endpoint's inference server, started where it does not run. */
export const ensureInference = (
  options: InferenceOptions,
  directories: { run: string; logs: string },
): Promise<InferenceProcess | null> => ensureServer(`inference-${options.endpoint}`, inferenceArguments(options), directories);

/** Lets the server finish what it is answering, then end; resolves when it is gone. */
export async function stopInference({ pid }: InferenceProcess): Promise<void> {
  try {
    process.kill(pid, "SIGTERM");
    for (let waited = 0; waited < 10_000; waited += 50) {
      process.kill(pid, 0);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone.
  }
}
