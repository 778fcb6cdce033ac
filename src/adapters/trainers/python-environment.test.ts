import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pipEnvironment } from "./child-environment.ts";
import { findPython, type Python } from "./find-python.ts";
import { pythonEnvironment } from "./python-environment.ts";

const hasPython = (() => {
  try {
    execFileSync("python3", ["-m", "venv", "--help"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn("SKIPPED: there is no python3 with venv on the PATH, so that its environments are not tested here.");
    return false;
  }
})();

const scratch = mkdtempSync(join(tmpdir(), "orrery-environments-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const variables = pipEnvironment(process.env);
let python: Python;
beforeAll(async () => {
  if (hasPython) python = await findPython("python3", variables);
});

const cacheFolder = join(scratch, "cache");
const environment = (requirements: string, more = {}) =>
  pythonEnvironment({ python, requirements, cacheFolder, variables, timeoutMs: 60_000, ...more });
const foldersOf = () => readdirSync(cacheFolder).filter((name) => !name.endsWith(".lock"));

// Making an environment takes seconds, and many on a machine with other work.
describe.skipIf(!hasPython)("a Python environment", { timeout: 120_000 }, () => {
  test("is made once for the same requirements, by however many ask at the same time, and its size is known", async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => environment("")));
    expect(new Set(made.map(({ executable }) => executable)).size).toBe(1);
    expect(foldersOf().length).toBe(1);
    const [{ executable, bytes, packages }] = made;
    expect(bytes).toBeGreaterThan(100);
    expect(packages).toEqual({});
    const born = statSync(executable).birthtimeMs;
    await environment("# comments and blank lines make no other one\n\n");
    expect(statSync(executable).birthtimeMs).toBe(born);
  });

  test("is made anew where one was left half made, or its interpreter has gone", async () => {
    const { executable } = await environment("");
    const folder = join(executable, "../..");
    rmSync(join(folder, "orrery-environment.json"));
    writeFileSync(join(folder, "half-made"), "");
    await environment("");
    expect(existsSync(join(folder, "half-made"))).toBe(false);
    unlinkSync(executable);
    symlinkSync(join(scratch, "gone"), executable);
    await environment("");
    expect(execFileSync(executable, ["-c", "print(1)"]).toString()).toBe("1\n");
  });

  test("that cannot be made leaves nothing but an error with pip's last lines", async () => {
    const index = { ...variables, PIP_NO_INDEX: "1", PIP_FIND_LINKS: scratch, PIP_CONFIG_FILE: "/dev/null" };
    const refused = environment("six==1.17.0", { variables: index });
    await expect(refused).rejects.toMatchObject({
      code: "TRAIN_PYTHON_INSTALL_FAILED",
      kind: "unavailable",
      message: expect.stringContaining("six==1.17.0"),
      details: { lastLines: expect.arrayContaining([expect.stringContaining("No matching distribution found")]) },
    });
    expect(foldersOf().length).toBe(1);
  });

  test("that takes too long to make is given up, and one that is cancelled as well", async () => {
    await expect(environment("six==1.17.0", { timeoutMs: 50 })).rejects.toMatchObject({
      code: "TRAIN_PYTHON_INSTALL_FAILED",
      message: expect.stringContaining("took longer than 0.05 s"),
    });
    await expect(environment("six==1.17.0", { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      code: "TRAIN_PYTHON_CANCELLED",
    });
    expect(foldersOf().length).toBe(1);
  });

  test("is waited for while another process makes it, and made by whoever waits when that one is killed", async () => {
    const other = join(scratch, "other");
    mkdirSync(other);
    const script = `
      import { withFileLock } from ${JSON.stringify(new URL("./file-lock.ts", import.meta.url).href)};
      const [lock] = process.argv.slice(1);
      await withFileLock(lock, undefined, async () => { console.log("locked"); await new Promise((resolve) => setTimeout(resolve, 60_000)); });`;
    const [name] = foldersOf();
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script, join(other, `${name}.lock`)]);
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    let done = false;
    const waiting = environment("", { cacheFolder: other }).finally(() => {
      done = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(done).toBe(false);
    holder.kill("SIGKILL");
    expect(existsSync((await waiting).executable)).toBe(true);
  });
});
