import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LocalExecutor, openLocalExecutor } from "./local.ts";

const fixture = (name: string) => new URL(`./fixtures/${name}.ts`, import.meta.url).href;
const lines: { fields: object; message: string }[] = [];
const log = {
  info: (fields: object, message: string) => lines.push({ fields, message }),
  warn: (fields: object, message: string) => lines.push({ fields, message }),
};

let executor: LocalExecutor;
beforeEach(() => {
  lines.length = 0;
  executor = openLocalExecutor({ workers: 2, log });
});
afterEach(() => executor.close());

let tasks = 0;
const submit = (
  what: string,
  more: { ms?: number; timeoutMs?: number; onProgress?: (progress: unknown) => void; in?: LocalExecutor } = {},
) =>
  (more.in ?? executor).submit(
    {
      id: `task-${tasks++}`,
      module: fixture("step"),
      input: { what, ms: more.ms ?? 0 },
      context: { runId: "run-1" },
      ...(more.timeoutMs === undefined ? {} : { timeoutMs: more.timeoutMs }),
    },
    more.onProgress,
  );
const pidOf = async (handle: { result: Promise<unknown> }) => ((await handle.result) as { pid: number }).pid;
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    // Dead, but its new parent has not asked yet.
    return process.platform !== "linux" || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};
