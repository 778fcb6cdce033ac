import { existsSync } from "node:fs";
import { CompiledQuery, Kysely } from "kysely";
import type { Claim, Clock, Database, MetadataStore, OnConflict } from "../../core/ports/index.ts";
import type { Micros } from "../../core/time.ts";
import { toColumns } from "./bulk-insert.ts";
import { metadataErrors } from "./errors.ts";
import { MIGRATIONS, type Migration } from "./migrations/index.ts";
import { lockKey, readPostgresUrl } from "./postgres-address.ts";
import { copyIntoSqlite } from "./postgres-backup.ts";
import { columnTypes, insertFromArrays } from "./postgres-bulk.ts";
import { PostgresClaim } from "./postgres-claim.ts";
import { postgresDialect } from "./postgres-dialect.ts";
import { postgresError } from "./postgres-errors.ts";
import { migratePostgres, readFormat, refuseNewer, refuseOldServer } from "./postgres-format.ts";
import { PostgresSessions, type Session } from "./postgres-sessions.ts";
import { PostgresStatistics } from "./postgres-statistics.ts";
import { PostgresWriter, WRITER_MARK } from "./postgres-writer.ts";
import { WriterQueue } from "./writer-queue.ts";

export interface PostgresOptions {
  /** `postgres://…`, see readPostgresUrl. */
  readonly url: string;
  readonly clock: Clock;
  /** Where the URL names none: "orrery". Made when it is not there. */
  readonly schema?: string;
  /** Every write is refused and nothing is made or migrated. */
  readonly readOnly?: boolean;
  /** Folder for the copy of a database with rows that is made before its format changes; without it such a database is refused. */
  readonly backups?: string;
  /** How long what has not begun waits for a database that is away, in milliseconds; 30,000. */
  readonly patience?: number;
  /** Connections that read, beside the one that writes; 8. */
  readonly readers?: number;
  /** Another program version's migrations; tests only. */
  readonly migrations?: readonly Migration[];
}

interface PostgresParts {
  readonly sessions: PostgresSessions;
  readonly writer: PostgresWriter | null;
  readonly queue: WriterQueue;
  readonly migrations: readonly Migration[];
  readonly clock: Clock;
}

/**
 * The metadata in one schema of a PostgreSQL database that several processes share. Where the database goes away, reads, lone writes and
 * transactions that have not begun wait for it; a transaction under way fails. A commit whose answer was lost is looked up.
 */
export class PostgresMetadataStore implements MetadataStore {
  readonly engine = "postgres";
  readonly db: Kysely<Database>;
  readonly #sessions: PostgresSessions;
  readonly #writer: PostgresWriter | null;
  readonly #queue: WriterQueue;
  readonly #migrations: readonly Migration[];
  readonly #clock: Clock;
  readonly #types = new Map<string, Promise<ReadonlyMap<string, string>>>();
  readonly #claims = new Set<PostgresClaim>();
  readonly #statistics: PostgresStatistics;

