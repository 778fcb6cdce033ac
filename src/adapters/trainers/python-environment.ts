import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TrainerEnvironment } from "../../core/ports/index.ts";
import { trainerErrors } from "./errors.ts";
import { withFileLock } from "./file-lock.ts";
import type { Python } from "./find-python.ts";
import { supervise } from "./supervise.ts";

export interface PythonEnvironment extends TrainerEnvironment {
  /** The environment's own interpreter. */
  readonly executable: string;
}

export interface EnvironmentOptions {
  readonly python: Python;
  /** Text of a requirements file, pinned. */
  readonly requirements: string;
  readonly cacheFolder: string;
  /** Variables for pip. */
  readonly variables: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput?: ((line: string) => void) | undefined;
}

/** Written last: a folder without it was left half made. */
const MARKER = "orrery-environment.json";
const LIST_PACKAGES = `
import importlib.metadata, json
print(json.dumps({d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}))`;

/** How pip words it, before it says that it has found no such version. */
const UNREACHABLE = /connection broken|NewConnectionError|ConnectTimeoutError|NameResolutionError|ProxyError/i;

/**
 * The virtual environment with exactly these requirements on this interpreter: made once, kept by the hash of both below the cache
 * folder, and shared by everybody who asks; whoever comes while it is made waits.
 * @throws TRAIN_PYTHON_INSTALL_FAILED, TRAIN_PYTHON_CANCELLED
 */
export async function pythonEnvironment(options: EnvironmentOptions): Promise<PythonEnvironment> {
  const { python, cacheFolder, signal } = options;
  const requirements = meaningOf(options.requirements);
  const key = createHash("sha256").update(`${python.identity}\n\n${requirements}`).digest("hex").slice(0, 24);
  const folder = join(cacheFolder, key);
  const made = await readEnvironment(folder);
  if (made !== null) return made;
  await mkdir(cacheFolder, { recursive: true });
  try {
    return await withFileLock(`${folder}.lock`, signal, async () => {
      // Somebody may have made it while this waited.
      const present = await readEnvironment(folder);
      if (present !== null) return present;
      await rm(folder, { recursive: true, force: true });
      return await make(folder, requirements, options);
    });
  } catch (error) {
    if (signal?.aborted) throw trainerErrors.TRAIN_PYTHON_CANCELLED("cancelled while the Python environment was made");
    throw error;
  }
}

/** Comments, blank lines and line ends make no other environment. */
const meaningOf = (requirements: string): string =>
  requirements
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "")
    .join("\n");

async function readEnvironment(folder: string): Promise<PythonEnvironment | null> {
  const executable = executableOf(folder);
  // The link dangles when the interpreter it was made from has gone.
  if (!existsSync(executable)) return null;
  try {
    const known: TrainerEnvironment = JSON.parse(await readFile(join(folder, MARKER), "utf8"));
    return { ...known, executable };
  } catch {
    return null;
  }
}

const executableOf = (folder: string): string => join(folder, "bin", "python");

/**
 * Made in place and not under a temporary name: the scripts that pip installs hold the folder's path. What is half made has no marker,
 * and the lock keeps others out.
 */
async function make(folder: string, requirements: string, options: EnvironmentOptions): Promise<PythonEnvironment> {
  const { python } = options;
  const needsPip = requirements !== "";
  const executable = executableOf(folder);
  try {
    await run([python.executable, "-m", "venv", ...(needsPip ? [] : ["--without-pip"]), folder], options);
    if (needsPip) {
      const file = join(folder, "requirements.txt");
      await writeFile(file, requirements);
      await run([executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r", file], options);
    }
    const { stdout } = await promisify(execFile)(executable, ["-I", "-c", LIST_PACKAGES], { env: options.variables });
    const environment: TrainerEnvironment = {
      python: python.version,
      packages: sorted(JSON.parse(stdout)),
      bytes: await sizeOf(folder),
    };
    await writeFile(join(folder, `${MARKER}.part`), JSON.stringify(environment));
    await rename(join(folder, `${MARKER}.part`), join(folder, MARKER));
    return { ...environment, executable };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function run(command: readonly string[], options: EnvironmentOptions): Promise<void> {
  const { python, variables, cacheFolder, timeoutMs, signal, onOutput } = options;
  const end = await supervise({
    python: python.executable,
    command,
    environment: variables,
    folder: cacheFolder,
    timeoutMs,
    memoryBytes: null,
    signal,
    onOutput,
  });
  if (end.outcome === "exited" && end.code === 0) return;
  if (end.outcome === "cancelled") throw trainerErrors.TRAIN_PYTHON_CANCELLED("cancelled while the Python environment was made");
  const how =
    end.outcome === "timeout" ? `took longer than ${timeoutMs / 1_000} s` : `ended with ${end.signal ?? `code ${end.code}`}`;
  const lines = end.log.trimEnd().split("\n");
  const reason = lines.findLast((line) => line.startsWith("ERROR:")) ?? lines.at(-1) ?? "";
  const offline = UNREACHABLE.test(end.log) ? "the package index could not be reached; " : "";
  throw trainerErrors.TRAIN_PYTHON_INSTALL_FAILED(`${command.slice(1, 4).join(" ")} ${how}: ${offline}${reason}`, {
    details: { lastLines: lines.slice(-10), log: end.log },
  });
}

const sorted = (packages: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? await sizeOf(path) : (await lstat(path)).size;
  }
  return bytes;
}
