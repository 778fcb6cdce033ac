import { existsSync } from "node:fs";
import { Kysely } from "kysely";
import type { Clock, Database, MetadataStore } from "../../core/ports/index.ts";
import { metadataErrors } from "./errors.ts";
import { MIGRATIONS, type Migration } from "./migrations/index.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { markTransaction, sqliteDialect } from "./sqlite-dialect.ts";

export interface SqliteOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Opens an existing database beside the process that owns it; every write is refused. */
  readonly readOnly?: boolean;
  /** Another program version's migrations; tests only. */
  readonly migrations?: readonly Migration[];
}

/** The metadata in one SQLite file: one thread writes (synchronous=FULL: a commit is on disk), one reads what is committed. */
export class SqliteMetadataStore implements MetadataStore {
  readonly db: Kysely<Database>;
  readonly #connections: readonly SqliteConnection[];
  readonly #copier: () => SqliteConnection;

  constructor(reader: SqliteConnection, writer: SqliteConnection | null, copier: () => SqliteConnection) {
    this.db = new Kysely<Database>({ dialect: sqliteDialect(reader, writer) });
    this.#connections = writer === null ? [reader] : [reader, writer];
    this.#copier = copier;
  }

  transaction<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T> {
    return this.db.transaction().execute((db) => markTransaction(() => work(db)));
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

  async close(): Promise<void> {
    // The writer last: closing the last connection folds the write-ahead log into the file.
    for (const connection of this.#connections) await connection.close();
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
    return new SqliteMetadataStore(reader, null, copier);
  }
  const writer = connect("writer");
  await openedOrClosed([writer]);
  // Not awaited: until its thread runs, the writer answers reads too.
  return new SqliteMetadataStore(connect("reader"), writer, copier);
}

async function openedOrClosed(connections: readonly SqliteConnection[]): Promise<void> {
  try {
    await Promise.all(connections.map(({ opened }) => opened));
  } catch (error) {
    await Promise.all(connections.map((connection) => connection.close()));
    throw error;
  }
}
