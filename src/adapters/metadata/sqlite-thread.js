// One SQLite connection in a thread of its own. JavaScript, because a thread that has to strip types first starts 60 ms later.
// workerData: { path, role: ConnectionOptions["role"], migrations, now }; messages in: { id, sql, params }, { id, sql, columns, count }, { id, backup }, { id, close };
// messages out: { id: 0 } once open, then { id, names, values, changes } (the columns' names; a list of values a row) or
// { id, failure: ThreadFailure } for each one in. Lists are copied between threads three times as fast as objects.
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

const KEPT_STATEMENTS = 200;
/** For what a reader looks at again and again; SQLite's own 2 MB hold a search of a few thousand runs no more. */
const READER_CACHE_KIB = 16 * 1024;
const { path, role, migrations, now } = workerData;

class KnownFailure extends Error {
  constructor(known, message) {
    super(message);
    this.known = known;
  }
}

/** @type {Map<string, import("node:sqlite").StatementSync>} */
const statements = new Map();
let database;

function open() {
  if (role === "copy") {
    database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
    migrate();
    return;
  }
  if (role !== "writer") {
    if (!existsSync(path)) throw new KnownFailure("STATE_MISSING", `There is no metadata in ${path}`);
    database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    database.exec(`PRAGMA case_sensitive_like = ON; PRAGMA cache_size = -${READER_CACHE_KIB}`);
    if (role === "reader-alone") format();
    return;
  }
  database = new DatabaseSync(path, { timeout: 5_000 });
  // Before anything else, so that a state this version must not touch is left alone.
  format();
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA case_sensitive_like = ON",
  );
  // Tables are made anew with others pointing at them; what points nowhere is found before the migration is committed.
  database.exec("PRAGMA foreign_keys = OFF");
  migrate();
  database.exec("PRAGMA foreign_keys = ON");
}

/** Format of the database, 0 when it is empty. */
function format() {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  if (tables.length === 0) return 0;
  if (!tables.some(({ name }) => name === "meta"))
    throw new KnownFailure("STATE_CORRUPT", `${path} is a database, but not one of Orrery's`);
  const number = (key) => Number(database.prepare("SELECT value FROM meta WHERE key = ?").get(key)?.value ?? Number.NaN);
  const version = number("formatVersion");
  const compatible = number("minCompatibleVersion");
  if (!Number.isInteger(version) || !Number.isInteger(compatible))
    throw new KnownFailure("STATE_CORRUPT", `${path} does not say its format`);
  if (compatible > migrations.length)
    throw new KnownFailure(
      "STATE_NEWER",
      `${path} was made by a newer Orrery (format ${version}, this one reads up to ${migrations.length})`,
    );
  return version;
}

function migrate() {
  const before = format();
  if (before >= migrations.length) return;
  if (before > 0) vacuumInto(`${path}.format-${before}.backup`, true);
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have migrated while this one waited for the lock.
    const pending = migrations.slice(format());
    for (const { sql } of pending) database.exec(sql);
    const latest = pending.at(-1);
    if (latest !== undefined) {
      const [dangling] = database.prepare("PRAGMA foreign_key_check").all();
      if (dangling !== undefined)
        throw new KnownFailure(
          "STATE_MIGRATION_FAILED",
          `${path} has rows of ${dangling.table} that refer to no ${dangling.parent}`,
        );
      const set = database.prepare(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      );
      set.run("formatVersion", String(latest.formatVersion));
      set.run("minCompatibleVersion", String(latest.minCompatibleVersion));
      set.run("migratedAt", String(now));
    }
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    if (error instanceof KnownFailure) throw error;
    // A full disk or a lock has its own name; only a statement that cannot run is the migration's fault.
    if (((error.errcode ?? 0) & 0xff) > 1) throw error;
    throw new KnownFailure(
      "STATE_MIGRATION_FAILED",
      `${path} could not be brought to format ${migrations.length}: ${error.message}`,
    );
  }
}

/** A consistent copy that appears under its name only when it is whole and on disk. */
function vacuumInto(target, replace) {
  const partial = `${target}.partial`;
  rmSync(partial, { force: true });
  try {
    database.prepare("VACUUM INTO ?").run(partial);
    const file = openSync(partial, "r+");
    fsyncSync(file);
    closeSync(file);
    if (replace || !existsSync(target)) renameSync(partial, target);
  } finally {
    rmSync(partial, { force: true });
  }
}

function prepared(sql) {
  let statement = statements.get(sql);
  if (statement === undefined) {
    statement = database.prepare(sql);
    statement.setReturnArrays(true);
    if (statements.size >= KEPT_STATEMENTS) statements.delete(statements.keys().next().value);
  } else {
    statements.delete(sql);
  }
  // Put back last, so that the first of the map is the one longest unused.
  statements.set(sql, statement);
  return statement;
}

/** @param {{ sql: string, columns: readonly import("./bulk-insert.ts").BulkColumn[], count: number }} message */
function runForEach({ sql, columns, count }) {
  const statement = prepared(sql);
  // Within a transaction a savepoint, so that a failed statement leaves nothing of itself behind.
  const [begin, commit, rollback] = database.isTransaction
    ? ["SAVEPOINT each_row", "RELEASE each_row", "ROLLBACK TO each_row; RELEASE each_row"]
    : ["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"];
  database.exec(begin);
  try {
    const row = columns.map((column) => column.constant);
    const changing = columns.flatMap(({ numbers, values }, at) =>
      (numbers ?? values) ? [{ at, values: numbers ?? values }] : [],
    );
    let changes = 0;
    for (let index = 0; index < count; index++) {
      for (const { at, values } of changing) row[at] = values[index];
      changes += Number(statement.run(...row).changes);
    }
    database.exec(commit);
    return { changes };
  } catch (error) {
    if (database.isTransaction) database.exec(rollback);
    throw error;
  }
}

function answer({ sql, params, columns, count, backup }) {
  if (backup !== undefined) {
    vacuumInto(backup, false);
    return { changes: 0 };
  }
  if (columns !== undefined) return runForEach({ sql, columns, count });
  // SQLite rolls some failed transactions back by itself (a full disk); rolling back again would hide the first error.
  if (sql === "rollback" && !database.isTransaction) return { changes: 0 };
  const statement = prepared(sql);
  const names = statement.columns().map(({ name }) => name);
  if (names.length > 0) {
    const values = statement.all(...params);
    return { names, values, changes: values.length };
  }
  return { changes: Number(statement.run(...params).changes) };
}

const failureOf = (error) => ({
  code: error.errcode ?? 0,
  message: String(error.message ?? error).split("\n", 1)[0],
  known: error.known,
});

try {
  open();
  parentPort.postMessage({ id: 0 });
} catch (error) {
  database?.close();
  parentPort.postMessage({ id: 0, failure: failureOf(error) });
}

parentPort.on("message", (message) => {
  try {
    if (message.close) {
      if (database?.isOpen) database.close();
      parentPort.postMessage({ id: message.id, changes: 0 });
      parentPort.close();
      return;
    }
    parentPort.postMessage({ id: message.id, ...answer(message) });
  } catch (error) {
    parentPort.postMessage({ id: message.id, failure: failureOf(error) });
  }
});
