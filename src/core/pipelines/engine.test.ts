import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LocalExecutor, openLocalExecutor } from "../../adapters/executors/local.ts";
import { openSqlite } from "../../adapters/metadata/sqlite.ts";
import { type MetadataStore, systemClock, VirtualClock } from "../ports/index.ts";
import { systemActor } from "../scope.ts";
import { parseTimestamp } from "../time.ts";
import {
  createPipelineEngine,
  type Effect,
  type PipelineEngine,
  type PipelineEngineOptions,
  type PipelineEvent,
  type PlanIR,
  type PlanStep,
  type StartOptions,
} from "./index.ts";

const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const module = new URL("./fixtures/step.ts", import.meta.url).href;

let folder: string;
let file: string;
let store: MetadataStore;
let executor: LocalExecutor;
let engine: PipelineEngine;
const calls: { step: string; key: string; input: unknown }[] = [];
const effects: Record<string, Effect> = {
  record: async (input, { step, idempotencyKey }) => {
    calls.push({ step, key: idempotencyKey, input });
    return { recorded: calls.length };
  },
};
const open = (more: Partial<PipelineEngineOptions> = {}) =>
  createPipelineEngine({
    store,
    executor,
    clock: systemClock,
    scope: { workspace: "default", project: "flights" },
    log: quiet,
    effects,
    concurrency: 2,
    retryDelayMs: 1,
    context: { stateDirectory: folder },
    ...more,
  });

