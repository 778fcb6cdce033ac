import { Worker } from "node:worker_threads";
import type { PushedRow } from "../../core/ports/index.ts";
import type { Micros } from "../../core/time.ts";
import { pushLogErrors } from "./errors.ts";

/** As append-thread.js describes it. */
interface Message {
  readonly id: number;
  readonly isNew?: boolean[];
  readonly failure?: string;
}

interface Waiting {
  resolve(isNew: boolean[]): void;
  reject(error: Error): void;
}

/** Appends to a log in a worker thread, which begins with the first rows. Appends are done in the order they were asked for. */
export class PushAppender {
  readonly #data: { readonly path: string; readonly insert: string; readonly insertEntity: string };
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #nextId = 1;
  #isClosed = false;

  /** @param data the log's file, and the SQL that inserts a row and an entity's row */
  constructor(data: { readonly path: string; readonly insert: string; readonly insertEntity: string }) {
    this.#data = data;
  }

  /** @throws PUSH_LOG_WRITE_FAILED */
  append(
    source: string,
    rows: readonly PushedRow[],
    { once, at }: { readonly once: boolean; readonly at: Micros },
  ): Promise<boolean[]> {
    if (this.#isClosed) return Promise.reject(failed("it is closed"));
    const worker = this.#worker ?? this.#start();
    const id = this.#nextId++;
    // Only rows that wait keep the process alive, never the idle thread.
    worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({
        ...{ id, source, once, at },
        // Lists are copied between threads three times as fast as objects.
        rows: rows.map(({ row }) => row),
        keys: rows.map(({ key }) => key),
        problems: rows.map(({ problem }) => problem),
        entities: rows.map(({ entities }) => entities.flatMap(({ keys, entity }) => [keys, entity])),
      });
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#worker?.postMessage({ close: true });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./append-thread.js", import.meta.url), {
      workerData: this.#data,
      execArgv: [],
      name: "push log",
    });
    worker.on("message", (message: Message) => this.#receive(worker, message));
    worker.on("error", (error) => this.#gone(worker, error.message));
    worker.on("exit", () => this.#gone(worker, "its thread has ended"));
    this.#worker = worker;
    return worker;
  }

  #receive(worker: Worker, { id, isNew, failure }: Message): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) worker.unref();
    if (isNew === undefined) waiting?.reject(failed(failure ?? "its thread does not say why"));
    else waiting?.resolve(isNew);
  }

  /** The next rows get another thread. */
  #gone(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(failed(why));
    this.#waiting.clear();
  }
}

const failed = (why: string) => pushLogErrors.PUSH_LOG_WRITE_FAILED(`The log of pushed rows cannot be written: ${why}`);
