import { randomUUID } from "node:crypto";
import type { PoolClient } from "pg";
import { OrreryError } from "../../core/errors.ts";
import { metadataErrors } from "./errors.ts";
import { isConnectionLost, postgresError } from "./postgres-errors.ts";
import { refuseNewer } from "./postgres-format.ts";
import type { PostgresSessions, Session } from "./postgres-sessions.ts";
import type { WriterQueue } from "./writer-queue.ts";

export interface OpenTransaction {
  run<T>(ask: (session: Session) => Promise<T>): Promise<T>;
  /** @throws the first statement's error where one failed, STATE_UNREACHABLE, STATE_OUTCOME_UNKNOWN */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** Begins the key of a writer's mark in the table meta; when the writer was made comes next, in milliseconds. */
export const WRITER_MARK = "writer:";

/** How a transaction ended whose commit was not answered. */
type Outcome = "committed" | "aborted" | "unknown";

export interface WriterOptions {
  readonly sessions: PostgresSessions;
  readonly queue: WriterQueue;
  /** Key of the advisory lock that every transaction of the schema holds. */
  readonly lock: string;
  /** This program's format: another may migrate the database while this one runs. */
  readonly format: number;
}

/**
 * Transactions one at a time: in this process by a queue, among processes by an advisory lock, which the server frees when a process
 * dies. Read committed is enough below it, and each statement sees what the transaction before left.
 */
export class PostgresWriter {
  readonly #sessions: PostgresSessions;
  readonly #queue: WriterQueue;
  readonly #format: number;
  readonly #lock: string;
  /** Key in the table meta under which each transaction leaves its number: what is there after a commit that was not answered tells whether it was. */
  readonly #mark = `${WRITER_MARK}${Date.now()}-${randomUUID()}`;
  #transactions = 0;

  constructor({ sessions, queue, lock, format }: WriterOptions) {
    this.#sessions = sessions;
    this.#queue = queue;
    this.#format = format;
    this.#lock = lock;
  }

  /** Takes its mark back. */
  async close(): Promise<void> {
    if (this.#transactions === 0) return;
    const session = await this.#sessions.alone();
    try {
      await session.query("delete from meta where key = $1", [this.#mark]);
    } finally {
      await session.end().catch(() => undefined);
    }
  }

  async begin(): Promise<OpenTransaction> {
    const release = await this.#queue.take();
    try {
      const { session, begun } = await this.#sessions.beginWriting((each) => this.#start(each));
      return new Transaction(session, this.#sessions.address.shown, release, () => this.#outcome(begun));
    } catch (error) {
      release();
      throw error;
    }
  }

  /** One statement as a transaction of its own. Whether it was committed is known or asked, so that it is repeated only where it was not. */
  async alone<T>(ask: (session: Session) => Promise<T>): Promise<T> {
    return this.#sessions.repeating(async () => {
      const transaction = await this.begin();
      let result: T;
      try {
        result = await transaction.run(ask);
        await transaction.commit();
      } catch (error) {
        await transaction.rollback();
        throw (error instanceof OrreryError ? undone.get(error) : undefined) ?? error;
      }
      return result;
    });
  }

  async #start(session: Session): Promise<number> {
    const number = ++this.#transactions;
    // One message to the server, which must not be set to acknowledge what is not on disk. The last statement starts when the lock is held, and so sees what the transaction before wrote.
    const results: unknown =
      await session.query(`begin isolation level read committed read write; select pg_advisory_xact_lock(${this.#lock});
      insert into meta (key, value) values ('${this.#mark}', '${number}') on conflict (key) do update set value = excluded.value;
      select (select value from meta where key = 'formatVersion') as format,
        (select value from meta where key = 'minCompatibleVersion') as compatible,
        case current_setting('synchronous_commit') when 'off' then set_config('synchronous_commit', 'on', true) end as durable`);
    const row = Array.isArray(results) ? results.at(-1)?.rows[0] : undefined;
    try {
      refuseNewer(
        { version: Number(row?.format), compatible: Number(row?.compatible) },
        this.#format,
        this.#sessions.address.shown,
      );
    } catch (error) {
      await session.query("rollback");
      throw error;
    }
    return number;
  }

  /**
   * Asks the server what became of a transaction. The lock waits for its end, should it still be under way on a connection that broke only on
   * this side. The server's own transaction ids would not do: after a crash it may give the id of one that was lost to another.
   */
  async #outcome(number: number): Promise<Outcome> {
    try {
      return await this.#sessions.repeating(async () => {
        const session = await this.#sessions.alone();
        try {
          await session.query(`begin; select pg_advisory_xact_lock(${this.#lock})`);
          const { rows } = await session.query("select value from meta where key = $1", [this.#mark]);
          return rows[0]?.value === String(number) ? "committed" : "aborted";
        } finally {
          await session.end().catch(() => undefined);
        }
      });
    } catch {
      return "unknown";
    }
  }
}

class Transaction implements OpenTransaction {
  readonly #session: PoolClient;
  readonly #shown: string;
  readonly #release: () => void;
  readonly #outcome: () => Promise<Outcome>;
  #failed: OrreryError | null = null;
  #lost = false;
  #open = true;

  constructor(session: PoolClient, shown: string, release: () => void, outcome: () => Promise<Outcome>) {
    this.#session = session;
    this.#shown = shown;
    this.#release = release;
    this.#outcome = outcome;
  }

  async run<T>(ask: (session: Session) => Promise<T>): Promise<T> {
    // After a failed statement the server answers every other with an error that hides the first.
    if (this.#failed !== null) throw this.#failed;
    try {
      return await ask(this.#session);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  async commit(): Promise<void> {
    if (this.#failed !== null) throw this.#failed;
    try {
      await this.#session.query("commit");
      this.#end();
    } catch (error) {
      const lost = isConnectionLost(error);
      const failure = this.#fail(error);
      if (!lost) throw failure;
      // The next transaction waits for the answer: it would leave its own mark.
      const outcome = await this.#outcome();
      this.#end();
      if (outcome === "committed") return;
      throw outcome === "aborted"
        ? failure
        : metadataErrors.STATE_OUTCOME_UNKNOWN(`The database went away during a commit (${this.#shown})`, {
            cause: failure.cause,
          });
    }
  }

  async rollback(): Promise<void> {
    if (!this.#open) return;
    if (!this.#lost)
      await this.#session.query("rollback").catch(() => {
        this.#lost = true;
      });
    this.#end();
  }

  #fail(error: unknown): OrreryError {
    this.#lost ||= isConnectionLost(error);
    const failure = postgresError(error, this.#shown);
    if (this.#lost) undone.set(failure, error);
    this.#failed ??= failure;
    return failure;
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#session.release(this.#lost);
    this.#release();
  }
}

/** Failures of transactions that are known not to have happened because the connection broke, with what the driver said. */
const undone = new WeakMap<OrreryError, unknown>();
