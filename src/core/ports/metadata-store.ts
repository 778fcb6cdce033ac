import type { Kysely } from "kysely";
import type { Database } from "./metadata-schema.ts";

/** What to do with a row whose key is there already. */
export type OnConflict<Row> =
  | "fail"
  | "ignore"
  | {
      /** Columns of the unique key. */
      readonly key: readonly (keyof Row & string)[];
      /** Columns that take the new row's values. */
      readonly update: readonly (keyof Row & string)[];
      /** Only where the new row's values of these columns are greater, compared as a tuple. */
      readonly whereGreater?: readonly (keyof Row & string)[];
    };

/** The right to run something alone. */
export interface Claim {
  /** Aborted when another process has taken the claim because this one lost its connection to the database. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * The relational store behind tracking, registry, pipelines and monitoring. The rooms write their queries with Kysely, so
 * that one set of queries runs on SQLite and PostgreSQL; an adapter gives the connection, the migrations and the backup.
 * LIKE is case-sensitive on both; text compares by code point.
 */
export interface MetadataStore {
  readonly engine: "sqlite" | "postgres";
  readonly db: Kysely<Database>;
  /**
   * Serialised with every other transaction, of other processes too; commits when `work` resolves, rolls back when it throws. A commit is
   * on disk when it returns.
   */
  transaction<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T>;
  /**
   * Inserts thousands of rows at the cost of one statement: no SQL is built per row. All have the columns of the first; in a
   * transaction pass its `db`. With `update`, no two rows may have the same key.
   */
  insertMany<Table extends keyof Database & string>(
    db: Kysely<Database>,
    table: Table,
    rows: readonly Database[Table][],
    onConflict?: OnConflict<Database[Table]>,
  ): Promise<void>;
  /**
   * Makes this process the only one that runs `name` (a project's pipelines and schedule) until the claim is released or the process dies.
   * @throws STATE_CLAIMED
   */
  claim(name: string): Promise<Claim>;
  /** A consistent copy, as a SQLite file, while writers write. @throws STATE_BACKUP_EXISTS */
  backup(path: string): Promise<void>;
  /**
   * Writes over what was deleted or changed before, so that its bytes are no more in the store's own files. SQLite: all of it is written anew.
   * PostgreSQL: its space is given free to be written over; copies and its write-ahead log are its administrator's.
   */
  scrub(): Promise<void>;
  close(): Promise<void>;
}
