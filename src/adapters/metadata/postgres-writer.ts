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

/** How a transaction ended whose commit was not answered. */
type Outcome = "committed" | "aborted" | "unknown";

export interface WriterOptions {
  readonly sessions: PostgresSessions;
  readonly queue: WriterQueue;
  /** Key of the advisory lock that every transaction of the schema holds. */
  readonly lock: string;
  /** This program's format: another may migrate the database while this one runs. */
  readonly format: number;
  /** The server's timeline, by which a transaction's id is known again; null where the server does not tell. */
  readonly timeline: string | null;
}

/**
 * Transactions one at a time: in this process by a queue, among processes by an advisory lock, which the server frees when a process
 * dies. Read committed is enough below it, and each statement sees what the transaction before left.
 */
export class PostgresWriter {
  readonly #sessions: PostgresSessions;
  readonly #queue: WriterQueue;
  readonly #format: number;
  readonly #begin: string;
  #timeline: string | null;

  constructor({ sessions, queue, lock, format, timeline }: WriterOptions) {
    this.#sessions = sessions;
    this.#queue = queue;
    this.#format = format;
    this.#timeline = timeline;
    // One message to the server, which must not be set to acknowledge what is not on disk. The last statement starts when the lock is held, and so sees what the transaction before wrote.
    this.#begin = `begin isolation level read committed read write; select pg_advisory_xact_lock(${lock});
      select pg_current_xact_id()::text as xid, (select value from meta where key = 'formatVersion') as format,
        (select value from meta where key = 'minCompatibleVersion') as compatible,
        case current_setting('synchronous_commit') when 'off' then set_config('synchronous_commit', 'on', true) end as durable`;
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

  async #start(session: Session): Promise<string> {
    const results: unknown = await session.query(this.#begin);
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
    return String(row?.xid);
  }

  /** Asks the server what became of a transaction; it may still be at it on a connection that broke only on this side. */
  async #outcome(xid: string): Promise<Outcome> {
    if (this.#timeline === null) return "unknown";
    try {
      return await this.#sessions.repeating(async () => {
        const session = await this.#sessions.alone();
        try {
          const timeline = await timelineOf(session);
          // Another server took over: it may have given the same number to another transaction.
          if (timeline !== this.#timeline) {
            this.#timeline = timeline;
            return "unknown";
          }
          const { rows } = await session.query("select pg_xact_status($1::text::xid8) as status", [xid]);
          const status: unknown = rows[0]?.status;
          if (status === "in progress") throw Object.assign(new Error("it is still under way"), { code: "57P03" });
          return status === "committed" || status === "aborted" ? status : "unknown";
        } finally {
          await session.end().catch(() => undefined);
        }
      });
    } catch {
      return "unknown";
    }
  }
}

/** The server's timeline; null where it does not tell (a service that hides its write-ahead log, a standby). */
export async function timelineOf(session: Session): Promise<string | null> {
  try {
    const { rows } = await session.query("select substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) as timeline");
    return String(rows[0]?.timeline);
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    return null;
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
      // Given back before the server is asked, so that the writer's next connection can be made.
      this.#end();
      const outcome = await this.#outcome();
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