  constructor({ sessions, writer, queue, migrations, clock }: PostgresParts) {
    this.#sessions = sessions;
    this.#writer = writer;
    this.#queue = queue;
    this.#migrations = migrations;
    this.#clock = clock;
    this.#statistics = new PostgresStatistics(sessions);
    this.db = new Kysely<Database>({ dialect: postgresDialect({ read: (work) => sessions.read(work), writer }) });
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
    const { sql, values } = insertFromArrays(table, toColumns(rows), await this.#typesOf(table), onConflict);
    await db.executeQuery(CompiledQuery.raw(sql, values));
    this.#statistics.inserted(table, rows.length);
  }

  #typesOf(table: string): Promise<ReadonlyMap<string, string>> {
    const known = this.#types.get(table);
    if (known !== undefined) return known;
    const asked = this.#sessions.read((session) => columnTypes(session, this.#sessions.address.schema, table));
    this.#types.set(table, asked);
    // Asked again next time.
    asked.catch(() => this.#types.delete(table));
    return asked;
  }

  async claim(name: string): Promise<Claim> {
    const claim = await PostgresClaim.take(this.#sessions, name);
    this.#claims.add(claim);
    return claim;
  }

  /** Writes a SQLite file of the same format, from one snapshot of the database. @throws STATE_BACKUP_EXISTS */
  async backup(path: string): Promise<void> {
    if (existsSync(path)) throw metadataErrors.STATE_BACKUP_EXISTS(`${path} is there already`);
    const { address } = this.#sessions;
    const session = await this.#sessions.repeating(() => this.#sessions.alone());
    try {
      const { version } = await readFormat(session, address.schema, address.shown);
      // Columns that this program does not know would be missing from the copy.
      if (version > this.#migrations.length)
        throw metadataErrors.STATE_NEWER(
          `The database is of format ${version}, newer than this Orrery's ${this.#migrations.length}`,
        );
      await copyIntoSqlite({ session, path, migrations: this.#migrations, now: this.#clock.now(), replace: false });
    } catch (error) {
      throw postgresError(error, address.shown);
    } finally {
      await session.end().catch(() => undefined);
    }
  }

  async scrub(): Promise<void> {
    const { address } = this.#sessions;
    const session = await this.#sessions.repeating(() => this.#sessions.alone());
    try {
      const { rows } = await session.query<{ tablename: string }>("SELECT tablename FROM pg_tables WHERE schemaname = $1", [
        address.schema,
      ]);
      for (const { tablename } of rows) await session.query(`VACUUM "${address.schema}"."${tablename}"`);
    } catch (error) {
      throw postgresError(error, address.shown);
    } finally {
      await session.end().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    for (const claim of this.#claims) await claim.release();
    this.#claims.clear();
    await this.#statistics.close();
    // Where it cannot be reached, somebody else forgets the mark later.
    await this.#writer?.close().catch(() => undefined);
    await this.#sessions.close();
    await this.db.destroy();
  }
}

/**
 * Opens the metadata in PostgreSQL, and makes or migrates its schema unless `readOnly`. Waits at most `patience` for a server that does
 * not answer yet. A database with rows is copied into `backups` before its format changes.
 *
 * @throws STATE_ADDRESS_INVALID, STATE_LOGIN_REFUSED, STATE_UNREACHABLE, STATE_UNSUPPORTED, STATE_NEWER, STATE_MISSING (`readOnly` and
 * nothing there), STATE_BACKUP_NEEDED, STATE_MIGRATION_FAILED
 */
export async function openPostgres(options: PostgresOptions): Promise<PostgresMetadataStore> {
  const { clock, readOnly = false, migrations = MIGRATIONS, patience = 30_000, readers = 8 } = options;
  const address = readPostgresUrl(options.url, options.schema);
  const sessions = new PostgresSessions({ address, patience, readers, readOnly });
  const lock = lockKey("writer", address.schema);
  try {
    await sessions.repeating(() => prepare(sessions, lock, clock.now(), { ...options, readOnly, migrations }));
    const queue = new WriterQueue();
    const writer = readOnly ? null : new PostgresWriter({ sessions, queue, lock, format: migrations.length });
    return new PostgresMetadataStore({ sessions, writer, queue, migrations, clock });
  } catch (error) {
    await sessions.close();
    throw error;
  }
}

type Preparation = Pick<PostgresOptions, "backups"> & { readonly readOnly: boolean; readonly migrations: readonly Migration[] };

async function prepare(
  sessions: PostgresSessions,
  lock: string,
  now: Micros,
  { backups, readOnly, migrations }: Preparation,
): Promise<void> {
  const { schema, shown } = sessions.address;
  const session = await sessions.alone();
  try {
    await refuseOldServer(session, shown);
    const found = await readFormat(session, schema, shown);
    refuseNewer(found, migrations.length, shown);
    if (readOnly) {
      if (found.version === 0) throw metadataErrors.STATE_MISSING(`There is no metadata in the database (${shown})`);
      return;
    }
    if (found.version < migrations.length) await migratePostgres({ session, schema, shown, lock, migrations, now, backups });
    await forgetWriters(session);
  } finally {
    await session.end().catch(() => undefined);
  }
}

/** Marks of writers that did not end well, made more than a month ago; one that still writes makes its mark again. */
async function forgetWriters(session: Session): Promise<void> {
  const { rows } = await session.query<{ key: string }>("select key from meta where key like $1", [`${WRITER_MARK}%`]);
  const madeBefore = Date.now() - 30 * 24 * 3_600_000;
  const old = rows.map(({ key }) => key).filter((key) => Number(key.slice(WRITER_MARK.length).split("-", 1)[0]) < madeBefore);
  if (old.length > 0) await session.query("delete from meta where key = any($1)", [old]);
}