beforeEach(async () => {
  calls.length = 0;
  folder = mkdtempSync(join(tmpdir(), "orrery-engine-"));
  file = join(folder, "log.txt");
  writeFileSync(file, "");
  store = await openSqlite({ path: join(folder, "metadata.db"), clock: systemClock });
  executor = openLocalExecutor({ workers: 2, log: quiet });
  engine = open();
});
afterEach(async () => {
  await engine.close();
  await executor.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

const step = (name: string, needs: readonly string[] = [], params: object = {}, more: Partial<PlanStep> = {}): PlanStep => ({
  name,
  module,
  needs,
  params: { name, file, ...params },
  cache: false,
  effect: false,
  retries: 0,
  timeoutMs: 20_000,
  ...more,
});
const effect = (name: string, needs: readonly string[] = [], more: Partial<PlanStep> = {}) =>
  step(name, needs, {}, { effect: true, module: "", ...more });
const plan = (...steps: PlanStep[]): PlanIR => ({ formatVersion: 1, pipeline: "daily", steps });
let keys = 0;
const start = (made: PlanIR, more: Partial<StartOptions> = {}, on = engine) =>
  on.start(made, {
    trigger: { kind: "test", reason: "asked for" },
    dedupeKey: `key-${keys++}`,
    actor: systemActor("test"),
    ...more,
  });
const finish = async (made: PlanIR, more: Partial<StartOptions> = {}) => engine.wait(await start(made, more));
const statuses = (run: { steps: readonly { step: string; status: string }[] }) =>
  Object.fromEntries(run.steps.map((each) => [each.step, each.status]));
const log = () => readFileSync(file, "utf8").trim().split("\n");

describe("a run", () => {
  test("hands each step the outputs it needs, and keeps everything", async () => {
    const run = await finish(plan(step("c", ["a", "record:b"]), step("a"), effect("record:b", ["a"])), { params: { shared: 1 } });
    expect(run).toMatchObject({
      status: "succeeded",
      pipeline: "daily",
      actor: "system:test",
      trigger: { kind: "test", reason: "asked for" },
    });
    expect(statuses(run)).toEqual({ a: "succeeded", "record:b": "succeeded", c: "succeeded" });
    const byName = new Map(run.steps.map((each) => [each.step, each]));
    expect(byName.get("a")?.output).toEqual({ from: "a", needs: [], runId: run.id });
    expect(byName.get("c")?.output).toMatchObject({ needs: ["a", "record:b"] });
    expect(byName.get("record:b")?.output).toEqual({ recorded: 1 });
    expect(calls).toEqual([
      {
        step: "record:b",
        key: `${run.id}/record:b`,
        input: { params: { name: "record:b", file, shared: 1 }, needs: { a: { from: "a", needs: [], runId: run.id } } },
      },
    ]);
    expect(run.steps.every(({ startedAt, endedAt }) => startedAt !== null && endedAt !== null && startedAt <= endedAt)).toBe(
      true,
    );
    expect(run.startedAt).toBeGreaterThanOrEqual(run.createdAt);
  });

  test("runs independent steps at the same time", async () => {
    await finish(plan(step("a", [], { ms: 400 }), step("b", [], { ms: 400 })));
    expect(log().slice(0, 2).toSorted()).toEqual(["begin a", "begin b"]);
  });

  test("never has more steps in the executor than it may", async () => {
    await engine.close();
    engine = open({ concurrency: 1 });
    await finish(plan(step("a", [], { ms: 20 }), step("b", [], { ms: 20 }), step("c", [], { ms: 20 })));
    expect(log().map((line) => line.split(" ")[0])).toEqual(["begin", "end", "begin", "end", "begin", "end"]);
  });

  test("of the same dedupe key is one run, however many start it at once and also afterwards", async () => {
    const made = plan(step("a"));
    const ids = await Promise.all(Array.from({ length: 8 }, () => start(made, { dedupeKey: "alert-1" })));
    expect(new Set(ids).size).toBe(1);
    await engine.wait(ids[0] ?? "");
    expect(await start(made, { dedupeKey: "alert-1" })).toBe(ids[0]);
    expect(log().filter((line) => line === "begin a")).toHaveLength(1);
    expect(await start(made, { dedupeKey: "alert-2" })).not.toBe(ids[0]);
  });

  test("tells what happens, in order", async () => {
    const seen: string[] = [];
    const end = engine.subscribe((event: PipelineEvent) => {
      seen.push(event.kind === "run" ? event.status : event.kind === "step" ? `${event.step} ${event.status}` : "progress");
    });
    await finish(plan(step("a", [], { fails: "invalid" }), step("b", ["a"])));
    end();
    expect(seen).toEqual(["running", "a running", "a failed", "b skipped", "failed"]);
  });

  test("gets durations that are real on a virtual clock", async () => {
    await engine.close();
    const at = parseTimestamp("2013-11-01T00:00:00Z");
    engine = open({ clock: new VirtualClock(at) });
    const run = await finish(plan(step("a", [], { ms: 50 })));
    const [only] = run.steps;
    expect(run.createdAt).toBe(at);
    expect(only?.startedAt).toBeGreaterThanOrEqual(at);
    expect((only?.endedAt ?? 0) - (only?.startedAt ?? 0)).toBeGreaterThanOrEqual(45_000);
  });
});

describe("a step that fails", () => {
  test("skips what depends on it, and lets the rest go on", async () => {
    const run = await finish(
      plan(
        step("last", ["b"]),
        step("a", [], { fails: "invalid" }),
        step("b", ["a"]),
        step("other", [], { ms: 50 }),
        effect("record", ["last"]),
      ),
    );
    expect(run.status).toBe("failed");
    expect(statuses(run)).toEqual({ a: "failed", b: "skipped", last: "skipped", record: "skipped", other: "succeeded" });
    expect(run.steps.find(({ step: name }) => name === "a")?.error).toMatchObject({
      code: "FIXTURE_INVALID",
      hint: "Nothing helps.",
    });
    expect(calls).toEqual([]);
  });

  test("is tried again when that may help, as often as the plan says", async () => {
    const run = await finish(
      plan(
        step("once", [], { fails: "once" }, { retries: 1 }),
        step("dies", [], { fails: "dies-once" }, { retries: 1 }),
        step("always", [], { fails: "always" }, { retries: 2 }),
        step("wrong", [], { fails: "invalid" }, { retries: 5 }),
      ),
    );
    expect(statuses(run)).toEqual({ once: "succeeded", dies: "succeeded", always: "failed", wrong: "failed" });
    expect(Object.fromEntries(run.steps.map((each) => [each.step, each.attempt]))).toEqual({
      once: 2,
      dies: 2,
      always: 3,
      wrong: 1,
    });
  });

  test("by taking too long is a timeout", async () => {
    const run = await finish(plan(step("slow", [], { ms: 30_000 }, { timeoutMs: 300 })));
    expect(run.steps[0]?.error?.code).toBe("EXECUTOR_STEP_TIMEOUT");
  });

  test("by returning more than references is told to use the artifact store", async () => {
    const run = await finish(plan(step("large", [], { output: "large" })));
    expect(run.steps[0]?.error).toMatchObject({
      code: "PIPELINE_OUTPUT_INVALID",
      hint: expect.stringContaining("artifact store"),
    });
  });
});

describe("an effect", () => {
  const withEffect = async (work: Effect) => {
    await engine.close();
    engine = open({ effects: { record: work } });
  };

  test("that fails is tried again with the same key", async () => {
    const seen: string[] = [];
    await withEffect(async (_, { idempotencyKey }) => {
      seen.push(idempotencyKey);
      if (seen.length < 3) throw new Error("not yet");
      return "done";
    });
    const run = await finish(plan(effect("record", [], { retries: 2 })));
    expect(run.steps[0]).toMatchObject({ status: "succeeded", output: "done", attempt: 3 });
    expect(new Set(seen)).toEqual(new Set([`${run.id}/record`]));
  });

  test("whose result is stored is not called, and gives that result", async () => {
    const late = open({
      executor: { submit: () => ({ result: new Promise(() => {}), cancel: () => {} }), close: async () => {} },
    });
    const id = await start(plan(step("a"), effect("record", ["a"])), {}, late);
    await store.db
      .insertInto("effects")
      .values({ workspace: "default", project: "flights", idempotency_key: `${id}/record`, result: '"from before"', at: 0 })
      .execute();
    await engine.resume();
    expect((await engine.wait(id)).steps[1]).toMatchObject({ status: "succeeded", output: "from before" });
    expect(calls).toEqual([]);
  });

  test("that takes too long is told, fails, and is not tried again", async () => {
    let told = false;
    await withEffect((_, { signal }) => new Promise(() => signal.addEventListener("abort", () => (told = true))));
    const run = await finish(plan(effect("record", [], { timeoutMs: 50, retries: 3 })));
    expect(run.steps[0]).toMatchObject({ status: "failed", attempt: 1, error: { code: "PIPELINE_EFFECT_TIMEOUT" } });
    expect(told).toBe(true);
  });

  test("that returns what is not JSON fails", async () => {
    await withEffect(async () => ({ at: new Date(0) }));
    expect((await finish(plan(effect("record")))).steps[0]?.error?.message).toContain("output.at");
  });

  test("that nobody has given is refused before the run is made", async () => {
    await expect(start(plan(effect("deploy")))).rejects.toMatchObject({ code: "PIPELINE_EFFECT_UNKNOWN" });
    expect((await engine.list()).items).toEqual([]);
  });
});

describe("the cache", () => {
  const cached = (name: string, needs: readonly string[] = [], params: object = {}) => step(name, needs, params, { cache: true });

  test("takes the output of an equal step, and names the run that made it", async () => {
    const first = await finish(plan(cached("a"), step("b", ["a"])));
    const second = await finish(plan(cached("a"), step("b", ["a"])));
    expect(statuses(first)).toEqual({ a: "succeeded", b: "succeeded" });
    expect(statuses(second)).toEqual({ a: "cached", b: "succeeded" });
    expect(second.steps[0]).toMatchObject({ output: first.steps[0]?.output, cachedFrom: first.id, attempt: 0 });
    expect(first.steps[0]?.cachedFrom).toBeNull();
    expect(log().filter((line) => line === "begin a")).toHaveLength(1);
  });

  test("is missed when params, inputs or code differ", async () => {
    const code = join(folder, "step.ts");
    const own = { module: pathToFileURL(code).href };
    writeFileSync(code, "export default async () => 1;");
    const made = (params: object) => plan(step("in", [], params, { ...own }), step("a", ["in"], params, { ...own, cache: true }));
    const lastOf = async (params: object) => (await finish(made(params))).steps[1];
    expect(await lastOf({})).toMatchObject({ status: "succeeded", output: 1 });
    expect(await lastOf({})).toMatchObject({ status: "cached" });
    expect(await lastOf({ other: true })).toMatchObject({ status: "succeeded" });
    writeFileSync(code, "export default async () => 2 + 0;");
    expect(await lastOf({})).toMatchObject({ status: "succeeded", output: 2 });
    expect((await finish(plan(cached("a")), { params: { shared: 1 } })).steps[0]?.status).toBe("succeeded");
    expect((await finish(plan(cached("a")), { params: { shared: 2 } })).steps[0]?.status).toBe("succeeded");
  });

  test("does not keep what failed", async () => {
    await finish(plan(cached("a", [], { fails: "once" })));
    expect((await finish(plan(cached("a", [], { fails: "once" })))).steps[0]?.status).toBe("succeeded");
  });

  test("refuses a step that loads what no digest covers, unless its files are declared", async () => {
    const code = join(folder, "computed.ts");
    writeFileSync(
      code,
      "export default async ({ params }: { params: { path: string } }) => (await import(params.path)).default;",
    );
    writeFileSync(join(folder, "loaded.ts"), "export default 7;");
    const own = { module: pathToFileURL(code).href, cache: true };
    const params = { path: pathToFileURL(join(folder, "loaded.ts")).href };
    await expect(start(plan(step("a", [], params, own)))).rejects.toMatchObject({
      code: "PIPELINE_IMPORT_COMPUTED",
      kind: "invalid",
    });
    const run = await finish(plan(step("a", [], params, { ...own, files: [params.path] })));
    expect(run.steps[0]?.output).toBe(7);
  });
});

describe("stopping", () => {
  test("cancelling ends the running steps and skips the rest", async () => {
    const id = await start(plan(step("a", [], { ms: 30_000 }), step("b", ["a"])));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await engine.cancel(id);
    const run = await engine.get(id);
    expect(run.status).toBe("cancelled");
    expect(statuses(run)).toEqual({ a: "failed", b: "skipped" });
    expect(run.steps[0]?.error?.code).toBe("PIPELINE_CANCELLED");
    await engine.cancel(id);
    expect((await engine.get(id)).endedAt).toBe(run.endedAt);
    await expect(engine.cancel("pipeline-run-none")).rejects.toMatchObject({ code: "PIPELINE_RUN_UNKNOWN" });
  });

  test("cancelling a finished run leaves it as it ended", async () => {
    const run = await finish(plan(step("a")));
    await engine.cancel(run.id);
    expect((await engine.get(run.id)).status).toBe("succeeded");
  });

  test("closing lets go of a run, and the next engine takes it up and repeats no finished step", async () => {
    const id = await start(plan(step("a"), step("b", ["a"], { ms: 5_000 }), effect("record", ["b"])));
    for (;;) {
      if (log().includes("begin b")) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await engine.close();
    await expect(start(plan(step("a")))).rejects.toMatchObject({ code: "PIPELINE_CLOSED", kind: "unavailable" });
    await expect(engine.wait(id)).rejects.toMatchObject({ code: "PIPELINE_CLOSED" });
    engine = open();
    await expect(engine.wait(id)).rejects.toMatchObject({ code: "PIPELINE_RUN_IDLE" });
    expect(await engine.resume()).toEqual([id]);
    expect((await engine.wait(id)).status).toBe("succeeded");
    expect(log().filter((line) => line.startsWith("begin"))).toEqual(["begin a", "begin b", "begin b"]);
    expect(calls).toHaveLength(1);
    expect(await engine.resume()).toEqual([]);
  });

  test("a commit that fails stops a run where it stands, and it goes on when the store works again", async () => {
    const id = await start(plan(step("a", [], { ms: 300 }), step("b", ["a"])));
    const broken =
      "create trigger broken before update on step_runs when new.status = 'succeeded' begin select raise(abort, 'refused'); end";
    await sql.raw(broken).execute(store.db);
    await expect(engine.wait(id)).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    expect((await engine.get(id)).status).toBe("running");
    await sql.raw("drop trigger broken").execute(store.db);
    await engine.resume();
    expect((await engine.wait(id)).status).toBe("succeeded");
  });
});

describe("lists", () => {
  test("hold the newest first, page by page, by pipeline and status", async () => {
    const ids: string[] = [];
    for (const pipeline of ["daily", "daily", "weekly"]) ids.push((await finish({ ...plan(step("a")), pipeline })).id);
    const first = await engine.list({ limit: 2 });
    expect(first.items.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    const second = await engine.list({ limit: 2, cursor: first.nextCursor ?? "" });
    expect(second).toMatchObject({ items: [{ id: ids[0] }], nextCursor: null });
    expect((await engine.list({ pipeline: "weekly" })).items).toHaveLength(1);
    expect((await engine.list({ status: "failed" })).items).toEqual([]);
    await expect(engine.list({ cursor: "bm9uZQ" })).rejects.toMatchObject({ code: "PIPELINE_CURSOR_INVALID" });
    await expect(engine.list({ limit: 0 })).rejects.toMatchObject({ code: "PIPELINE_CURSOR_INVALID" });
    await expect(engine.get("pipeline-run-none")).rejects.toMatchObject({ code: "PIPELINE_RUN_UNKNOWN", kind: "not-found" });
  });
});
