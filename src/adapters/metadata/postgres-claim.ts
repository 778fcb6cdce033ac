import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { Claim } from "../../core/ports/index.ts";
import { metadataErrors } from "./errors.ts";
import { lockKey } from "./postgres-address.ts";
import type { PostgresSessions, Session } from "./postgres-sessions.ts";

/** Between two tries to take a claim again whose connection broke, in milliseconds. */
const RETRY_AFTER = 500;

/**
 * A lock that the server keeps for as long as a connection stands, so that it is free when the process dies. Where the connection breaks
 * the claim is taken again; `lost` tells that another process was faster.
 */
export class PostgresClaim implements Claim {
  readonly #sessions: PostgresSessions;
  readonly #key: string;
  readonly #label = `${randomUUID().slice(0, 8)}`;
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  #client: Client | null = null;

  private constructor(sessions: PostgresSessions, name: string) {
    this.#sessions = sessions;
    this.#key = lockKey("claim", sessions.address.schema, name);
  }

  /** @throws STATE_CLAIMED, STATE_UNREACHABLE */
  static async take(sessions: PostgresSessions, name: string): Promise<PostgresClaim> {
    const claim = new PostgresClaim(sessions, name);
    const holder = await sessions.repeating(() => claim.#take());
    if (holder === null) return claim;
    throw metadataErrors.STATE_CLAIMED(`${name} is run by another process${holder === "" ? "" : `: ${holder}`}`);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    this.#released.abort();
    await this.#client?.end();
    this.#client = null;
  }

  /** null when it is ours, else who holds it as far as the server knows. */
  async #take(): Promise<string | null> {
    const client = await this.#sessions.alone(`${this.#sessions.address.config.application_name} ${this.#label}`);
    try {
      const { rows } = await client.query(`select pg_try_advisory_lock(${this.#key}) as ours`);
      if (rows[0]?.ours !== 1) {
        const holder = await this.#holder(client);
        await client.end();
        return holder;
      }
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    if (this.#released.signal.aborted) {
      await client.end();
      return null;
    }
    this.#client = client;
    client.on("end", () => void this.#takeAgain());
    // A claim alone does not keep a process alive that is done.
    if ("unref" in client && typeof client.unref === "function") client.unref();
    return null;
  }

  async #holder(session: Session): Promise<string> {
    const { rows } = await session.query(
      `select a.application_name || coalesce(' at ' || host(a.client_addr), '') as holder from pg_locks as l join pg_stat_activity as a using (pid)
      where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid::bigint << 32 | l.objid::bigint = $1::bigint
        and l.database = (select oid from pg_database where datname = current_database())`,
      [this.#key],
    );
    return String(rows[0]?.holder ?? "");
  }

  async #takeAgain(): Promise<void> {
    this.#client = null;
    while (!this.#released.signal.aborted && !this.#sessions.closed) {
      try {
        const holder = await this.#take();
        if (holder === null) return;
        // The server may not have noticed yet that the old connection broke.
        if (!holder.includes(this.#label)) {
          this.#lost.abort(metadataErrors.STATE_CLAIMED(`Another process took over while the database was away: ${holder}`));
          return;
        }
      } catch {
        // It is away still.
      }
      await sleep(RETRY_AFTER, undefined, { signal: this.#released.signal, ref: false }).catch(() => undefined);
    }
  }
}
