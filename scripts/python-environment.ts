/** The Python that peers and real clients run on: a virtual environment made once from pinned requirements. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const FOLDER = join(ROOT, ".venv");
const REQUIREMENTS = join(ROOT, "test/python/requirements.txt");
const MADE_FROM = join(FOLDER, "made-from.txt");

/** Path of the interpreter; makes or renews the environment when the requirements have changed. Throws with the reason where it cannot. */
export function pythonEnvironment(): string {
  const python = join(FOLDER, "bin/python");
  const wanted = readFileSync(REQUIREMENTS, "utf8");
  if (existsSync(python) && existsSync(MADE_FROM) && readFileSync(MADE_FROM, "utf8") === wanted) return python;
  run("python3", ["-m", "venv", FOLDER], "Python 3 with its venv module is needed (Debian: apt-get install python3-venv)");
  run(python, ["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS], "the packages could not be had");
  writeFileSync(MADE_FROM, wanted);
  return python;
}

function run(command: string, args: readonly string[], why: string): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${why}: ${error?.message ?? stderr.trim().split("\n").at(-1)}`);
}
