import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { OrreryError } from "../../core/errors.ts";
import type { EntityRows, LoggedRow, PushedRow, PushLog, TouchedEntities } from "../../core/ports/index.ts";
import type { Micros } from "../../core/time.ts";
import { pushLogErrors } from "./errors.ts";
import { PushAppender } from "./push-appender.ts";

const FORMAT_VERSION = 1;
/** Each waits as long as any statement for others to be done. */
const ERASE_ATTEMPTS = 3;
const FILE = "push.db";

/** `identity` is a hash of the row where the same row is taken once; `problem` is what it broke. */
const SCHEMA = `
  CREATE TABLE rows (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, received_at INTEGER NOT NULL, identity BLOB, key TEXT, problem TEXT,
    row TEXT NOT NULL
  );
  CREATE UNIQUE INDEX rows_identity ON rows (source, identity) WHERE identity IS NOT NULL;
  CREATE INDEX rows_source ON rows (source, seq);
  CREATE INDEX rows_key ON rows (source, key, seq) WHERE key IS NOT NULL;
  CREATE TABLE entity_rows (
    source TEXT NOT NULL, keys TEXT NOT NULL, entity TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (source, keys, entity, seq)
  ) WITHOUT ROWID;
  CREATE TABLE indexes (source TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${FORMAT_VERSION};
`;

