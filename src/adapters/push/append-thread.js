// Appends rows to the log in a thread of its own: a commit waits for the disk. JavaScript, because a thread that has to strip types first
// starts 60 ms later.
// workerData: { path, insert, insertEntity } (SQL); messages in: { id, source, once, at, rows, keys, problems, entities } (a list of each; a row's
// entities are names of key sets and entities in turn) or { close }; messages out: { id, isNew } or { id, failure } for each one in.
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

/** An erasure writes the whole file anew meanwhile. */
const BUSY_TIMEOUT_MS = 60_000;

const db = new DatabaseSync(workerData.path, { timeout: BUSY_TIMEOUT_MS });
db.exec("PRAGMA cache_size = -32768; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
const insert = db.prepare(workerData.insert);
const insertEntity = db.prepare(workerData.insertEntity);

function append({ source, once, at, rows, keys, problems, entities }) {
  db.exec("BEGIN IMMEDIATE");
  const isNew = rows.map((row, index) => {
    const identity = once ? createHash("sha256").update(row).digest().subarray(0, 16) : null;
    const { changes, lastInsertRowid } = insert.run(source, at, identity, keys[index], problems[index], row);
    if (changes === 0) return false;
    const own = entities[index];
    for (let each = 0; each < own.length; each += 2) insertEntity.run(source, own[each], own[each + 1], lastInsertRowid);
    return true;
  });
  db.exec("COMMIT");
  return isNew;
}

parentPort.on("message", ({ id, close, ...given }) => {
  if (close) {
    db.close();
    parentPort.close();
    return;
  }
  try {
    parentPort.postMessage({ id, isNew: append(given) });
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    parentPort.postMessage({ id, failure: error instanceof Error ? error.message : String(error) });
  }
});
