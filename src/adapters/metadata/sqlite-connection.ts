import { Worker } from "node:worker_threads";
import type { Micros } from "../../core/time.ts";
import { type BulkRows, bindable } from "./bulk-insert.ts";
import { metadataError, metadataErrors, type ThreadFailure } from "./errors.ts";
import type { Migration } from "./migrations/index.ts";

export interface ConnectionOptions {
  readonly path: string;
  /**
   * A reader beside a writer trusts that the writer has checked the format; one alone checks it itself. A copy is made to be filled from
   * elsewhere: nobody sees it before it is whole, so that nothing of it need be safe before that.
   */
  readonly role: "writer" | "reader" | "reader-alone" | "copy";
  readonly migrations: readonly Migration[];
  readonly now: Micros;
}

export interface Answer {
  readonly rows: readonly unknown[];
  readonly changes: number;
}

/** As sqlite-thread.js describes it. */
interface Message {
  readonly id: number;
  readonly names?: readonly string[];
  readonly values?: readonly (readonly unknown[])[];
  readonly changes?: number;
  readonly failure?: ThreadFailure;
}

type Waiting = { resolve(answer: Answer): void; reject(error: Error): void };

/** A SQLite connection in a worker thread: the caller's event loop only posts and receives. Statements run in the order they were sent. */
export class SqliteConnection {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #isOpen = false;
  #lost: Error | null = null;
  #closing: Promise<void> | null = null;
  /** Resolves when the database is open and in this version's format. */
  readonly opened: Promise<void>;

  constructor(options: ConnectionOptions) {
    this.#path = options.path;
    this.#worker = new Worker(new URL("./sqlite-thread.js", import.meta.url), {
      workerData: options,
      execArgv: [],
      name: `metadata ${options.role}`,
    });
    this.#worker.on("message", (message: Message) => this.#receive(message));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(metadataErrors.STATE_CLOSED("The metadata is closed")));
    this.opened = this.#expect(0).then(() => {
      this.#isOpen = true;
    });
    // Whoever opened it is told; that nobody listens here must not end the process.
    this.opened.catch(() => undefined);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  run(sql: string, params: readonly unknown[] = []): Promise<Answer> {
    return this.#send({ sql, params: params.map(bindable) });
  }

  /** Runs a statement once for each row, all or none. The columns of numbers are handed over, not copied. */
  runForEach(sql: string, { columns, count }: BulkRows): Promise<Answer> {
    const transfer = columns.flatMap((column) => ("numbers" in column ? [column.numbers.buffer] : []));
    return this.#send({ sql, columns, count }, transfer);
  }

  /** Copies the database into a new file, as it is at this moment. */
  async copyInto(path: string): Promise<void> {
    await this.#send({ backup: path });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.opened.catch(() => undefined);
    if (this.#lost === null) await this.#post({ close: true }).catch(() => undefined);
    await this.#worker.terminate();
  }

  #send(message: object, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    if (this.#closing !== null) return Promise.reject(metadataErrors.STATE_CLOSED("The metadata is closed"));
    return this.#post(message, transfer);
  }

  #post(message: object, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    const id = this.#nextId++;
    const answer = this.#expect(id);
    this.#worker.postMessage({ ...message, id }, transfer);
    return answer;
  }

  #expect(id: number): Promise<Answer> {
    // Only an open question keeps the process alive, never the idle thread.
    if (this.#waiting.size === 0) this.#worker.ref();
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #receive({ id, names = [], values = [], changes = 0, failure }: Message): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (failure === undefined) waiting?.resolve({ rows: values.map((row) => toRow(names, row)), changes });
    else waiting?.reject(metadataError(failure, this.#path));
  }

  #fail(error: Error): void {
    this.#lost ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function toRow(names: readonly string[], values: readonly unknown[]): Readonly<Record<string, unknown>> {
  const row: Record<string, unknown> = {};
  // One after the other in their order, so that all rows of an answer have the same shape to the engine.
  for (const [at, name] of names.entries()) row[name] = values[at];
  return row;
}
