import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { trainerErrors } from "./errors.ts";

export interface Python {
  /** The interpreter itself, past shims and links on the PATH. */
  readonly executable: string;
  /** "3.11.7" */
  readonly version: string;
  /** Everything of it that an environment depends on. */
  readonly identity: string;
}

const OLDEST = [3, 9] as const;
const TIMEOUT_MS = 30_000;

const ASK = `
import importlib.util, json, sys, sysconfig
print(json.dumps({
    "executable": sys.executable,
    "version": list(sys.version_info[:3]),
    "identity": [sys.version, sys.base_prefix, sysconfig.get_platform()],
    "modules": [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is not None],
}))`;

/**
 * Asks the interpreter of this name (or path) what it is.
 * @throws TRAIN_PYTHON_MISSING: there is none, it is too old, or it cannot make environments
 */
export async function findPython(name: string, environment: Readonly<Record<string, string>>): Promise<Python> {
  if (process.platform === "win32") throw trainerErrors.TRAIN_PYTHON_MISSING("Python trainers run on Linux and macOS only");
  let answer: { executable: string; version: [number, number, number]; identity: string[]; modules: string[] };
  try {
    const { stdout } = await promisify(execFile)(name, ["-I", "-c", ASK], { env: { ...environment }, timeout: TIMEOUT_MS });
    answer = JSON.parse(stdout);
  } catch (cause) {
    throw trainerErrors.TRAIN_PYTHON_MISSING(`${name} cannot be run: ${reasonOf(cause)}`, { cause });
  }
  const { executable, modules } = answer;
  const [major, minor] = answer.version;
  const version = answer.version.join(".");
  if (major !== OLDEST[0] || minor < OLDEST[1])
    throw trainerErrors.TRAIN_PYTHON_MISSING(`${name} is Python ${version}; ${OLDEST.join(".")} or newer is needed`);
  for (const needed of ["venv", "ensurepip"])
    if (!modules.includes(needed))
      throw trainerErrors.TRAIN_PYTHON_MISSING(`${name} (Python ${version}) lacks the module ${needed}`);
  return { executable, version, identity: answer.identity.join("\n") };
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if ("code" in cause && cause.code === "ENOENT") return "there is no such program on the PATH";
  return cause.message.trim().split("\n").at(-1) ?? cause.message;
}
