import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AnsweringServer, answeringServer, loggedBy } from "./fixtures/answering-server.ts";
import { currentRun, logMetric, type RunLog, startRun, trackerErrors } from "./index.ts";
import type { TrackerWarning } from "./run-delivery.ts";
import { createTracker, type TrackerOptions } from "./tracker.ts";

let server: AnsweringServer;
let spool: string;
let warnings: TrackerWarning[];
const tracker = (more: TrackerOptions = {}) =>
  createTracker({
    url: server.url,
    spool,
    batchMs: 20,
    patienceMs: 5_000,
    onWarning: (warning) => warnings.push(warning),
    ...more,
  });
const refuse =
  (code: string, keys: readonly string[]): AnsweringServer["answer"] =>
  ({ body }) => {
    const batch = body as { params?: { key: string }[]; metrics?: { key: string }[] };
    const all = [...(batch.params ?? []), ...(batch.metrics ?? [])];
    return all.some(({ key }) => keys.includes(key)) ? { status: 409, code } : null;
  };

beforeEach(async () => {
  server = await answeringServer();
  spool = mkdtempSync(join(tmpdir(), "orrery-spool-"));
  warnings = [];
});
afterEach(async () => {
  await server.stop().catch(() => undefined);
  rmSync(spool, { recursive: true, force: true });
});

