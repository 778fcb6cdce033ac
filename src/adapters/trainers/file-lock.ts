import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";

const RETRY_MS = 100;
/** SQLite's primary result code for "somebody else has it". */
const BUSY = 5;

/**
 * Runs `action` while no other process or caller holds the lock of this file. The lock is SQLite's own file lock, which the operating
 * system drops with the process. Waits as long as it takes, unless `signal` aborts.
 */
export async function withFileLock<T>(path: string, signal: AbortSignal | undefined, action: () => Promise<T>): Promise<T> {
  const database = new DatabaseSync(path);
  try {
    while (!tryLock(database)) await wait(RETRY_MS, undefined, signal === undefined ? {} : { signal });
    return await action();
  } finally {
    database.close();
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec("PRAGMA busy_timeout=0; BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === BUSY) return false;
    throw error;
  }
}
