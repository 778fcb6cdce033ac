import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { listSegments, openNdjsonLog, readSegment } from "./ndjson.ts";

const root = mkdtempSync(join(tmpdir(), "orrery-ndjson-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = () => join(root, `log-${folders++}`);

/** Records in the order of their segments; fails on a line that is not whole. */
function recordsOf(directory: string): unknown[] {
  return listSegments(directory).flatMap((segment) => {
    const text = readSegment(segment, 0).bytes.toString();
    return text === ""
      ? []
      : text
          .trimEnd()
          .split("\n")
          .map((line): unknown => JSON.parse(line));
  });
}

const MODULE = JSON.stringify(new URL("./ndjson.ts", import.meta.url).href);
const script = (code: string) => ["--input-type=module-typescript", "-e", `import { openNdjsonLog } from ${MODULE};\n${code}`];

describe("the NDJSON event log", () => {
  it("has on disk what was appended before flushed resolved, in order", async () => {
    const directory = folder();
    const log = openNdjsonLog(directory);
    for (let n = 0; n < 1_000; n++) log.append({ n, text: "ü\n" });
    await log.flushed();
    expect(recordsOf(directory)).toEqual(Array.from({ length: 1_000 }, (_, n) => ({ n, text: "ü\n" })));
    expect(listSegments(directory).map(({ open }) => open)).toEqual([true]);
    await log.close();
    expect(listSegments(directory).map(({ open }) => open)).toEqual([false]);
  });

  it("begins a new segment by size and a new one for every start, and never reopens one", async () => {
    const directory = folder();
    const first = openNdjsonLog(directory, { segmentBytes: 100 });
    for (let n = 0; n < 10; n++) {
      first.append({ n, filling: "x".repeat(60) });
      await first.flushed();
    }
    await first.close();
    const finished = listSegments(directory).map(({ path }) => [path, readFileSync(path, "utf8")] as const);
    expect(finished).toHaveLength(5);
    const second = openNdjsonLog(directory);
    second.append({ n: 10 });
    await second.close();
    expect(listSegments(directory)).toHaveLength(6);
    for (const [path, content] of finished) expect(readFileSync(path, "utf8")).toBe(content);
    expect(recordsOf(directory)).toHaveLength(11);
  });

  it("lists nothing where there is no folder, and makes no segment for nothing", async () => {
    const directory = folder();
    expect(listSegments(directory)).toEqual([]);
    await openNdjsonLog(directory).close();
    expect(listSegments(directory)).toEqual([]);
  });

  it("reads on from an offset and leaves a torn last line for the next time", () => {
    const directory = folder();
    mkdirSync(directory);
    const path = join(directory, "0-1-0.ndjson");
    writeFileSync(path, '{"a":1}\n{"a":2}\n{"a"');
    const segment = { id: "0-1-0", path, open: false };
    const begun = readSegment(segment, 0);
    expect(begun.bytes.toString()).toBe('{"a":1}\n{"a":2}\n');
    expect(readSegment(segment, begun.next)).toEqual({ bytes: Buffer.alloc(0), next: begun.next });
    appendFileSync(path, ":3}\n");
    expect(readSegment(segment, begun.next).bytes.toString()).toBe('{"a":3}\n');
  });

  it("gives back exactly the whole lines, wherever the file was cut", () => {
    const directory = folder();
    mkdirSync(directory);
    const path = join(directory, "0-1-0.ndjson");
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), fc.nat(400), (values, cut) => {
        const whole = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
        const torn = whole.subarray(0, cut);
        writeFileSync(path, torn);
        const { bytes, next } = readSegment({ id: "0-1-0", path, open: false }, 0);
        const expected = torn.subarray(0, torn.lastIndexOf(0x0a) + 1);
        expect([bytes.equals(expected), next]).toEqual([true, expected.length]);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps every flushed record when its process is killed, and finishes the segment at the next start", async () => {
    const directory = folder();
    const child = spawn(
      process.execPath,
      script(`
        const log = openNdjsonLog(${JSON.stringify(directory)});
        for (let n = 0; ; n += 10) {
          for (let k = 0; k < 10; k++) log.append({ n: n + k, filling: "x".repeat(500) });
          await log.flushed();
          process.stdout.write((n + 9) + "\\n");
        }`),
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let told = "";
    child.stdout.setEncoding("utf8");
    for await (const chunk of child.stdout) {
      told += chunk;
      if (told.split("\n").length > 20) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    const flushed = Number(told.slice(0, told.lastIndexOf("\n")).split("\n").at(-1));
    // What a kill in the middle of a write leaves behind.
    appendFileSync(listSegments(directory)[0].path, '{"n":');
    const numbers = recordsOf(directory).map((record) => (record as { n: number }).n);
    expect(numbers.length).toBeGreaterThan(flushed);
    expect(numbers).toEqual(numbers.map((_, n) => n));

    const next = openNdjsonLog(directory);
    expect(listSegments(directory).map(({ open }) => open)).toEqual([false]);
    next.append({ n: numbers.length });
    await next.close();
    expect(recordsOf(directory)).toHaveLength(numbers.length + 1);
  });

  it("leaves the segment of a living process alone", async () => {
    const directory = folder();
    const log = openNdjsonLog(directory);
    log.append({ n: 1 });
    await log.flushed();
    await openNdjsonLog(directory).close();
    expect(listSegments(directory).map(({ open }) => open)).toEqual([true]);
    await log.close();
  });

  it("waits in memory while it cannot write, says so, and loses nothing when it can again", async () => {
    const directory = folder();
    const log = openNdjsonLog(directory, { retryMs: 5, segmentBytes: 1 });
    rmSync(directory, { recursive: true });
    log.append({ n: 1 });
    await expect(log.flushed()).rejects.toMatchObject({ code: "EVENT_LOG_WRITE_FAILED", kind: "unavailable" });
    log.append({ n: 2 });
    expect([log.degraded, log.lost]).toEqual([expect.stringContaining("ENOENT"), 0]);
    mkdirSync(directory);
    await expect.poll(() => recordsOf(directory)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(log.degraded).toBeNull();
    await log.close();
  });

  it("counts what does not fit into memory, what cannot be written at the end, and what is no JSON", async () => {
    const directory = folder();
    const log = openNdjsonLog(directory, { bufferBytes: 20, retryMs: 60_000 });
    rmSync(directory, { recursive: true });
    log.append({ n: 1 });
    log.append({ text: "x".repeat(30) });
    log.append({ big: 1n });
    expect(log.lost).toBe(2);
    await log.close();
    expect(log.lost).toBe(3);
    log.append({ n: 2 });
    expect(log.lost).toBe(4);
  });

  it("writes each record once when a disk fills up in the middle of a write", () => {
    const directory = folder();
    // A limit on the size of files stands for a full disk: the write that crosses it stops in the middle and then fails.
    const code = `
      const log = openNdjsonLog(${JSON.stringify(directory)}, { retryMs: 1, segmentBytes: 1e9 });
      for (let n = 0; n < 50; n++) {
        log.append({ n, filling: "x".repeat(300) });
        await log.flushed();
      }
      await log.close();
      console.log("lost " + log.lost);`;
    const output = execFileSync("bash", ["-c", 'ulimit -f 4; exec "$0" "$@"', process.execPath, ...script(code)], {
      encoding: "utf8",
    });
    expect(output).toBe("lost 0\n");
    expect(listSegments(directory).length).toBeGreaterThan(3);
    expect(recordsOf(directory)).toEqual(Array.from({ length: 50 }, (_, n) => ({ n, filling: "x".repeat(300) })));
  });
});
