import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { bulkRowsOf } from "./bulk-insert.ts";
import { metadataErrors } from "./errors.ts";
import { isSelect } from "./select-query.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import type { SqliteReaders } from "./sqlite-readers.ts";
import type { WriterQueue } from "./writer-queue.ts";

/** One Kysely connection: reads go to a reader, writes and everything within a transaction to the writer. */
class RoutedConnection implements DatabaseConnection {
  readonly #readers: SqliteReaders;
  readonly #writer: SqliteConnection | null;
  readonly #queue: WriterQueue;
  #release: (() => void) | null = null;
  /** The first error of a statement in the transaction: as on PostgreSQL it will not be committed. */
  #failed: unknown = null;

  constructor(readers: SqliteReaders, writer: SqliteConnection | null, queue: WriterQueue) {
    this.#readers = readers;
    this.#writer = writer;
    this.#queue = queue;
  }

  async begin(): Promise<void> {
    if (this.#writer === null) throw metadataErrors.STATE_READ_ONLY("The metadata was opened for reading only");
    const release = await this.#queue.take();
    try {
      await this.#writer.run("begin immediate");
      this.#release = release;
    } catch (error) {
      release();
      throw error;
    }
  }

  async end(statement: "commit" | "rollback"): Promise<void> {
    if (statement === "commit" && this.#failed !== null) throw this.#failed;
    // A failed commit leaves the transaction to a rollback, which Kysely sends next.
    await this.#writer?.run(statement);
    this.#release?.();
    this.#release = null;
  }

  /** A connection that is given back always gives back the writer too. */
  async abandon(): Promise<void> {
    if (this.#release !== null) await this.end("rollback").catch(() => undefined);
    this.#release?.();
    this.#release = null;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes } = await this.#run(query);
    // The type of a row is what the caller's query builder derived from the schema.
    return { rows: rows as R[], numAffectedRows: BigInt(changes) };
  }

  /** The whole result as one chunk: a thread answers a statement at once. */
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  /** The reader's thread starts after the writer's; the first questions need not wait for it, unless a transaction holds the writer. */
  #readsElsewhere(): boolean {
    return this.#writer === null || this.#readers.isOpen || this.#queue.insideTransaction;
  }

  async #run(query: CompiledQuery) {
    if (this.#release !== null && this.#writer !== null) {
      if (this.#failed !== null) throw this.#failed;
      return run(this.#writer, query).catch((error: unknown) => {
        this.#failed = error;
        throw error;
      });
    }
    if (isSelect(query) && this.#readsElsewhere()) return this.#readers.run(query.sql, query.parameters);
    if (this.#writer === null) throw metadataErrors.STATE_READ_ONLY("The metadata was opened for reading only");
    const release = await this.#queue.take();
    try {
      return await run(this.#writer, query);
    } finally {
      release();
    }
  }
}

function run(writer: SqliteConnection, query: CompiledQuery) {
  const rows = bulkRowsOf(query);
  return rows === undefined ? writer.run(query.sql, query.parameters) : writer.runForEach(query.sql, rows);
}

/** Kysely on SQLite threads: one that writes, others that read. */
export function sqliteDialect(readers: SqliteReaders, writer: SqliteConnection | null, queue: WriterQueue): Dialect {
  const routed = (connection: DatabaseConnection): RoutedConnection => {
    if (connection instanceof RoutedConnection) return connection;
    throw new TypeError("a connection of another driver");
  };
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => new RoutedConnection(readers, writer, queue),
    beginTransaction: (connection) => routed(connection).begin(),
    commitTransaction: (connection) => routed(connection).end("commit"),
    rollbackTransaction: (connection) => routed(connection).end("rollback"),
    releaseConnection: (connection) => routed(connection).abandon(),
    destroy: async () => {},
  };
  return {
    createAdapter: () => new ConcurrentSqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** Kysely lets one query at a time through where there is one connection; here reads go on beside a write. */
class ConcurrentSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}
