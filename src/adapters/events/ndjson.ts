import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, renameSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { defineErrors } from "../../core/errors.ts";
import { type EventLog, systemClock } from "../../core/ports/index.ts";
import { SECOND } from "../../core/time.ts";

export const eventLogErrors = defineErrors({
  EVENT_LOG_WRITE_FAILED: {
    kind: "unavailable",
    hint: "Free disk space or make the folder writable; the log goes on by itself and keeps what fits into memory until then.",
  },
});

export interface NdjsonLogOptions {
  /** A segment is finished and a new one begun at this size. */
  segmentBytes?: number;
  /** What may wait in memory while the disk refuses; records past it are lost, and counted. */
  bufferBytes?: number;
  /** How long to wait after a refusal before the next attempt. */
  retryMs?: number;
}

export interface NdjsonLog extends EventLog {
  /** Records that were given up. */
  readonly lost: number;
  /** Why the last write failed; `null` while all is well. */
  readonly degraded: string | null;
}

/** `<start>-<pid>-<n>.ndjson` is finished and never changes again; `<start>-<pid>-<n>.open.ndjson` may still grow. */
const OPEN = ".open.ndjson";
const FINISHED = ".ndjson";
const MOST_AT_ONCE = 1024 * 1024;

/**
 * Appends records as lines. `append` only buffers; one write with fdatasync is under way at a time and takes with it all that
 * gathered meanwhile (group commit), so that a record costs little and is on disk some milliseconds later. Where the disk
 * refuses, records wait in memory, the log says `degraded`, and it tries again; it never throws at those who append.
 */
export function openNdjsonLog(directory: string, options: NdjsonLogOptions = {}): NdjsonLog {
  mkdirSync(directory, { recursive: true });
  finishAbandoned(directory);
  return new GroupCommitLog(directory, options);
}

class GroupCommitLog implements NdjsonLog {
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #bufferBytes: number;
  readonly #retryMs: number;
  #lines: string[] = [];
  #waiting = 0;
  #file: FileHandle | null = null;
  #name = "";
  /** Length of the segment up to which everything is known to be on disk. */
  #length = 0;
  #segments = 0;
  #writing: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;
  lost = 0;
  degraded: string | null = null;

  constructor(directory: string, { segmentBytes, bufferBytes, retryMs }: NdjsonLogOptions) {
    this.#directory = directory;
    this.#segmentBytes = segmentBytes ?? 64 * 1024 * 1024;
    this.#bufferBytes = bufferBytes ?? 32 * 1024 * 1024;
    this.#retryMs = retryMs ?? 1_000;
  }

