import type { LogEntry } from "./entries.ts";
import type { RunSpool } from "./spool.ts";

/** So many are held in memory at either end; what is between waits on disk. */
const HELD = 20_000;

/**
 * Entries in the order they were logged. Memory is bounded: while the server is away, the middle of a long queue lies in files of the
 * spool, each of which is removed only after everything in it was sent.
 */
export class EntryQueue {
  readonly #spool: RunSpool;
  #head: LogEntry[] = [];
  /** Of #head: these were sent. */
  #sent = 0;
  #headNumber = 0;
  #files: number[];
  #tail: LogEntry[] = [];
  #nextNumber: number;
  #length: number;

  /** Starts with what an earlier process left in the spool. */
  constructor(spool: RunSpool) {
    this.#spool = spool;
    this.#files = spool.logNumbers();
    this.#headNumber = -1;
    this.#nextNumber = (this.#files.at(-1) ?? -1) + 1;
    // How many there are in files is seen when they are read.
    this.#length = this.#files.length;
    if (this.#files.length === 0) this.#headNumber = this.#nextNumber++;
    else this.#load();
  }

  /** Counts a file that was not read yet as one. */
  get length(): number {
    return this.#length;
  }

  push(entry: LogEntry): void {
    this.#length += 1;
    if (this.#files.length === 0 && this.#tail.length === 0 && this.#head.length - this.#sent < HELD) {
      this.#head.push(entry);
      return;
    }
    this.#tail.push(entry);
    if (this.#tail.length < HELD) return;
    const number = this.#nextNumber++;
    this.#spool.writeLog(number, this.#tail);
    this.#files.push(number);
    this.#length -= this.#tail.length - 1;
    this.#tail = [];
  }

  /** The next ones, at most `most`, without taking them away. */
  peek(most: number): readonly LogEntry[] {
    if (this.#sent === this.#head.length) this.#load();
    return this.#head.slice(this.#sent, this.#sent + most);
  }

  drop(count: number): void {
    this.#sent += count;
    this.#length -= count;
    if (this.#sent === this.#head.length) this.#load();
    else if (this.#sent > HELD) {
      this.#head = this.#head.slice(this.#sent);
      this.#sent = 0;
    }
  }

  /** Writes down what is only in memory. */
  spoolRest(): void {
    const rest = this.#head.slice(this.#sent);
    if (rest.length > 0) this.#spool.writeLog(this.#headNumber, rest);
    else this.#spool.removeLog(this.#headNumber);
    if (this.#tail.length > 0) this.#spool.writeLog(this.#nextNumber++, this.#tail);
  }

  #load(): void {
    this.#spool.removeLog(this.#headNumber);
    this.#sent = 0;
    const file = this.#files.shift();
    if (file !== undefined) {
      this.#head = this.#spool.readLog(file);
      this.#headNumber = file;
      this.#length += this.#head.length - 1;
      return;
    }
    this.#head = this.#tail;
    this.#tail = [];
    this.#headNumber = this.#nextNumber++;
  }
}
