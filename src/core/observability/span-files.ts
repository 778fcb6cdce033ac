import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { SpanStatusCode } from "@opentelemetry/api";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-node";

export interface StoredSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  /** Microseconds since 1970, machine time. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly error: string | null;
}

/** A folder holds at least this many files before the oldest goes. */
const FILES = 8;
const NAME = /^spans-[0-9a-z]+-\d+-\d+\.ndjson$/;

/** Keeps spans on this machine, a line each; files of one folder, of all processes together, stay within `maxBytes` or little more. */
export class SpanFiles implements SpanExporter {
  readonly #directory: string;
  readonly #maxBytes: number;
  #file: string;
  #bytes = 0;
  #files = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string, maxBytes: number) {
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#file = this.#nextFile();
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter["export"]>[1]): void {
    const text = spans.map((span) => `${JSON.stringify(storedSpan(span))}\n`).join("");
    this.#writing = this.#writing
      .then(() => this.#write(text))
      .then(
        () => done({ code: 0 }),
        // Traces are dispensable: a full disk loses them and nothing else.
        (error: Error) => done({ code: 1, error }),
      );
  }

  async #write(text: string): Promise<void> {
    if (this.#bytes > 0 && this.#bytes + text.length > this.#maxBytes / FILES) this.#file = this.#nextFile();
    this.#bytes += text.length;
    await appendFile(this.#file, text);
  }

  #nextFile(): string {
    this.#bytes = 0;
    makeRoom(this.#directory, this.#maxBytes * (1 - 1 / FILES));
    const start = Date.now().toString(36).padStart(9, "0");
    return join(this.#directory, `spans-${start}-${process.pid}-${this.#files++}.ndjson`);
  }

  async forceFlush(): Promise<void> {
    await this.#writing;
  }

  async shutdown(): Promise<void> {
    await this.#writing;
  }
}

/** Removes the oldest files until no more than `maxBytes` are left. */
function makeRoom(directory: string, maxBytes: number): void {
  const newestFirst = readdirSync(directory)
    .filter((name) => NAME.test(name))
    .sort()
    .reverse();
  let bytes = 0;
  for (const name of newestFirst) {
    const path = join(directory, name);
    bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes > maxBytes) rmSync(path, { force: true });
  }
}

const micros = ([seconds, nanos]: readonly [number, number]) => seconds * 1_000_000 + Math.round(nanos / 1_000);

function storedSpan(span: ReadableSpan): StoredSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? null,
    name: span.name,
    start: micros(span.startTime),
    end: micros(span.endTime),
    attributes: span.attributes,
    error: span.status.code === SpanStatusCode.ERROR ? (span.status.message ?? "failed") : null,
  };
}

/** The spans of a trace that were kept here, in the order they began; empty where it was not sampled, or is too old. */
export async function findTrace(directory: string, traceId: string): Promise<StoredSpan[]> {
  if (!/^[0-9a-f]{32}$/.test(traceId) || !existsSync(directory)) return [];
  const spans: StoredSpan[] = [];
  for (const name of readdirSync(directory).filter((each) => NAME.test(each))) {
    const bytes = await readFile(join(directory, name)).catch(() => Buffer.alloc(0));
    for (let at = bytes.indexOf(traceId); at >= 0; ) {
      const end = bytes.indexOf(0x0a, at);
      const span = end < 0 ? null : parseSpan(bytes.toString("utf8", bytes.lastIndexOf(0x0a, at) + 1, end));
      if (span?.traceId === traceId) spans.push(span);
      at = end < 0 ? -1 : bytes.indexOf(traceId, end);
    }
  }
  return spans.sort((a, b) => a.start - b.start || b.end - a.end);
}

function parseSpan(line: string): StoredSpan | null {
  try {
    return JSON.parse(line) as StoredSpan; // This module wrote it; a torn line does not parse.
  } catch {
    return null;
  }
}
