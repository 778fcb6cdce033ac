import type { Kysely } from "kysely";
import type { Database } from "./metadata-schema.ts";

/**
 * The relational store behind tracking, registry, pipelines and monitoring. The rooms write their queries with Kysely, so
 * that one set of queries runs on SQLite and PostgreSQL; an adapter gives the connection, the migrations and the backup.
 */
export interface MetadataStore {
  readonly db: Kysely<Database>;
  /** Serialised with every other write; commits when `work` resolves, rolls back when it throws. */
  transaction<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T>;
  /** A consistent copy while writers write. */
  backup(path: string): Promise<void>;
  close(): Promise<void>;
}
