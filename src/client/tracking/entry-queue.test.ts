import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batchOf, batchSize } from "./batch.ts";
import type { LogEntry } from "./entries.ts";
import { EntryQueue } from "./entry-queue.ts";
import { leftAddresses, type RunHeader, RunSpool, takeLeftRuns } from "./spool.ts";

let root: string;
const header = (id: string, url = "http://a"): RunHeader => ({
  formatVersion: 1,
  url,
  project: null,
  create: { id, startedAt: 1 },
});
const metric = (step: number): LogEntry => ({ kind: "metric", key: "m", value: step, step, at: step + 1 });
const stepsOf = (entries: readonly LogEntry[]) => entries.map((entry) => (entry.kind === "metric" ? entry.step : -1));
const takeAll = (queue: EntryQueue) => {
  const taken: number[] = [];
  for (let next = queue.peek(1_000); next.length > 0; next = queue.peek(1_000)) {
    taken.push(...stepsOf(next));
    queue.drop(next.length);
  }
  return taken;
};
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "orrery-spool-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("a queue of entries", () => {
  it("gives them in order however pushing and taking alternate, and leaves nothing on disk", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 50_000 }), fc.integer({ min: 0, max: 60_000 })), { maxLength: 6 }),
        (moves) => {
          const queue = new EntryQueue(new RunSpool(root, header("run-p")));
          let pushed = 0;
          const taken: number[] = [];
          for (const [add, take] of moves) {
            for (let i = 0; i < add; i++) queue.push(metric(pushed++));
            for (let left = take; left > 0; ) {
              const next = queue.peek(Math.min(left, 1_000));
              if (next.length === 0) break;
              taken.push(...stepsOf(next));
              queue.drop(next.length);
              left -= next.length;
            }
          }
          taken.push(...takeAll(queue));
          expect(queue.length).toBe(0);
          expect(taken).toEqual(range(0, pushed));
          for (const folder of readdirSync(root)) expect(readdirSync(join(root, folder))).toEqual(["run.json"]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("holds a bounded number in memory: the rest lies on disk", () => {
    const queue = new EntryQueue(new RunSpool(root, header("run-b")));
    for (const step of range(0, 200_000)) queue.push(metric(step));
    const [folder = ""] = readdirSync(root);
    const waiting = readdirSync(join(root, folder)).filter((name) => name.startsWith("log-"));
    expect(waiting.length).toBeGreaterThanOrEqual(8);
    expect(takeAll(queue)).toEqual(range(0, 200_000));
  });

  it("is found again by another process, from the first entry that was not taken", () => {
    for (const taken of [0, 7, 30_000, 70_000]) {
      const id = `run-${taken}`;
      const spool = new RunSpool(root, header(id));
      const queue = new EntryQueue(spool);
      for (const step of range(0, 90_000)) queue.push(metric(step));
      for (let left = taken; left > 0; left -= 1_000) {
        const next = queue.peek(Math.min(1_000, left));
        queue.drop(next.length);
      }
      queue.spoolRest();
      spool.release();
      const { runs, unreadable } = takeLeftRuns(root, ({ create }) => create.id === id);
      expect(unreadable).toEqual([]);
      expect(runs).toHaveLength(1);
      const again = runs[0]?.spool ?? spool;
      expect(takeAll(new EntryQueue(again))).toEqual(range(taken, 90_000));
      again.remove();
    }
    expect(readdirSync(root)).toEqual([]);
  });
});

