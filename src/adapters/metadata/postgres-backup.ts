import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import type { Micros } from "../../core/time.ts";
import { insertStatement, quoted, toColumns } from "./bulk-insert.ts";
import { metadataErrors } from "./errors.ts";
import type { Migration } from "./migrations/index.ts";
import type { Session } from "./postgres-sessions.ts";
import { SqliteConnection } from "./sqlite-connection.ts";

const ROWS_AT_ONCE = 2_000;

export interface PostgresCopy {
  readonly session: Session;
  readonly path: string;
  /** Those that made the database's format. */
  readonly migrations: readonly Migration[];
  readonly now: Micros;
  readonly replace: boolean;
}

/**
 * Writes every table as it is at one moment into a SQLite file of the same format, a page of rows at a time. The file appears under its
 * name when it is whole and on disk. The snapshot holds up no writer, but a migration waits for its end.
 * @throws STATE_BACKUP_EXISTS
 */
export async function copyIntoSqlite({ session, path, migrations, now, replace }: PostgresCopy): Promise<void> {
  const partial = `${path}.partial`;
  await rm(partial, { force: true });
  const copy = new SqliteConnection({ path: partial, role: "copy", migrations, now });
  try {
    await copy.opened;
    const { rows: tables } = await copy.run("SELECT name FROM sqlite_schema WHERE type = 'table'");
    await session.query("begin isolation level repeatable read read only");
    try {
      for (const table of tables) await copyTable(session, copy, nameOf(table));
    } finally {
      // Nothing was written; a connection that is lost has ended it already.
      await session.query("rollback").catch(() => undefined);
    }
    const { rows: dangling } = await copy.run("SELECT * FROM pragma_foreign_key_check LIMIT 1");
    if (dangling.length > 0) throw metadataErrors.STATE_CORRUPT("The copy has rows that refer to none: the database is damaged");
    await copy.close();
    const file = await open(partial, "r+");
    await file.sync();
    await file.close();
    if (!replace && existsSync(path)) throw metadataErrors.STATE_BACKUP_EXISTS(`${path} is there already`);
    await rename(partial, path);
  } finally {
    await copy.close();
    await rm(partial, { force: true });
  }
}

async function copyTable(session: Session, copy: SqliteConnection, table: string): Promise<void> {
  await session.query(`declare pages no scroll cursor for select * from ${quoted(table)}`);
  for (;;) {
    const { rows } = await session.query(`fetch ${ROWS_AT_ONCE} from pages`);
    if (rows.length === 0) break;
    const bulk = toColumns(rows);
    // The new file says its format itself; whatever else the table meta holds is the database's.
    await copy.runForEach(
      insertStatement(table, bulk.names, table === "meta" ? { key: ["key"], update: ["value"] } : "fail"),
      bulk,
    );
  }
  await session.query("close pages");
}

const nameOf = (row: unknown): string => {
  if (typeof row === "object" && row !== null && "name" in row && typeof row.name === "string") return row.name;
  throw new TypeError("a table without a name");
};
