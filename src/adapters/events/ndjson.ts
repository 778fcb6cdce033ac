import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { EventLog } from "../../core/ports/index.ts";

export interface NdjsonLogOptions {
  /** A segment is finished and a new one begun at this size. */
  segmentBytes?: number;
}

export interface NdjsonLog extends EventLog {
  /** Records that could not be written (full disk); the log goes on trying with the next ones. */
  readonly lost: number;
  readonly degraded: string | null;
}

const OPEN = ".open.ndjson";
const FINISHED = ".ndjson";

/**
 * Appends records as lines. `append` only buffers; one write with fdatasync is under way at a time and takes with it all that
 * gathered meanwhile (group commit), so that a record costs little and is on disk some milliseconds later.
 */
export function openNdjsonLog(directory: string, options: NdjsonLogOptions = {}): NdjsonLog {
  mkdirSync(directory, { recursive: true });
  return new GroupCommitLog(directory, options.segmentBytes ?? 64 * 1024 * 1024);
}

class GroupCommitLog implements NdjsonLog {
  readonly #directory: string;
  readonly #segmentBytes: number;
  #buffer: string[] = [];
  #file: FileHandle | null = null;
  #name = "";
  #bytes = 0;
  #segments = 0;
  #writing: Promise<void> | null = null;
  lost = 0;
  degraded: string | null = null;

  constructor(directory: string, segmentBytes: number) {
    this.#directory = directory;
    this.#segmentBytes = segmentBytes;
  }

  append(record: object): void {
    this.#buffer.push(JSON.stringify(record));
    this.#writing ??= this.#drain();
  }

  async flushed(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async close(): Promise<void> {
    await this.flushed();
    await this.#finishSegment();
  }

  async #drain(): Promise<void> {
    // Waits for the rest of this turn's records before the first write.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#buffer.length > 0) {
      const records = this.#buffer;
      this.#buffer = [];
      try {
        await this.#write(`${records.join("\n")}\n`);
        this.degraded = null;
      } catch (error) {
        this.lost += records.length;
        this.degraded = (error as Error).message;
        await this.#abandonSegment();
      }
    }
    this.#writing = null;
  }

  async #write(text: string): Promise<void> {
    if (this.#file === null) {
      // Process, time and count make the name unique: a segment is never opened twice.
      this.#name = `${Date.now().toString(36)}-${process.pid}-${this.#segments++}`;
      this.#file = await open(join(this.#directory, this.#name + OPEN), "ax");
      this.#bytes = 0;
    }
    const data = Buffer.from(text);
    await this.#file.appendFile(data);
    await this.#file.datasync();
    this.#bytes += data.byteLength;
    if (this.#bytes >= this.#segmentBytes) await this.#finishSegment();
  }

  async #finishSegment(): Promise<void> {
    if (this.#file === null) return;
    await this.#file.close();
    this.#file = null;
    renameSync(join(this.#directory, this.#name + OPEN), join(this.#directory, this.#name + FINISHED));
  }

  /** After a failed write the segment may end in half a record: leave it, readers cut it there. */
  async #abandonSegment(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
    this.#file = null;
  }
}

export interface Segment {
  /** Stable over finishing: the name without its ending. */
  readonly id: string;
  readonly path: string;
}

/** Segments of a log, finished or still growing, in the order they were begun. */
export function listSegments(directory: string): Segment[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(FINISHED))
    .map((name) => ({ id: name.slice(0, name.indexOf(".")), path: join(directory, name) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whole lines of a segment from a byte offset on; a torn last line is left for the next time. */
export function readSegment(segment: Segment, from: number): { bytes: Buffer; next: number } {
  let data: Buffer;
  try {
    data = readFileSync(segment.path);
  } catch {
    // It was finished, and so renamed, between listing and reading.
    data = readFileSync(segment.path.replace(OPEN, FINISHED));
  }
  const end = data.lastIndexOf(0x0a) + 1;
  return { bytes: data.subarray(from, Math.max(from, end)), next: Math.max(from, end) };
}