const SQL = {
  insert: `INSERT INTO rows (source, received_at, identity, key, problem, row) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  insertEntity: "INSERT OR IGNORE INTO entity_rows (source, keys, entity, seq) VALUES (?, ?, ?, ?)",
  end: "SELECT seq FROM rows WHERE source = ? ORDER BY seq DESC LIMIT 1",
  lastPlace: "SELECT seq FROM sqlite_sequence WHERE name = 'rows'",
  rows: "SELECT seq, row FROM rows WHERE source = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
  soundRows: "SELECT seq, row FROM rows WHERE source = ? AND seq > ? AND seq <= ? AND problem IS NULL ORDER BY seq LIMIT ?",
  // The plus keeps the planner at the index of places: the rows looked at are the last ones.
  revised: `WITH revised AS MATERIALIZED (
      SELECT DISTINCT one.key FROM rows AS one
      WHERE one.source = ?1 AND one.seq > ?2 AND one.seq <= ?3 AND +one.key IS NOT NULL AND EXISTS (
        SELECT 1 FROM rows AS other WHERE other.source = ?1 AND other.key = one.key AND other.seq <> one.seq AND other.seq <= ?3
      )
    )
    SELECT seq, row FROM revised CROSS JOIN rows ON source = ?1 AND rows.key = revised.key AND seq <= ?3 ORDER BY seq`,
  rowsOf: `WITH own AS MATERIALIZED (
      SELECT DISTINCT seq FROM json_each(?3) AS wanted
      CROSS JOIN entity_rows ON source = ?1 AND keys = ?2 AND entity = wanted.value AND seq <= ?4
    ), versions AS MATERIALIZED (
      SELECT seq FROM own
      UNION
      SELECT other.seq FROM own CROSS JOIN rows AS one ON one.seq = own.seq
        CROSS JOIN rows AS other ON other.source = ?1 AND other.key = one.key AND other.seq <= ?4
    )
    SELECT seq, row FROM rows WHERE seq IN versions ORDER BY seq`,
  entities: `SELECT entity, count(*) AS rows FROM entity_rows WHERE source = ? AND keys = ? AND entity > ?
    GROUP BY entity ORDER BY entity LIMIT ?`,
  touched: `SELECT count(*) AS rows, count(DISTINCT entity) AS entities FROM entity_rows WHERE source = ? AND keys = ? AND seq > ? AND seq <= ?`,
  someTouched: `SELECT entity FROM (
      SELECT entity, row_number() OVER (ORDER BY entity) - 1 AS place
      FROM (SELECT DISTINCT entity FROM entity_rows WHERE source = ? AND keys = ? AND seq > ? AND seq <= ?)
    ) WHERE place % ? = 0 ORDER BY place`,
  index: "SELECT hash FROM indexes WHERE source = ?",
  setIndex: "INSERT OR REPLACE INTO indexes (source, hash) VALUES (?, ?)",
  forgetIndex: "DELETE FROM indexes WHERE source = ?",
  forgetEntities: "DELETE FROM entity_rows WHERE source = ?",
  eraseEntities: "DELETE FROM entity_rows WHERE source = ? AND seq IN (SELECT value FROM json_each(?))",
  eraseRows: "DELETE FROM rows WHERE source = ? AND seq IN (SELECT value FROM json_each(?))",
  setRow: "UPDATE rows SET key = ?, problem = ? WHERE seq = ?",
} as const;

/** The log of pushed rows in one SQLite file. A commit is on disk (synchronous=FULL) and takes all rows that are given together; a thread waits for it. */
export class SqlitePushLog implements PushLog {
  readonly #db: DatabaseSync;
  readonly #appender: PushAppender | null;
  readonly #statements = new Map<string, StatementSync>();

  /** @param appender null for a log that is only read */
  constructor(db: DatabaseSync, appender: PushAppender | null) {
    this.#db = db;
    this.#appender = appender;
  }

  append(
    source: string,
    rows: readonly PushedRow[],
    options: { readonly once: boolean; readonly at: Micros },
  ): Promise<boolean[]> {
    if (this.#appender !== null) return this.#appender.append(source, rows, options);
    return Promise.reject(pushLogErrors.PUSH_LOG_WRITE_FAILED("The log of pushed rows was opened for reading only"));
  }

  end(source: string): number {
    return Number(this.#of(SQL.end).get(source)?.seq ?? 0);
  }

  lastPlace(): number {
    return Number(this.#of(SQL.lastPlace).get()?.seq ?? 0);
  }

  rows(
    source: string,
    { after, upTo, sound }: { readonly after: number; readonly upTo: number; readonly sound?: boolean },
    limit: number,
  ): LoggedRow[] {
    return this.#logged(sound === true ? SQL.soundRows : SQL.rows, [source, after, upTo, limit]);
  }

  revisedRows(source: string, { after, upTo }: { readonly after: number; readonly upTo: number }): LoggedRow[] {
    return this.#logged(SQL.revised, [source, after, upTo]);
  }

  rowsOf(source: string, keys: string, entities: readonly string[], upTo: number): LoggedRow[] {
    return this.#logged(SQL.rowsOf, [source, keys, JSON.stringify(entities), upTo]);
  }

  entities(source: string, keys: string, after: string, limit: number): EntityRows[] {
    const found = this.#of(SQL.entities).all(source, keys, after, limit);
    return found.map(({ entity, rows }) => ({ entity: String(entity), rows: Number(rows) }));
  }

  touched(
    source: string,
    keys: string,
    { after, upTo }: { readonly after: number; readonly upTo: number },
    limit: number,
  ): TouchedEntities {
    const found = this.#of(SQL.touched).get(source, keys, after, upTo);
    const entities = Number(found?.entities ?? 0);
    const step = Math.max(1, Math.ceil(entities / limit));
    const some = this.#of(SQL.someTouched).all(source, keys, after, upTo, step);
    return { rows: Number(found?.rows ?? 0), entities, some: some.map(({ entity }) => String(entity)) };
  }

  index(source: string): string | null {
    const found = this.#of(SQL.index).get(source);
    return found === undefined ? null : String(found.hash);
  }

  async reindex(
    source: string,
    index: string,
    batches: AsyncIterable<readonly (PushedRow & { readonly seq: number })[]>,
  ): Promise<void> {
    // Ended in the middle, it is begun again: no index stands until all rows are in it.
    this.#transaction(() => {
      this.#of(SQL.forgetIndex).run(source);
      this.#of(SQL.forgetEntities).run(source);
    });
    for await (const rows of batches) {
      this.#transaction(() => {
        for (const row of rows) {
          this.#of(SQL.setRow).run(row.key, row.problem, row.seq);
          this.#indexEntities(source, row, row.seq);
        }
      });
    }
    this.#transaction(() => this.#of(SQL.setIndex).run(source, index));
  }

  erase(source: string, places: readonly number[]): void {
    const wanted = JSON.stringify(places);
    this.#transaction(() => {
      this.#of(SQL.eraseEntities).run(source, wanted);
      this.#of(SQL.eraseRows).run(source, wanted);
    });
    // Earlier changes may have left some of it in pages that are free.
    this.#db.exec("VACUUM");
    // Whoever reads or appends holds the log for a moment.
    const isTruncated = () => this.#db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy === 0;
    if (!Array.from({ length: ERASE_ATTEMPTS }).some(isTruncated))
      throw pushLogErrors.PUSH_LOG_WRITE_FAILED("The log of pushed rows is being read, and cannot be written over");
  }

  close(): void {
    this.#appender?.close();
    this.#db.close();
  }

  #indexEntities(source: string, { entities }: PushedRow, seq: number): void {
    for (const { keys, entity } of entities) this.#of(SQL.insertEntity).run(source, keys, entity, seq);
  }

  #logged(sql: string, values: readonly SQLInputValue[]): LoggedRow[] {
    return this.#of(sql)
      .all(...values)
      .map(({ seq, row }) => ({ seq: Number(seq), row: String(row) }));
  }

  /** Compiled once. */
  #of(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #transaction<T>(work: () => T): T {
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      const why = cause instanceof Error ? cause.message : String(cause);
      throw pushLogErrors.PUSH_LOG_WRITE_FAILED(`The log of pushed rows cannot be written: ${why}`, { cause });
    }
  }
}

/**
 * Copies the log of a folder into another one, as of one moment, while it is written.
 * @throws PUSH_LOG_WRITE_FAILED
 */
export function backupSqlitePushLog(directory: string, target: string): void {
  try {
    mkdirSync(target, { recursive: true });
    const db = new DatabaseSync(join(directory, FILE), { readOnly: true });
    try {
      db.exec("PRAGMA busy_timeout = 5000");
      db.prepare("VACUUM INTO ?").run(join(target, FILE));
    } finally {
      db.close();
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw pushLogErrors.PUSH_LOG_WRITE_FAILED(`The log of pushed rows cannot be copied: ${why}`, { cause });
  }
}

/**
 * Opens the log in a folder, and makes it unless it is opened to read.
 * @throws PUSH_LOG_NEWER, PUSH_LOG_WRITE_FAILED
 */
export function openSqlitePushLog(directory: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): PushLog {
  try {
    if (!readOnly) mkdirSync(directory, { recursive: true });
    const path = join(directory, FILE);
    const db = new DatabaseSync(path, { readOnly });
    db.exec("PRAGMA busy_timeout = 5000; PRAGMA cache_size = -32768");
    if (!readOnly) db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
    const version = Number(db.prepare("PRAGMA user_version").get()?.user_version);
    if (version > FORMAT_VERSION)
      throw pushLogErrors.PUSH_LOG_NEWER(`The log of pushed rows has format ${version}; this version reads ${FORMAT_VERSION}`);
    if (version === 0 && !readOnly) db.exec(`BEGIN; ${SCHEMA} COMMIT`);
    const { insert, insertEntity } = SQL;
    return new SqlitePushLog(db, readOnly ? null : new PushAppender({ path, insert, insertEntity }));
  } catch (cause) {
    if (cause instanceof OrreryError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw pushLogErrors.PUSH_LOG_WRITE_FAILED(`The log of pushed rows cannot be opened: ${why}`, { cause });
  }
}