const gone = async (pid: number) => {
  for (let waited = 0; alive(pid); waited += 50) {
    if (waited > 5_000) throw new Error(`process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

describe("a step", () => {
  test("runs in another process, with its input and context, and answers in JSON", async () => {
    const answer = await submit("echo").result;
    expect(answer).toMatchObject({ context: { runId: "run-1" }, taskId: expect.stringMatching(/^task-/) });
    expect((answer as { pid: number }).pid).not.toBe(process.pid);
    expect(await submit("nothing").result).toBeNull();
  });

  test("reports progress while it runs, in order", async () => {
    const seen: unknown[] = [];
    await submit("progress", { onProgress: (progress) => seen.push(progress) }).result;
    expect(seen).toEqual([{ done: 1 }, { done: 2 }, { done: 3 }]);
  });

  test("that throws an error of Orrery's throws it here, and its process goes on", async () => {
    const before = await pidOf(submit("echo"));
    const refused = submit("refuse").result;
    await expect(refused).rejects.toMatchObject({
      code: "FIXTURE_REFUSED",
      kind: "invalid",
      hint: "Ask for something else.",
      details: { field: "what" },
    });
    expect(await pidOf(submit("echo"))).toBe(before);
  });

  test("that throws anything else is an internal error of one line, with its stack in the log", async () => {
    await expect(submit("throw").result).rejects.toMatchObject({ code: "INTERNAL", message: "out of range" });
    expect(JSON.stringify(lines)).toContain("step.ts");
  });

  test("prints into the log", async () => {
    const pid = await pidOf(submit("echo"));
    await submit("print").result;
    await executor.close();
    expect(lines).toContainEqual({ fields: expect.objectContaining({ pid, stream: "stdout" }), message: "a line" });
    expect(lines).toContainEqual({ fields: expect.objectContaining({ stream: "stderr" }), message: "another line" });
  });

  test("whose module is missing, or exports no function, is an invalid module", async () => {
    const invalid = { code: "EXECUTOR_MODULE_INVALID", kind: "invalid" };
    for (const module of [fixture("none"), fixture("no-default")])
      await expect(executor.submit({ id: "bad", module, input: {}, context: {} }).result).rejects.toMatchObject(invalid);
  });

  test("whose input goes round in a circle is refused, and the next one runs", async () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const sent = executor.submit({ id: "circle", module: fixture("step"), input: circle, context: {} });
    await expect(sent.result).rejects.toMatchObject({ code: "EXECUTOR_TASK_INVALID" });
    expect(await submit("nothing").result).toBeNull();
  });
});

describe("a process", () => {
  test("is kept for the next step, and more are started only up to the number of workers", async () => {
    const first = await pidOf(submit("echo"));
    expect(await pidOf(submit("echo"))).toBe(first);
    const pids = await Promise.all(Array.from({ length: 6 }, () => pidOf(submit("sleep", { ms: 50 }))));
    expect(new Set(pids).size).toBe(2);
  });

  test("that dies is lost, which is worth another try, and the next step has a new one", async () => {
    for (const [what, how] of [
      ["exit", "ended with code 3"],
      ["kill", "was killed by SIGKILL"],
    ] as const) {
      await expect(submit(what).result).rejects.toMatchObject({
        code: "EXECUTOR_WORKER_LOST",
        kind: "unavailable",
        message: expect.stringContaining(how),
      });
      expect(await submit("nothing").result).toBeNull();
    }
  });

  test("that needs more memory than it may is lost, and says so", async () => {
    const small = openLocalExecutor({ workers: 1, memoryLimitMb: 32, log });
    await expect(submit("memory", { in: small }).result).rejects.toMatchObject({
      code: "EXECUTOR_WORKER_LOST",
      message: expect.stringContaining("ran out of memory"),
    });
    await small.close();
  });

  test("that takes too long is killed, also while it blocks its event loop", async () => {
    for (const what of ["sleep", "block"]) {
      const late = submit(what, { ms: 60_000, timeoutMs: 400 });
      await expect(late.result).rejects.toMatchObject({ code: "EXECUTOR_STEP_TIMEOUT", kind: "unavailable" });
    }
    expect(await submit("nothing").result).toBeNull();
  });

  test("whose code has changed is replaced", async () => {
    const folder = mkdtempSync(join(tmpdir(), "orrery-executor-"));
    const module = pathToFileURL(join(folder, "step.mjs")).href;
    const run = (version: string, digest: string) => {
      writeFileSync(join(folder, "step.mjs"), `export default async () => ${JSON.stringify(version)};`);
      return executor.submit({ id: "v", module, input: {}, context: {}, code: { [module]: digest } }).result;
    };
    expect(await run("one", "1")).toBe("one");
    expect(await run("two", "2")).toBe("two");
    rmSync(folder, { recursive: true });
  });
});

describe("cancelling", () => {
  test("tells a running step and then kills its process", async () => {
    const pid = await pidOf(submit("echo"));
    const step = submit("until-cancelled");
    await new Promise((resolve) => setTimeout(resolve, 100));
    step.cancel();
    await expect(step.result).rejects.toMatchObject({ code: "EXECUTOR_STEP_CANCELLED" });
    await gone(pid);
    expect(lines.map(({ message }) => message)).toContain("told in time");
  });

  test("kills one that blocks its event loop", async () => {
    const pid = await pidOf(submit("echo"));
    const step = submit("block", { ms: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    step.cancel();
    await expect(step.result).rejects.toMatchObject({ code: "EXECUTOR_STEP_CANCELLED" });
    await gone(pid);
  });

  test("takes a waiting step out of the queue, and cancelling an ended one does nothing", async () => {
    const one = openLocalExecutor({ workers: 1, log });
    const running = submit("sleep", { ms: 200, in: one });
    const waiting = submit("echo", { in: one });
    waiting.cancel();
    await expect(waiting.result).rejects.toMatchObject({ code: "EXECUTOR_STEP_CANCELLED" });
    const pid = await pidOf(running);
    running.cancel();
    expect(await pidOf(submit("echo", { in: one }))).toBe(pid);
    await one.close();
  });
});

describe("the end", () => {
  test("closing kills what runs, refuses what waits and what comes", async () => {
    const handles = Array.from({ length: 4 }, () => submit("block", { ms: 60_000 }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await executor.close();
    for (const { result } of handles) await expect(result).rejects.toMatchObject({ code: "EXECUTOR_CLOSED" });
    await expect(submit("echo").result).rejects.toMatchObject({ code: "EXECUTOR_CLOSED" });
  });

  test("idle workers do not keep their owner from ending, and end with it", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(fixture("finished"))], { timeout: 10_000 });
    expect(stdout.trim()).toBe("done");
  });

  test.each(["block", "sleep"])("a worker ends when its owner is killed in a step that does %s", async (what) => {
    const owner = spawn(process.execPath, [fileURLToPath(fixture("owner")), what], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await new Promise<string[]>((resolve) =>
      createInterface({ input: owner.stdout }).once("line", (text) => resolve([text])),
    );
    const { pid } = JSON.parse(line ?? "") as { pid: number };
    expect(alive(pid)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 300));
    owner.kill("SIGKILL");
    await gone(pid);
  });
});
