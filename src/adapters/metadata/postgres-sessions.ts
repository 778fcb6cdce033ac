import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { metadataErrors } from "./errors.ts";
import type { PostgresAddress } from "./postgres-address.ts";
import { isConnectionLost, postgresError } from "./postgres-errors.ts";

export type Session = pg.ClientBase;

const { INT8, NUMERIC, BOOL } = pg.types.builtins;
/** As SQLite answers: counts and sums are numbers, comparisons 0 or 1. */
const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [INT8, Number],
  [NUMERIC, Number],
  [BOOL, (text) => (text === "t" ? 1 : 0)],
]);
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    (format === "binary" ? undefined : PARSERS.get(oid)) ?? pg.types.getTypeParser(oid, format),
};

/** Between two tries to reach a database that is away, in milliseconds. */
const RETRY_AFTER = [50, 100, 200, 400, 800];

export interface SessionsOptions {
  readonly address: PostgresAddress;
  /** How long something that has not begun waits for a database that is away, in milliseconds. */
  readonly patience: number;
  readonly readers: number;
  readonly readOnly: boolean;
}

/** Connections to one database: some that read and one that writes. What is lost is opened again. */
export class PostgresSessions {
  readonly address: PostgresAddress;
  readonly #patience: number;
  readonly #readers: pg.Pool;
  readonly #writer: pg.Pool;
  readonly #closing = new AbortController();
  readonly #alone = new Set<pg.Client>();

  constructor({ address, patience, readers, readOnly }: SessionsOptions) {
    const options = `${address.config.options}${readOnly ? " -c default_transaction_read_only=on" : ""}`;
    this.address = { ...address, config: { ...address.config, options, types } };
    this.#patience = patience;
    this.#readers = this.#pool(readers);
    this.#writer = this.#pool(1);
  }

  #pool(max: number): pg.Pool {
    const pool = new pg.Pool({
      ...this.address.config,
      max,
      connectionTimeoutMillis: 10_000,
      idleTimeoutMillis: 60_000,
      allowExitOnIdle: true,
    });
    // A connection that breaks is told to whoever uses it; an idle one is simply gone.
    pool.on("error", () => undefined);
    pool.on("connect", (client) => client.on("error", () => undefined));
    return pool;
  }

  /** Runs what may be run again: when the connection is lost it is, until the patience ends. */
  read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.repeating(async () => {
      const session = await this.#take(this.#readers);
      return this.#use(session, work);
    });
  }

  /** A connection on which `begin` went through; the caller gives it back. `begin` is run again like a read. */
  beginWriting<T>(begin: (session: Session) => Promise<T>): Promise<{ session: pg.PoolClient; begun: T }> {
    return this.repeating(async () => {
      const session = await this.#take(this.#writer);
      try {
        return { session, begun: await begin(session) };
      } catch (error) {
        session.release(true);
        throw error;
      }
    });
  }

  /** A connection of its own, for what holds one long; closed by the caller with `end`. */
  async alone(applicationName?: string): Promise<pg.Client> {
    this.#refuseClosed();
    const client = new pg.Client({
      ...this.address.config,
      connectionTimeoutMillis: 10_000,
      ...(applicationName === undefined ? {} : { application_name: applicationName }),
    });
    client.on("error", () => undefined);
    client.on("end", () => this.#alone.delete(client));
    this.#alone.add(client);
    try {
      await client.connect();
      return client;
    } catch (error) {
      this.#alone.delete(client);
      throw error;
    }
  }

  /** Repeats while the database cannot be reached. @throws STATE_UNREACHABLE once the patience ends, and whatever else went wrong */
  async repeating<T>(attempt: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.#patience;
    for (let tries = 0; ; tries++) {
      try {
        return await attempt();
      } catch (error) {
        const pause = RETRY_AFTER[Math.min(tries, RETRY_AFTER.length - 1)] ?? 0;
        if (!isConnectionLost(error) || performance.now() + pause > deadline) throw postgresError(error, this.address.shown);
        await sleep(pause, undefined, { signal: this.#closing.signal }).catch(() => undefined);
        this.#refuseClosed();
      }
    }
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await Promise.all([this.#readers.end(), this.#writer.end(), ...[...this.#alone].map((client) => client.end())]);
  }

  async #take(pool: pg.Pool): Promise<pg.PoolClient> {
    this.#refuseClosed();
    return pool.connect();
  }

  async #use<T>(session: pg.PoolClient, work: (session: Session) => Promise<T>): Promise<T> {
    try {
      const result = await work(session);
      session.release();
      return result;
    } catch (error) {
      session.release(isConnectionLost(error));
      throw error;
    }
  }

  #refuseClosed(): void {
    if (this.#closing.signal.aborted) throw metadataErrors.STATE_CLOSED("The metadata is closed");
  }
}