describe("what a process left", () => {
  const leave = (id: string, url?: string) => {
    const spool = new RunSpool(root, header(id, url));
    spool.writeLog(0, [metric(0)]);
    return spool;
  };

  it("is taken by one only, of the wanted address only, and not while its process lives", () => {
    leave("run-alive");
    leave("run-a").release();
    leave("run-b", "http://b").release();
    expect(leftAddresses(root)).toEqual(
      expect.arrayContaining([
        { url: "http://a", project: null },
        { url: "http://b", project: null },
      ]),
    );
    const take = () => takeLeftRuns(root, ({ url }) => url === "http://a").runs.map((run) => run.header.create.id);
    expect(take()).toEqual(["run-a"]);
    expect(take()).toEqual([]);
  });

  it("is refused by name where it cannot be read, and does not keep the others from being sent", () => {
    leave("run-a").release();
    leave("run-new").release();
    leave("run-torn").release();
    writeFileSync(join(root, "run-new.left/run.json"), JSON.stringify({ ...header("run-new"), formatVersion: 99 }));
    writeFileSync(join(root, "run-torn.left/run.json"), "{");
    const { runs, unreadable } = takeLeftRuns(root, () => true);
    expect(runs.map((run) => run.header.create.id)).toEqual(["run-a"]);
    expect(unreadable.map(({ code }) => code)).toEqual(["TRACKER_SPOOL_UNREADABLE", "TRACKER_SPOOL_UNREADABLE"]);
    expect(readdirSync(root)).toEqual(expect.arrayContaining(["run-new.left", "run-torn.left"]));
  });

  it("names files where they are, holds bytes itself, and never a token", () => {
    process.env.ORRERY_TOKEN = "very-secret";
    const spool = new RunSpool(root, header("run-f"));
    spool.addFile("a.txt", "text/plain", "/somewhere/a.txt");
    spool.addFile("b.bin", "application/octet-stream", Buffer.from([0, 255]));
    delete process.env.ORRERY_TOKEN;
    const [a, b] = spool.files();
    expect(a).toEqual({ path: "a.txt", mediaType: "text/plain", file: "/somewhere/a.txt" });
    expect([...readFileSync(b?.file ?? "")]).toEqual([0, 255]);
    const [folder = ""] = readdirSync(root);
    const all = readdirSync(join(root, folder)).map((name) => readFileSync(join(root, folder, name), "utf8"));
    expect(all.join("")).not.toContain("very-secret");
  });

  it("says so when it cannot be kept", () => {
    writeFileSync(join(root, "file"), "");
    const spool = new RunSpool(join(root, "file"), header("run-x"));
    expect(() => spool.writeLog(0, [])).toThrow(expect.objectContaining({ code: "TRACKER_SPOOL_UNWRITABLE" }));
  });
});

describe("a batch", () => {
  const entry = fc.oneof(
    fc.record({
      kind: fc.constant("metric" as const),
      key: fc.string(),
      value: fc.double(),
      step: fc.integer(),
      at: fc.integer(),
    }),
    fc.record({
      kind: fc.constantFrom("param" as const, "tag" as const),
      key: fc.constantFrom("a", "b", "c"),
      value: fc.string(),
    }),
    fc.record({ kind: fc.constant("end" as const), status: fc.constant("finished" as const), at: fc.integer() }),
  );

  it("is never empty, names no param or tag twice, and leaves what is no log entry alone", () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 300 }), (entries) => {
        const size = batchSize(entries);
        expect(size).toBeGreaterThan(0);
        const taken = entries.slice(0, size);
        const { metrics, params, tags } = batchOf(taken);
        const isEnd = taken[0]?.kind === "end";
        expect(metrics.length + params.length + tags.length).toBe(isEnd ? 0 : size);
        if (isEnd) expect(size).toBe(1);
        for (const texts of [params, tags]) expect(new Set(texts.map(({ key }) => key)).size).toBe(texts.length);
      }),
    );
  });

  it("stays within what one request may hold", () => {
    const texts = range(0, 100).map((i): LogEntry => ({ kind: "tag", key: String(i), value: "x".repeat(8_000) }));
    expect(batchSize(texts)).toBeLessThanOrEqual(63);
    expect(batchSize([{ kind: "tag", key: "a", value: "x".repeat(9_000_000) }])).toBe(1);
    expect(batchSize([])).toBe(0);
  });
});
