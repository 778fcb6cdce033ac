/** The Python that peers and real clients run on: virtual environments made once from pinned requirements. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
/** How long another process may take to make an environment before it is thought dead. */
const MAKING_TAKES_AT_MOST_MS = 10 * 60_000;

/**
 * Path of the interpreter that has what test/python/<name>.txt pins: in .venv for "requirements", else in .venv-<name>. Makes or renews
 * the environment when the pins have changed; processes that ask at the same time wait for the one that makes it. Throws with the
 * reason where it cannot.
 */
export function pythonEnvironment(name = "requirements"): string {
  const folder = join(ROOT, name === "requirements" ? ".venv" : `.venv-${name}`);
  const requirements = join(ROOT, `test/python/${name}.txt`);
  const python = join(folder, "bin/python");
  const madeFrom = join(folder, "made-from.txt");
  const wanted = readFileSync(requirements, "utf8");
  const isMade = () => existsSync(python) && existsSync(madeFrom) && readFileSync(madeFrom, "utf8") === wanted;
  if (isMade()) return python;
  whileNobodyElse(`${folder}.making`, () => {
    if (isMade()) return;
    run("python3", ["-m", "venv", folder], "Python 3 with its venv module is needed (Debian: apt-get install python3-venv)");
    run(
      python,
      ["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements],
      "the packages could not be had",
    );
    writeFileSync(madeFrom, wanted);
  });
  return python;
}

function whileNobodyElse(lock: string, work: () => void): void {
  while (!tryMakeFolder(lock)) {
    if (ageOf(lock) > MAKING_TAKES_AT_MOST_MS) rmSync(lock, { recursive: true, force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
  try {
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function tryMakeFolder(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

const ageOf = (path: string) => Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());

function run(command: string, args: readonly string[], why: string): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${why}: ${error?.message ?? stderr.trim().split("\n").at(-1)}`);
}
