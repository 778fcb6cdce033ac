import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import { bindable } from "./bulk-insert.ts";
import { metadataErrors } from "./errors.ts";
import type { Session } from "./postgres-sessions.ts";
import type { OpenTransaction, PostgresWriter } from "./postgres-writer.ts";
import { isSelect } from "./select-query.ts";

export interface PostgresRouting {
  read<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** null where the store was opened for reading only. */
  readonly writer: PostgresWriter | null;
}

/** One Kysely connection: within a transaction the writer's session, else any reader's for reads and a transaction of its own for a write. */
class RoutedConnection implements DatabaseConnection {
  readonly #routing: PostgresRouting;
  #transaction: OpenTransaction | null = null;

  constructor(routing: PostgresRouting) {
    this.#routing = routing;
  }

  async begin(): Promise<void> {
    this.#transaction = await this.#writer().begin();
  }

  async commit(): Promise<void> {
    await this.#transaction?.commit();
    this.#transaction = null;
  }

  /** A connection that is given back always gives back the writer too. */
  async rollback(): Promise<void> {
    await this.#transaction?.rollback();
    this.#transaction = null;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const values = query.parameters.map(bindable);
    const ask = (session: Session) => session.query(query.sql, values);
    const { rows, rowCount } = await this.#run(query, ask);
    // The type of a row is what the caller's query builder derived from the schema.
    return { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) };
  }

  /** The whole result as one chunk, as on SQLite. */
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  #run<T>(query: CompiledQuery, ask: (session: Session) => Promise<T>): Promise<T> {
    if (this.#transaction !== null) return this.#transaction.run(ask);
    return isSelect(query) ? this.#routing.read(ask) : this.#writer().alone(ask);
  }

  #writer(): PostgresWriter {
    if (this.#routing.writer === null) throw metadataErrors.STATE_READ_ONLY("The metadata was opened for reading only");
    return this.#routing.writer;
  }
}

/** Kysely on PostgreSQL with one writer at a time. */
export function postgresDialect(routing: PostgresRouting): Dialect {
  const routed = (connection: DatabaseConnection): RoutedConnection => {
    if (connection instanceof RoutedConnection) return connection;
    throw new TypeError("a connection of another driver");
  };
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => new RoutedConnection(routing),
    beginTransaction: (connection) => routed(connection).begin(),
    commitTransaction: (connection) => routed(connection).commit(),
    rollbackTransaction: (connection) => routed(connection).rollback(),
    releaseConnection: (connection) => routed(connection).rollback(),
    destroy: async () => {},
  };
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}
