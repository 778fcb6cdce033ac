import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Kysely } from "kysely";
import type { Claim, Clock, Database, MetadataStore, OnConflict } from "../../core/ports/index.ts";
import { bulkQuery, insertStatement, toColumns } from "./bulk-insert.ts";
import { metadataErrors } from "./errors.ts";
import { MIGRATIONS, type Migration } from "./migrations/index.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { SqliteReaders } from "./sqlite-readers.ts";
import { WriterQueue } from "./writer-queue.ts";

export interface SqliteOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Opens an existing database beside the process that owns it; every write is refused. */
  readonly readOnly?: boolean;
  /** Another program version's migrations; tests only. */
  readonly migrations?: readonly Migration[];
}

const SCRUB_ATTEMPTS = 100;
const SCRUB_WAIT_MS = 50;

/** What this process runs: path and name. */
const claimed = new Set<string>();

/** The metadata in one SQLite file: one thread writes (synchronous=FULL: a commit is on disk), one reads what is committed, and more while it is busy. */
export class SqliteMetadataStore implements MetadataStore {
  readonly engine = "sqlite";
  readonly db: Kysely<Database>;
  readonly #readers: SqliteReaders;
  readonly #writer: SqliteConnection | null;
  readonly #copier: () => SqliteConnection;
  readonly #queue = new WriterQueue();
  readonly #path: string;
  readonly #claims = new Set<string>();

  constructor(path: string, reader: SqliteConnection, writer: SqliteConnection | null, copier: () => SqliteConnection) {
    this.#path = path;
    this.#readers = new SqliteReaders(reader, copier);
    this.#writer = writer;
    this.#copier = copier;
    this.db = new Kysely<Database>({ dialect: sqliteDialect(this.#readers, writer, this.#queue) });
  }

  transaction<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T> {
    return this.db.transaction().execute((db) => this.#queue.mark(() => work(db)));
  }

  async insertMany<Table extends keyof Database & string>(
    db: Kysely<Database>,
    table: Table,
    rows: readonly Database[Table][],
    onConflict: OnConflict<Database[Table]> = "fail",
  ): Promise<void> {
    if (rows.length === 0) return;
    const bulk = toColumns(rows);
    await db.executeQuery(bulkQuery(insertStatement(table, bulk.names, onConflict), bulk));
  }

  /** Between processes the state folder's lock sees to it: the one that owns the folder is the one that may claim. */
  async claim(name: string): Promise<Claim> {
    const key = `${resolve(this.#path)}\0${name}`;
    if (claimed.has(key)) throw metadataErrors.STATE_CLAIMED(`This process runs ${name} already`);
    claimed.add(key);
    this.#claims.add(key);
    return {
      lost: new AbortController().signal,
      release: async () => {
        // Only the first time, when it may be another's since.
        if (this.#claims.delete(key)) claimed.delete(key);
      },
    };
  }

  /** @throws STATE_BACKUP_EXISTS */
  async backup(path: string): Promise<void> {
    if (existsSync(path)) throw metadataErrors.STATE_BACKUP_EXISTS(`${path} is there already`);
    // A thread of its own, so that neither reads nor writes wait for the copy.
    const copier = this.#copier();
    try {
      await copier.opened;
      await copier.copyInto(path);
    } finally {
      await copier.close();
    }
  }

  async scrub(): Promise<void> {
    if (this.#writer === null) throw metadataErrors.STATE_READ_ONLY("The metadata was opened for reading only");
    const release = await this.#queue.take();
    try {
      await this.#writer.run("VACUUM");
      // A reader that is under way holds the log; a moment later it does not.
      for (let attempt = 0; attempt < SCRUB_ATTEMPTS; attempt++) {
        const { rows } = await this.#writer.run("PRAGMA wal_checkpoint(TRUNCATE)");
        if ((rows[0] as { readonly busy?: unknown } | undefined)?.busy === 0) return;
        await delay(SCRUB_WAIT_MS);
      }
    } finally {
      release();
    }
    throw metadataErrors.STATE_BUSY("The metadata's log is being read without a pause, and cannot be written over");
  }

  async close(): Promise<void> {
    for (const key of this.#claims) claimed.delete(key);
    this.#claims.clear();
    // The writer last: closing the last connection folds the write-ahead log into the file.
    await this.#readers.close();
    await this.#writer?.close();
    await this.db.destroy();
  }
}

/**
 * Opens the metadata, and makes or migrates it unless `readOnly`. Before an existing database is migrated, a copy of it is
 * put beside it as `<path>.format-<n>.backup`; a migration that is interrupted leaves the old state.
 *
 * @throws STATE_NEWER, STATE_MISSING (`readOnly` and nothing there), STATE_CORRUPT, STATE_READ_ONLY, STATE_DISK_FULL, STATE_MIGRATION_FAILED
 */
export async function openSqlite({
  path,
  clock,
  readOnly = false,
  migrations = MIGRATIONS,
}: SqliteOptions): Promise<MetadataStore> {
  const connect = (role: "writer" | "reader" | "reader-alone") =>
    new SqliteConnection({ path, role, migrations, now: clock.now() });
  const copier = () => connect("reader");
  if (readOnly) {
    const reader = connect("reader-alone");
    await openedOrClosed([reader]);
    return new SqliteMetadataStore(path, reader, null, copier);
  }
  const writer = connect("writer");
  await openedOrClosed([writer]);
  // Not awaited: until its thread runs, the writer answers reads too.
  return new SqliteMetadataStore(path, connect("reader"), writer, copier);
}

async function openedOrClosed(connections: readonly SqliteConnection[]): Promise<void> {
  try {
    await Promise.all(connections.map(({ opened }) => opened));
  } catch (error) {
    await Promise.all(connections.map((connection) => connection.close()));
    throw error;
  }
}
