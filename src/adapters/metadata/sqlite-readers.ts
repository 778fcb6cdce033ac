import type { Answer, SqliteConnection } from "./sqlite-connection.ts";

/** What no thread can take waits this long before another thread is opened, in milliseconds: opening one takes about 40. */
const OPEN_AFTER = 10;
/** A thread that was opened beside the first is closed when nobody has asked it for this long, in milliseconds: it holds about 10 MB. */
const IDLE_FOR = 30_000;
const MOST_THREADS = 3;

interface Thread {
  readonly connection: SqliteConnection;
  busy: boolean;
  idle: NodeJS.Timeout | null;
}

interface Question {
  readonly sql: string;
  readonly params: readonly unknown[];
  resolve(answer: Promise<Answer>): void;
}

/** Threads that read what is committed. One is enough until a long search would hold up the short reads behind it. */
export class SqliteReaders {
  readonly #open: () => SqliteConnection;
  readonly #threads: Thread[];
  readonly #waiting: Question[] = [];
  #timer: NodeJS.Timeout | null = null;
  #opening: SqliteConnection | null = null;
  #closed = false;

  constructor(first: SqliteConnection, open: () => SqliteConnection) {
    this.#threads = [{ connection: first, busy: false, idle: null }];
    this.#open = open;
  }

  get isOpen(): boolean {
    return this.#threads.some(({ connection }) => connection.isOpen);
  }

  run(sql: string, params: readonly unknown[]): Promise<Answer> {
    const thread = this.#waiting.length === 0 ? this.#free() : null;
    if (thread !== null) return this.#ask(thread, sql, params);
    return new Promise((resolve) => {
      this.#waiting.push({ sql, params, resolve });
      this.#openSoon();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    // Asked before the end, and so answered.
    const [first] = this.#threads;
    for (const { sql, params, resolve } of this.#waiting.splice(0))
      if (first !== undefined) resolve(first.connection.run(sql, params));
    await Promise.all([...this.#threads.map((thread) => this.#end(thread)), this.#opening?.close()]);
  }

  /** One question at a time, as nobody knows which will take long. Before it is open a thread is asked all: there is no other. */
  #free(): Thread | null {
    return this.#threads.find(({ busy, connection }) => !busy || !connection.isOpen) ?? null;
  }

  async #ask(thread: Thread, sql: string, params: readonly unknown[]): Promise<Answer> {
    thread.busy = true;
    if (thread.idle !== null) clearTimeout(thread.idle);
    thread.idle = null;
    try {
      return await thread.connection.run(sql, params);
    } finally {
      thread.busy = false;
      this.#next();
      if (!thread.busy && thread !== this.#threads[0] && !this.#closed)
        thread.idle = setTimeout(() => void this.#forget(thread), IDLE_FOR).unref();
    }
  }

  #next(): void {
    for (let thread = this.#free(); thread !== null && this.#waiting.length > 0; thread = this.#free()) {
      const question = this.#waiting.shift();
      question?.resolve(this.#ask(thread, question.sql, question.params));
    }
    if (this.#waiting.length > 0 || this.#timer === null || this.#opening !== null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #openAnother(): Promise<void> {
    if (this.#closed || this.#threads.length >= MOST_THREADS) {
      this.#timer = null;
      return;
    }
    const connection = this.#open();
    this.#opening = connection;
    try {
      await connection.opened;
      if (this.#closed) return;
      this.#threads.push({ connection, busy: false, idle: null });
    } catch {
      // What waits is answered by the others.
      await connection.close();
    } finally {
      this.#opening = null;
      this.#timer = null;
    }
    this.#next();
    if (this.#waiting.length > 0) this.#openSoon();
  }

  #openSoon(): void {
    this.#timer ??= setTimeout(() => void this.#openAnother(), OPEN_AFTER);
  }

  async #forget(thread: Thread): Promise<void> {
    const at = this.#threads.indexOf(thread);
    if (at > 0 && !thread.busy) {
      this.#threads.splice(at, 1);
      await thread.connection.close();
    }
  }

  async #end(thread: Thread): Promise<void> {
    if (thread.idle !== null) clearTimeout(thread.idle);
    await thread.connection.close();
  }
}
