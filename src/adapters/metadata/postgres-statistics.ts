import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresSessions } from "./postgres-sessions.ts";

/** Rows that a table takes before it is looked at first; then each time that it has doubled. */
const FIRST_ROWS = 500;
/** Long enough for the transaction that inserted them to commit, in milliseconds. */
const SETTLED_AFTER = 200;

/**
 * Lets the server know its tables as they grow. It looks itself once a minute; until then it takes a foreign key's check through
 * whatever index begins with the project, and so reads every row of it: creating runs becomes slower with each run.
 */
export class PostgresStatistics {
  readonly #sessions: PostgresSessions;
  readonly #rows = new Map<string, number>();
  readonly #nextLook = new Map<string, number>();
  readonly #due = new Set<string>();
  readonly #closing = new AbortController();
  #looking: Promise<void> | null = null;

  constructor(sessions: PostgresSessions) {
    this.#sessions = sessions;
  }

  /** Costs nothing but counting; looking goes on in the background. */
  inserted(table: string, count: number): void {
    const rows = (this.#rows.get(table) ?? 0) + count;
    this.#rows.set(table, rows);
    if (rows < (this.#nextLook.get(table) ?? FIRST_ROWS) || this.#closing.signal.aborted) return;
    this.#nextLook.set(table, 2 * rows);
    this.#due.add(table);
    // Only a help: where it fails, the server's own look comes later.
    this.#looking ??= this.#look()
      .catch(() => undefined)
      .finally(() => {
        this.#looking = null;
      });
  }

  async #look(): Promise<void> {
    await sleep(SETTLED_AFTER, undefined, { ref: false, signal: this.#closing.signal });
    const session = await this.#sessions.alone();
    try {
      for (const table of this.#due) {
        this.#due.delete(table);
        await session.query(`analyze "${table}"`);
      }
    } finally {
      await session.end().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#looking;
  }
}