describe("a run", () => {
  it("is created, logged to and ended in this order", async () => {
    const answer = await tracker().startRun(
      { experiment: "e", name: "n", params: { depth: 3 }, tags: { team: "x" } },
      async (run) => {
        run.logMetric("loss", 0.5, { step: 1 });
        run.setTag("phase", "two");
        return 42;
      },
    );
    expect(answer).toBe(42);
    const [create, log, end] = server.requests;
    expect(server.requests).toHaveLength(3);
    expect(create).toMatchObject({
      method: "POST",
      path: "/api/v1/default/p/runs",
      body: { experiment: "e", name: "n", tags: { team: "x" } },
    });
    expect(log?.body).toMatchObject({
      params: [{ key: "depth", value: "3" }],
      metrics: [{ key: "loss", value: 0.5, step: 1 }],
      tags: [{ key: "phase", value: "two" }],
    });
    expect(end).toMatchObject({ method: "PATCH", body: { status: "finished" } });
    expect(readdirSync(spool)).toEqual([]);
  });

  it("has failed when its body throws, whose error goes on", async () => {
    const thrown = new Error("mine");
    await expect(
      tracker().startRun({}, () => {
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    expect(server.requests.at(-1)?.body).toMatchObject({ status: "failed" });
  });

  it("keeps NaN and the infinities, and times that only grow", async () => {
    await tracker().startRun({}, (run) => {
      for (const value of [Number.NaN, Infinity, -Infinity, 1, 1]) run.logMetric("m", value);
    });
    const metrics = loggedBy(server.requests).flatMap((batch) => batch.metrics);
    expect(metrics.map(({ value }) => value)).toEqual(["NaN", "Infinity", "-Infinity", 1, 1]);
    expect(new Set(metrics.map(({ at }) => at)).size).toBe(5);
  });

  it("sends at most 1,000 entries and 100 texts of a kind at once, in order", async () => {
    await tracker().startRun({}, (run) => {
      for (let step = 0; step < 2_500; step++) run.logMetric("m", step, { step });
      for (let i = 0; i < 250; i++) run.logParam(`p${i}`, i);
      run.setTag("t", "first");
      run.setTag("t", "second");
    });
    const batches = loggedBy(server.requests);
    for (const { metrics, params, tags } of batches) {
      expect(metrics.length + params.length + tags.length).toBeLessThanOrEqual(1_000);
      expect(params.length).toBeLessThanOrEqual(100);
    }
    expect(batches.flatMap(({ metrics }) => metrics.map(({ step }) => step))).toEqual(Array.from({ length: 2_500 }, (_, i) => i));
    expect(batches.flatMap(({ params }) => params)).toHaveLength(250);
    expect(batches.flatMap(({ tags }) => tags.map(({ value }) => value))).toEqual(["first", "second"]);
    expect(batches.every(({ tags }) => tags.length < 2)).toBe(true);
  });

  it("refuses what is no metric at once, and anything after its end", async () => {
    const run = await tracker().startRun();
    expect(() => run.logMetric("m", "1" as unknown as number)).toThrow(/not a number/);
    expect(() => run.logMetric("m", 1, { step: 0.5 })).toThrow(/step/);
    expect(() => run.logMetric("", 1)).toThrow(/key/);
    expect(() => run.logMetric("m", 1, { at: new Date("never") })).toThrow(/time/);
    await run.end();
    expect(() => run.logParam("a", 1)).toThrow(expect.objectContaining({ code: "TRACKER_RUN_ENDED" }));
    await expect(run.logText("a", "b")).rejects.toMatchObject({ code: "TRACKER_RUN_ENDED" });
    const requests = server.requests.length;
    await run.end("failed");
    expect(server.requests).toHaveLength(requests);
  });
});

describe("the current run", () => {
  it("is each call tree's own, and nested runs are below it", async () => {
    const t = tracker();
    const seen = await Promise.all(
      ["a", "b", "c", "d"].map((name) =>
        t.startRun({ name, experiment: `of ${name}` }, async (outer) => {
          await new Promise((resolve) => setTimeout(resolve, 5 * Math.random()));
          const inner = await startRun({ name: `${name} inner` }, async (run) => {
            logMetric(name, 1);
            await new Promise((resolve) => setTimeout(resolve, 5 * Math.random()));
            logMetric(name, 2);
            expect(currentRun()).toBe(run);
            return run.id;
          });
          expect(currentRun()).toBe(outer);
          return { name, outer: outer.id, inner };
        }),
      ),
    );
    expect(currentRun()).toBeUndefined();
    const created = server.requests
      .filter(({ path }) => path.endsWith("/runs"))
      .map(({ body }) => body as Record<string, unknown>);
    for (const { name, outer, inner } of seen) {
      expect(created.find(({ id }) => id === inner)).toMatchObject({
        parentRunId: outer,
        experiment: `of ${name}`,
        name: `${name} inner`,
      });
      const logged = server.requests
        .filter(({ path }) => path.endsWith(`${inner}/log`))
        .flatMap((request) => loggedBy([request]));
      expect(logged.flatMap(({ metrics }) => metrics.map(({ key }) => key))).toEqual([name, name]);
    }
  });

  it("is none outside of a run, nor that of a run which only was started", async () => {
    expect(() => logMetric("m", 1)).toThrow(expect.objectContaining({ code: "TRACKER_NO_RUN" }));
    const run = await tracker().startRun();
    expect(currentRun()).toBeUndefined();
    const inside: RunLog | undefined = run.within(() => currentRun());
    expect(inside).toBe(run);
    await run.end();
  });

  it("of another server has no run below it here", async () => {
    const other = await answeringServer();
    await tracker().startRun({}, () => tracker({ url: other.url }).startRun({}, () => undefined));
    expect(other.requests[0]?.body).not.toHaveProperty("parentRunId");
    await other.stop();
  });
});

describe("a server in trouble", () => {
  it("gets everything, in order, when it answers again", async () => {
    let failures = 0;
    await tracker().startRun({}, async (run) => {
      server.answer = () => {
        failures += 1;
        if (failures > 5) return null;
        return failures % 3 === 0 ? "reset" : { status: failures % 3 === 1 ? 503 : 429, code: "BUSY" };
      };
      for (let step = 0; step < 1_500; step++) run.logMetric("m", step, { step });
      await run.flush();
    });
    const taken = server.requests.slice(-3);
    expect(loggedBy(taken).flatMap(({ metrics }) => metrics.map(({ step }) => step))).toEqual(
      Array.from({ length: 1_500 }, (_, i) => i),
    );
    expect(warnings.map(({ code }) => code)).toContain("TRACKER_UNREACHABLE");
  });

  it("that comes back at the same address is found again", async () => {
    const run = await tracker().startRun();
    await server.stop();
    run.logMetric("m", 1);
    setTimeout(() => void server.start(), 300);
    await run.end();
    expect(loggedBy(server.requests).flatMap(({ metrics }) => metrics)).toHaveLength(1);
  });

  it("makes flush fail after its patience, without losing what waits", async () => {
    const run = await tracker({ patienceMs: 200 }).startRun();
    await server.stop();
    run.logMetric("m", 1);
    await expect(run.flush()).rejects.toMatchObject({
      code: "TRACKER_UNREACHABLE",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    await server.start();
    await run.end();
    expect(loggedBy(server.requests).flatMap(({ metrics }) => metrics)).toHaveLength(1);
  });

  it("makes startRun fail where no run can be made, with the server's own reason", async () => {
    server.answer = () => ({ status: 401, code: "SERVER_TOKEN_REQUIRED" });
    await expect(tracker().startRun()).rejects.toMatchObject({ status: 401, body: { code: "SERVER_TOKEN_REQUIRED" } });
    server.answer = () => ({ status: 409, code: "TRACKING_EXPERIMENT_DELETED" });
    await expect(tracker().startRun()).rejects.toMatchObject({ body: { code: "TRACKING_EXPERIMENT_DELETED" } });
    await server.stop();
    await expect(tracker({ patienceMs: 100 }).startRun()).rejects.toMatchObject({ code: "TRACKER_UNREACHABLE" });
    await server.start();
    expect(readdirSync(spool)).toEqual([]);
  });

  it("does not cost a body its result", async () => {
    const result = await tracker({ patienceMs: 100 }).startRun({}, async () => {
      await server.stop();
      return "hours of work";
    });
    expect(result).toBe("hours of work");
    await server.start();
  });
});

describe("an entry that is refused", () => {
  it("stands alone: the others arrive, and it is told by a warning and by flush", async () => {
    const run = await tracker().startRun();
    server.answer = refuse("TRACKING_PARAM_CHANGED", ["p17", "p63"]);
    for (let i = 0; i < 90; i++) run.logParam(`p${i}`, i);
    await expect(run.flush()).rejects.toMatchObject({
      code: "TRACKER_ENTRIES_REFUSED",
      details: {
        refused: [
          { kind: "param", name: "p17", code: "TRACKING_PARAM_CHANGED" },
          { kind: "param", name: "p63" },
        ],
      },
    });
    expect(warnings.map(({ refused }) => refused?.[0]?.name)).toEqual(["p17", "p63"]);
    const taken = loggedBy(server.requests.filter(({ body }) => server.answer({ method: "", path: "", body }) === null));
    expect(taken.flatMap(({ params }) => params.map(({ key }) => key))).toHaveLength(88);
    await run.flush();
    await run.end();
    expect(server.requests.at(-1)?.body).toMatchObject({ status: "finished" });
  });

  it("is an error of startRun with a body, too", async () => {
    server.answer = refuse("TRACKING_PARAM_CHANGED", ["bad"]);
    await expect(tracker().startRun({ params: { bad: 1 } }, () => 1)).rejects.toMatchObject({ code: "TRACKER_ENTRIES_REFUSED" });
  });

  it("may be one that the server fails at by itself, again and again", async () => {
    server.answer = ({ body }) => (JSON.stringify(body).includes('"poison"') ? { status: 500, code: "INTERNAL" } : null);
    const run = await tracker().startRun();
    run.logMetric("poison", 1);
    await expect(run.flush()).rejects.toMatchObject({ code: "TRACKER_ENTRIES_REFUSED" });
    await run.end();
  }, 20_000);
});

describe("files", () => {
  it("are uploaded by path, as bytes, as a stream, as text, as JSON and as a folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "orrery-files-"));
    writeFileSync(join(folder, "a b.txt"), "in a file");
    const run = await tracker().startRun();
    await run.logArtifact(join(folder, "a b.txt"));
    await run.logArtifact(Buffer.from("bytes"), "x/y.bin");
    await run.logArtifact(Readable.from([Buffer.from("str"), Buffer.from("eam")]), "s.csv");
    await run.logText("text", "t.md");
    await run.logJson({ a: 1 }, "j.json");
    await run.logFolder(folder, "in");
    await run.end();
    const files = server.requests.filter(({ method }) => method === "PUT");
    expect(files.map(({ path, body }) => [path.split("/artifacts/")[1], body])).toEqual([
      ["a%20b.txt", "in a file"],
      ["x/y.bin", "bytes"],
      ["s.csv", "stream"],
      ["t.md", "text"],
      ["j.json", '{\n  "a": 1\n}'],
      ["in/a%20b.txt", "in a file"],
    ]);
    rmSync(folder, { recursive: true });
  });

  it("that are not there, or have no name, are refused at once", async () => {
    const run = await tracker().startRun();
    await expect(run.logArtifact("/nowhere/to/be/found")).rejects.toMatchObject({ code: "TRACKER_FILE_MISSING" });
    await expect(run.logFolder("/nowhere/to/be/found")).rejects.toMatchObject({ code: "TRACKER_FILE_MISSING" });
    await expect(run.logArtifact(Buffer.from("a"))).rejects.toMatchObject({ code: "TRACKER_VALUE_INVALID" });
    await run.end();
  });

  it("that nobody waits for are there when the run has ended", async () => {
    server.answer = ({ method }) => (method === "PUT" && server.requests.length < 2 ? "reset" : null);
    const run = await tracker().startRun();
    void run.logText("text", "t.txt");
    setTimeout(() => (server.answer = () => null), 150);
    await run.end();
    expect(server.requests.filter(({ method }) => method === "PUT")).toHaveLength(1);
  });
});

it("names each error with a hint", () => {
  for (const entry of Object.values(trackerErrors)) expect(entry.hint).not.toBe("");
});