  append(record: object): void {
    const line = lineOf(record);
    if (line === null || this.#closed || this.#waiting + line.length > this.#bufferBytes) {
      this.lost++;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length;
    if (this.#retry === null) this.#writing ??= this.#drain();
  }

  /** @throws EVENT_LOG_WRITE_FAILED when the disk refuses; the records still wait for the next attempt */
  async flushed(): Promise<void> {
    if (!(await this.#attempt()))
      throw eventLogErrors.EVENT_LOG_WRITE_FAILED(`The event log cannot be written: ${this.degraded}`);
  }

  /** Tries once more to write what waits, counts as lost what cannot be written, and finishes the segment. */
  async close(): Promise<void> {
    this.#closed = true;
    if (!(await this.#attempt())) {
      this.lost += this.#lines.length;
      this.#lines = [];
    }
    this.#stopRetry();
    await this.#finishSegment().catch(() => undefined);
  }

  /** Whether everything appended so far is on disk. */
  async #attempt(): Promise<boolean> {
    await this.#writing;
    if (this.#lines.length > 0) {
      this.#stopRetry();
      await (this.#writing ??= this.#drain());
    }
    return this.#lines.length === 0;
  }

  async #drain(): Promise<void> {
    // Waits for the rest of this turn's records before the first write.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#lines.length > 0) {
      let count = 0;
      for (let size = 0; count < this.#lines.length && size < MOST_AT_ONCE; count++) size += this.#lines[count].length;
      const text = this.#lines.slice(0, count).join("");
      try {
        await this.#write(text);
      } catch (error) {
        this.degraded = error instanceof Error ? error.message : String(error);
        await this.#abandonSegment();
        this.#retry ??= setTimeout(() => {
          this.#retry = null;
          this.#writing ??= this.#drain();
        }, this.#retryMs).unref();
        break;
      }
      this.#lines = this.#lines.slice(count);
      this.#waiting -= text.length;
      this.degraded = null;
    }
    this.#writing = null;
  }

  async #write(text: string): Promise<void> {
    this.#file ??= await this.#beginSegment();
    const data = Buffer.from(text);
    await this.#file.appendFile(data);
    await this.#file.datasync();
    this.#length += data.byteLength;
    if (this.#length >= this.#segmentBytes) await this.#finishSegment();
  }

  async #beginSegment(): Promise<FileHandle> {
    const start = systemClock.now().toString(36).padStart(11, "0");
    this.#name = `${start}-${process.pid}-${this.#segments++}`;
    this.#length = 0;
    const file = await open(join(this.#directory, this.#name + OPEN), "ax");
    // The name itself must survive a power cut, too.
    const folder = await open(this.#directory, "r");
    await folder.sync().finally(() => folder.close());
    return file;
  }

  async #finishSegment(): Promise<void> {
    const file = this.#file;
    if (file === null) return;
    this.#file = null;
    await file.close();
    renameSync(join(this.#directory, this.#name + OPEN), join(this.#directory, this.#name + FINISHED));
  }

  /** Cuts off what a failed write may have left, because those records will be written again elsewhere. */
  async #abandonSegment(): Promise<void> {
    try {
      await this.#file?.truncate(this.#length);
      await this.#finishSegment();
    } catch {
      // The disk refuses this too. Readers cut the torn line; whole ones come twice, under the same prediction id.
      this.#file = null;
    }
  }

  #stopRetry(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
  }
}

function lineOf(record: object): string | null {
  try {
    return `${JSON.stringify(record)}\n`;
  } catch {
    return null;
  }
}

const SEGMENT_NAME = /^([0-9a-z]+)-(\d+)-\d+\.open\.ndjson$/;

/** Finishes the segments of processes that were killed. Their torn last lines stay: readers cut them. */
function finishAbandoned(directory: string): void {
  for (const name of readdirSync(directory)) {
    const [, start, pid] = SEGMENT_NAME.exec(name) ?? [];
    if (start === undefined || pid === undefined || isWriting(Number(pid), Number.parseInt(start, 36))) continue;
    try {
      renameSync(join(directory, name), join(directory, name.replace(OPEN, FINISHED)));
    } catch {
      // Another process that starts now did it first.
    }
  }
}

function isWriting(pid: number, start: number): boolean {
  // The number may have belonged to a process before this one, as it does in a container.
  if (pid === process.pid) return start >= performance.timeOrigin * 1_000 - SECOND;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

export interface Segment {
  /** Stable over finishing: the name without its ending. */
  readonly id: string;
  readonly path: string;
  /** False once it never changes again. */
  readonly open: boolean;
}

/** Segments of a log, finished or still growing, in the order they were begun. */
export function listSegments(directory: string): Segment[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(FINISHED))
    .map((name) => ({ id: name.slice(0, name.indexOf(".")), path: join(directory, name), open: name.endsWith(OPEN) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whole lines of a segment from a byte offset on; a torn last line is left for the next time. */
export function readSegment(segment: Segment, from: number): { bytes: Buffer; next: number } {
  const file = openForReading(segment.path);
  try {
    const data = Buffer.allocUnsafe(Math.max(0, fstatSync(file).size - from));
    let filled = 0;
    for (let read = -1; filled < data.length && read !== 0; filled += read) {
      read = readSync(file, data, filled, data.length - filled, from + filled);
    }
    const end = data.subarray(0, filled).lastIndexOf(0x0a) + 1;
    return { bytes: data.subarray(0, end), next: from + end };
  } finally {
    closeSync(file);
  }
}

function openForReading(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    // It was finished, and so renamed, between listing and reading.
    if (path.endsWith(OPEN)) return openSync(path.replace(OPEN, FINISHED), "r");
    throw error;
  }
}
