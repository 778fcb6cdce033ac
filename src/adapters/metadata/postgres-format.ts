import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Micros } from "../../core/time.ts";
import { quoted } from "./bulk-insert.ts";
import { metadataErrors } from "./errors.ts";
import type { Migration } from "./migrations/index.ts";
import { copyIntoSqlite } from "./postgres-backup.ts";
import { isConnectionLost, postgresError } from "./postgres-errors.ts";
import type { Session } from "./postgres-sessions.ts";

export interface DatabaseFormat {
  /** 0 where there is nothing yet. */
  readonly version: number;
  /** The oldest format whose program can use it. */
  readonly compatible: number;
}

const OLDEST_SERVER = 130_000;
const TYPES: Readonly<Record<string, string>> = { INTEGER: "BIGINT", REAL: "DOUBLE PRECISION", TEXT: 'TEXT COLLATE "C"' };

/**
 * SQLite's statements as PostgreSQL takes them: 64 bits, text that compares by code point, no options behind a table. What stands between
 * quotes stays as it is.
 */
export function translated(sql: string): string {
  return sql
    .split(/('(?:[^']|'')*'|"(?:[^"]|"")*")/)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part
            .replace(/\)\s*STRICT\s*(?:,\s*WITHOUT\s+ROWID\s*)?(?=;|$)/g, ")")
            .replace(/\b(?:INTEGER|REAL|TEXT)\b/g, (type) => TYPES[type] ?? type),
    )
    .join("");
}

export async function readFormat(session: Session, schema: string, shown: string): Promise<DatabaseFormat> {
  const { rows } = await session.query("select to_regclass($1) is not null as there", [`${quoted(schema)}.meta`]);
  if (rows[0]?.there !== 1) {
    const { rows: others } = await session.query("select tablename from pg_tables where schemaname = $1 limit 1", [schema]);
    if (others.length > 0) throw metadataErrors.STATE_CORRUPT(`The schema ${schema} has tables, but not Orrery's (${shown})`);
    return { version: 0, compatible: 0 };
  }
  const meta = await session.query(`select key, value from ${quoted(schema)}.meta`);
  const values = new Map(meta.rows.map(({ key, value }) => [key, Number(value)]));
  const version = values.get("formatVersion");
  const compatible = values.get("minCompatibleVersion");
  if (!Number.isInteger(version) || version === undefined || !Number.isInteger(compatible) || compatible === undefined)
    throw metadataErrors.STATE_CORRUPT(`The database does not say its format (${shown})`);
  return { version, compatible };
}

/** @throws STATE_NEWER where this program's format is older than the database allows */
export function refuseNewer({ version, compatible }: DatabaseFormat, format: number, shown: string): void {
  if (compatible > format)
    throw metadataErrors.STATE_NEWER(
      `The database was made by a newer Orrery (format ${version}, this one reads up to ${format}; ${shown})`,
    );
}

/** @throws STATE_UNSUPPORTED */
export async function refuseOldServer(session: Session, shown: string): Promise<void> {
  const { rows } = await session.query(
    "select current_setting('server_version_num')::int as version, current_setting('server_version') as name",
  );
  if (Number(rows[0]?.version) < OLDEST_SERVER)
    throw metadataErrors.STATE_UNSUPPORTED(`The server is PostgreSQL ${rows[0]?.name} (${shown})`);
}

export interface PostgresMigration {
  readonly session: Session;
  readonly schema: string;
  readonly shown: string;
  readonly lock: string;
  readonly migrations: readonly Migration[];
  readonly now: Micros;
  /** Folder for the copy made before a database with rows is migrated. */
  readonly backups: string | undefined;
}

/**
 * Makes the schema or brings it to this program's format, in one transaction, while no other process writes. A database that has rows is
 * copied into `backups` first, as `<schema>.format-<n>.backup`.
 * @throws STATE_NEWER, STATE_BACKUP_NEEDED, STATE_MIGRATION_FAILED (the database is as it was)
 */
export async function migratePostgres({
  session,
  schema,
  shown,
  lock,
  migrations,
  now,
  backups,
}: PostgresMigration): Promise<void> {
  // A lock of the session, held over the copy and the migration: the writers of every other process wait for it.
  await session.query(`select pg_advisory_lock(${lock})`);
  try {
    const before = await readFormat(session, schema, shown);
    refuseNewer(before, migrations.length, shown);
    if (before.version >= migrations.length) return;
    if (before.version > 0) await copyBefore(session, before.version);
    await session.query("begin isolation level read committed read write");
    try {
      if (before.version === 0) await createSchema();
      for (const { sql } of migrations.slice(before.version)) await session.query(translated(sql));
      const latest = migrations.at(-1);
      const meta = {
        formatVersion: migrations.length,
        minCompatibleVersion: latest?.minCompatibleVersion ?? migrations.length,
        migratedAt: now,
      };
      for (const [key, value] of Object.entries(meta))
        await session.query(
          "insert into meta (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value",
          [key, String(value)],
        );
      await session.query("commit");
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      await session.query("rollback");
      const known = postgresError(error, shown);
      if (known.kind === "unavailable" || known.kind === "denied") throw known;
      const said = error instanceof Error ? error.message : String(error);
      throw metadataErrors.STATE_MIGRATION_FAILED(
        `The database could not be brought to format ${migrations.length}: ${said} (${shown})`,
      );
    }
  } finally {
    // Where the connection is gone the lock is too.
    await session.query(`select pg_advisory_unlock(${lock})`).catch(() => undefined);
  }

  async function createSchema(): Promise<void> {
    // Asked first: who may not create schemas may still use one that was made for them.
    const { rows } = await session.query("select to_regnamespace($1) is null as missing", [quoted(schema)]);
    if (rows[0]?.missing === 1) await session.query(`create schema ${quoted(schema)}`);
  }

  async function copyBefore(client: Session, version: number): Promise<void> {
    const older = migrations.slice(0, version);
    if (backups === undefined) {
      if (await hasRows(client, schema))
        throw metadataErrors.STATE_BACKUP_NEEDED(
          `The database is of format ${version} and has to be migrated to ${migrations.length}; no folder for its copy was given (${shown})`,
        );
      return;
    }
    const path = join(backups, `${schema}.format-${version}.backup`);
    // An earlier try made it; nothing was migrated since, but rows may have come.
    await copyIntoSqlite({ session: client, path, migrations: older, now, replace: existsSync(path) });
  }
}

async function hasRows(session: Session, schema: string): Promise<boolean> {
  const { rows } = await session.query("select tablename as name from pg_tables where schemaname = $1 and tablename <> 'meta'", [
    schema,
  ]);
  for (const { name } of rows) {
    const found = await session.query(`select exists (select 1 from ${quoted(schema)}.${quoted(String(name))}) as some`);
    if (found.rows[0]?.some === 1) return true;
  }
  return false;
}
