import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TrainerBehaviour, trainerContract } from "../../../test/contracts/trainer.contract.ts";
import type { TrainerParam, TrainerRequest } from "../../core/ports/index.ts";
import { FIXTURES, trainerRequest } from "./fixtures/request.ts";
import { PythonTrainer } from "./python.ts";

const hasPython = (() => {
  try {
    execFileSync("python3", ["-m", "venv", "--help"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn("SKIPPED: there is no python3 with venv on the PATH, so that Python trainers are not tested here.");
    return false;
  }
})();

const scratch = mkdtempSync(join(tmpdir(), "orrery-trainers-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const work = join(scratch, "work");
const options = { cacheFolder: join(scratch, "environments"), workFolder: work };

const PROGRAMS: Record<TrainerBehaviour, readonly [program: string, params: Record<string, TrainerParam>]> = {
  learns: ["learns.py", {}],
  raises: ["raises.py", { depth: 3 }],
  "saves nothing": ["misbehaves.py", { what: "save nothing" }],
  "saves text": ["misbehaves.py", { what: "save text" }],
  hangs: ["misbehaves.py", { what: "sleep" }],
};

const misbehave = (what: string, more: Partial<TrainerRequest> = {}) =>
  new PythonTrainer(options).train(trainerRequest({ program: "misbehaves.py", params: { what }, ...more }));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that ended but was not waited for is not alive; its parent was killed, so that init may take a moment.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function expectGone(pids: readonly number[]): Promise<void> {
  expect(pids.length).toBeGreaterThan(0);
  await expect.poll(() => pids.filter(isAlive), { timeout: 5_000, interval: 20 }).toEqual([]);
}

/** The process numbers that misbehaves.py prints: its own and its child's. */
const pidsOf = (log: string): number[] => (/pids (\d+) (\d+)/.exec(log) ?? []).slice(1).map(Number);

describe.skipIf(!hasPython)("Python trainers", () => {
  trainerContract("Python", async () => ({
    trainer: new PythonTrainer(options),
    request: (behaviour) => {
      const [program, params] = PROGRAMS[behaviour];
      return trainerRequest({ program, params });
    },
    leftBehind: async () => readdirSync(work),
    cleanup: async () => undefined,
  }));

  describe("what a program gets", () => {
    let seen: { spec: Record<string, unknown>; environment: Record<string, string>; folder: string };
    beforeAll(async () => {
      const variables = {
        PATH: process.env.PATH,
        HOME: "/home/somebody",
        API_TOKEN: "secret",
        PIP_INDEX_URL: "https://u:p@example.com",
      };
      const trainer = new PythonTrainer({ ...options, variables });
      const { log } = await trainer.train(
        trainerRequest({ program: "plain.py", params: { depth: 3, deep: { rates: [0.1, null] } } }),
      );
      seen = JSON.parse(log);
    });

    test("is a spec, which a script can read without any module", () => {
      expect(seen.spec).toMatchObject({
        version: 1,
        task: "binary",
        classes: 2,
        seed: 7,
        threads: 1,
        params: { depth: 3, deep: { rates: [0.1, null] } },
        features: [
          { name: "distance", categories: 0 },
          { name: "carrier", categories: 3 },
        ],
        target: "target",
        weight: null,
        train: { rows: 4 },
        validation: null,
      });
    });

    test("is the project's folder, and the seed and threads as settings", () => {
      expect(join(seen.folder, "/")).toBe(FIXTURES);
      expect(seen.environment).toMatchObject({ PYTHONHASHSEED: "7", OMP_NUM_THREADS: "1", HOME: "/home/somebody" });
    });

    test("is none of the secrets in this process's environment, pip's among them", () => {
      expect(Object.keys(seen.environment).filter((name) => name.startsWith("PIP_") || name === "API_TOKEN")).toEqual([]);
      expect(JSON.stringify(seen.environment)).not.toMatch(/secret|u:p@/);
    });
  });

  test("an entry point is called with the spec", async () => {
    const { metrics } = await new PythonTrainer(options).train(trainerRequest({ program: "entry_point:train" }));
    expect(metrics).toEqual({ called: 1 });
  });

  test.each([
    ["none.py", "there is no script"],
    ["train", "neither a script"],
    ["not_there.at_all:train", "there is no module not_there.at_all"],
    ["entry_point:learn", "has no learn"],
  ])("the program %s is missing: %s", async (program, message) => {
    await expect(new PythonTrainer(options).train(trainerRequest({ program }))).rejects.toMatchObject({
      code: "TRAIN_PYTHON_PROGRAM_MISSING",
      kind: "not-found",
      message: expect.stringContaining(message),
    });
  });

  test("a project's folder that is not there is named", async () => {
    const request = trainerRequest({ program: "entry_point:train", folder: join(scratch, "nowhere") });
    await expect(new PythonTrainer(options).train(request)).rejects.toMatchObject({
      code: "TRAIN_PYTHON_PROGRAM_MISSING",
      message: expect.stringContaining("nowhere"),
    });
  });

  describe("a program that goes wrong", () => {
    test("is told by the last line of its traceback and where it was; the log has all of it", async () => {
      const failed = new PythonTrainer(options).train(trainerRequest({ program: "raises.py", params: { depth: 3 } }));
      await expect(failed).rejects.toMatchObject({
        code: "TRAIN_PYTHON_PROGRAM_FAILED",
        message: "raises.py raised ValueError: no depth 3 (raises.py:5)",
        details: {
          log: expect.stringMatching(/^before\nTraceback[\s\S]*in <module>[\s\S]*in fit[\s\S]*ValueError: no depth 3\n$/),
        },
      });
    });

    test.each([
      ["exit with 3", "TRAIN_PYTHON_PROGRAM_FAILED", "ended with code 3: that was it"],
      ["crash", "TRAIN_PYTHON_PROGRAM_FAILED", "was killed by SIGSEGV: "],
      ["import what is not there", "TRAIN_PYTHON_PROGRAM_FAILED", "ModuleNotFoundError: No module named 'not_a_module'"],
      ["save infinite metrics", "TRAIN_PYTHON_OUTPUT_INVALID", "metrics that are no JSON"],
      ["save text for a metric", "TRAIN_PYTHON_OUTPUT_INVALID", "a metric loss that is no number"],
      ["save broken predictions", "TRAIN_PYTHON_OUTPUT_INVALID", "predictions that are not"],
      ["give a metric that is not finite", "TRAIN_PYTHON_PROGRAM_FAILED", "ValueError: the metric loss is nan"],
    ])("because it would %s has a message that says so, and leaves no process", async (what, code, message) => {
      const error = await misbehave(what).catch((caught) => caught);
      expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
      await expectGone(pidsOf(error.details.log));
    });

    test("because it takes more memory than it may is ended, with both figures", async () => {
      const error = await misbehave("take memory", { memoryBytes: 300e6 }).catch((caught) => caught);
      expect(error).toMatchObject({
        code: "TRAIN_PYTHON_OUT_OF_MEMORY",
        kind: "unavailable",
        message: expect.stringMatching(/held \d+ MB of memory; its limit is 300 MB/),
      });
      expect(error.details.peakBytes).toBeGreaterThan(300e6);
      await expectGone(pidsOf(error.details.log));
    });

    test("because its data alone would not fit its memory is not started", async () => {
      await expect(misbehave("sleep", { memoryBytes: 31 })).rejects.toMatchObject({
        code: "TRAIN_PYTHON_OUT_OF_MEMORY",
        details: { bytes: 32, memoryBytes: 31 },
      });
    });

    test.each(["sleep", "hold the interpreter"])("because it would %s for ever is killed with its children", async (what) => {
      const error = await misbehave(what, { timeoutMs: 1_000 }).catch((caught) => caught);
      expect(error).toMatchObject({ code: "TRAIN_PYTHON_TIMEOUT" });
      await expectGone(pidsOf(error.details.log));
    });

    test("because it talks too much has the first and the last of it kept", async () => {
      const error = await misbehave("talk").catch((caught) => caught);
      const { log } = error.details;
      expect(log.length).toBeLessThan(300_000);
      expect(log).toContain("\nline 0\n");
      expect(log).toMatch(/\n… \d+ characters left out …\n/);
      expect(log).toContain("\nline 199999\n");
    });
  });

  test.each(["sleep", "hold the interpreter"])(
    "when the process that trains is killed, nothing of a program that would %s stays",
    async (what) => {
      const folder = join(scratch, "killed");
      const owner = spawn(process.execPath, [fileURLToPath(new URL("./fixtures/owner.ts", import.meta.url)), folder, what], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const line = await new Promise<string>((resolve, reject) => {
        createInterface({ input: owner.stdout }).once("line", resolve);
        owner.once("exit", () => reject(new Error("it ended by itself")));
      });
      const pids = pidsOf(line);
      expect(pids.map(isAlive)).toEqual([true, true]);
      owner.kill("SIGKILL");
      await expectGone(pids);
      expect(readdirSync(join(folder, "work")).length).toBe(1);
      // What it could not clean up goes with the next training.
      await new PythonTrainer({ ...options, workFolder: join(folder, "work") }).train(trainerRequest({ program: "learns.py" }));
      expect(readdirSync(join(folder, "work"))).toEqual([]);
    },
  );

  test("a number that a float32 cannot hold is refused by its place", async () => {
    const request = trainerRequest({ program: "learns.py" });
    const columns = [Float64Array.of(1, 1e39, 3, 4), request.train.matrix.columns[1]];
    const train = { ...request.train, matrix: { rows: 4, columns } };
    await expect(new PythonTrainer(options).train({ ...request, train })).rejects.toMatchObject({
      code: "TRAIN_PYTHON_DATA_INVALID",
      message: "row 1 of column distance is 1e+39, which a float32 cannot hold",
    });
    expect(readdirSync(work)).toEqual([]);
  });

  test("columns whose names differ by case alone are refused", async () => {
    const features = ["Distance", "distance"].map((name) => ({ name, categories: 0 }));
    await expect(new PythonTrainer(options).train(trainerRequest({ program: "learns.py", features }))).rejects.toMatchObject({
      code: "TRAIN_PYTHON_DATA_INVALID",
    });
  });

  test("a disk that takes no more data is named, and nothing partial stays", () => {
    const script = `
      import { PythonTrainer } from ${JSON.stringify(new URL("./python.ts", import.meta.url).href)};
      import { trainerRequest } from ${JSON.stringify(new URL("./fixtures/request.ts", import.meta.url).href)};
      const rows = 100_000;
      const column = Float64Array.from({ length: rows }, (_, row) => Math.sin(row));
      const train = { matrix: { rows, columns: [column, column] }, target: { values: new Uint8Array(rows) } };
      await new PythonTrainer(${JSON.stringify(options)}).train(trainerRequest({ program: "learns.py", train })).catch((error) => {
        console.log(error.code);
      });`;
    // A limit on the size of files fails a write half way, as a full disk does, for any user and without a disk of its own.
    const limited = ["-c", `trap '' XFSZ; ulimit -f 64; exec "$0" --input-type=module -e "$1"`, process.execPath, script];
    expect(execFileSync("bash", limited).toString()).toBe("TRAIN_PYTHON_STORAGE_FAILED\n");
    expect(readdirSync(work)).toEqual([]);
  });

  test("folders that cannot be written are named", async () => {
    writeFileSync(join(scratch, "file"), "");
    for (const folders of [{ workFolder: join(scratch, "file") }, { cacheFolder: join(scratch, "file") }]) {
      await expect(
        new PythonTrainer({ ...options, ...folders }).train(trainerRequest({ program: "learns.py" })),
      ).rejects.toMatchObject({
        code: "TRAIN_PYTHON_STORAGE_FAILED",
        message: expect.stringContaining(join(scratch, "file")),
      });
    }
  });
});

describe("where Python is missing", () => {
  const folder = join(scratch, "path");
  const fake = (script: string) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "python3"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "python3"), 0o755);
    return new PythonTrainer({ ...options, variables: { PATH: folder } });
  };
  const answer = (version: string, modules: string) =>
    `echo '{"executable": "/x", "version": [${version}], "identity": [], "modules": [${modules}]}'`;

  test("the message and its hint say what to install, and it is nobody's fault", async () => {
    const trainer = new PythonTrainer({ ...options, variables: { PATH: join(scratch, "nothing") } });
    await expect(trainer.train(trainerRequest({ program: "learns.py" }))).rejects.toMatchObject({
      code: "TRAIN_PYTHON_MISSING",
      kind: "unavailable",
      message: "python3 cannot be run: there is no such program on the PATH",
      hint: expect.stringContaining("apt-get install python3"),
    });
  });

  test.each([
    ["is too old", answer("3, 8, 10", '"venv", "ensurepip"'), "3.9 or newer is needed"],
    ["cannot make environments", answer("3, 11, 2", '"venv"'), "lacks the module ensurepip"],
    ["is something else", "echo hello", "cannot be run"],
    ["fails", "echo broken installation >&2; exit 1", "broken installation"],
  ])("one that %s is told apart", async (_, script, message) => {
    await expect(fake(script).train(trainerRequest({ program: "learns.py" }))).rejects.toMatchObject({
      code: "TRAIN_PYTHON_MISSING",
      message: expect.stringContaining(message),
    });
  });
});
