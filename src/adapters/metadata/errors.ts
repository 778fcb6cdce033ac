import { defineErrors, type OrreryError } from "../../core/errors.ts";

export const metadataErrors = defineErrors({
  STATE_NEWER: { kind: "conflict", hint: "Use the Orrery version that made it, or a newer one." },
  STATE_MISSING: { kind: "not-found", hint: "Run `orrery up` in the project's folder once, or correct the path." },
  STATE_DISK_FULL: { kind: "unavailable", hint: "Free disk space; what was stored before is as it was." },
  STATE_READ_ONLY: { kind: "denied", hint: "Make the state folder and its files writable, or ask the process that owns it." },
  STATE_CORRUPT: { kind: "internal", hint: "Restore the state folder from a backup." },
  STATE_BUSY: { kind: "unavailable", hint: "Another process writes to the same state; try again when it is done." },
  STATE_CONFLICT: {
    kind: "conflict",
    hint: "It exists already, or something it refers to does not; read the current state and try again.",
  },
  STATE_BACKUP_EXISTS: { kind: "conflict", hint: "Choose a path where there is no file yet." },
  STATE_MIGRATION_FAILED: {
    kind: "internal",
    hint: "The state is as it was before; its backup lies beside it. Report the message.",
  },
  STATE_TRANSACTION_NESTED: {
    kind: "internal",
    hint: "Use the connection handed to the transaction's work for every write in it.",
  },
  STATE_CLAIMED: { kind: "conflict", hint: "Stop the other process, or let it do the work; only one at a time may." },
  STATE_ADDRESS_INVALID: {
    kind: "invalid",
    hint: "Write postgres://user@host:5432/database?sslmode=verify-full; characters like @ in a password as %40.",
  },
  STATE_LOGIN_REFUSED: { kind: "denied", hint: "Check user, password and the database's pg_hba.conf; PGPASSWORD is read too." },
  STATE_UNREACHABLE: {
    kind: "unavailable",
    hint: "Start the database or correct its address; what was acknowledged is stored, and this was not done.",
  },
  STATE_OUTCOME_UNKNOWN: {
    kind: "unavailable",
    hint: "The database went away while it committed: read the current state to see whether this was done before doing it again.",
  },
  STATE_VALUE_REFUSED: {
    kind: "invalid",
    hint: "Shorten the text, take NUL characters out of it, or keep numbers within 64 bits.",
  },
  STATE_BACKUP_NEEDED: {
    kind: "conflict",
    hint: "Start it with a folder for the copy that is made before the database's format changes.",
  },
  STATE_UNSUPPORTED: { kind: "conflict", hint: "Use PostgreSQL 13 or newer." },
  STATE_NOT_EMPTY: { kind: "conflict", hint: "Restore into a database or a state folder that holds nothing yet." },
  STATE_QUERY_FAILED: { kind: "internal", hint: "This is a defect in Orrery; the log has the details." },
  STATE_CLOSED: { kind: "unavailable", hint: "The process is shutting down; ask again when it is back." },
});

/** What a SQLite thread says went wrong. `code` is SQLite's extended result code, 0 when the error is not SQLite's. */
export interface ThreadFailure {
  readonly code: number;
  readonly message: string;
  /** Set where the thread knows the error better than SQLite. */
  readonly known?: "STATE_NEWER" | "STATE_CORRUPT" | "STATE_MISSING" | "STATE_MIGRATION_FAILED";
}

/** SQLite's primary result codes, https://sqlite.org/rescode.html */
const BY_RESULT_CODE: Readonly<Record<number, readonly [code: keyof typeof metadataErrors, message: string]>> = {
  3: ["STATE_READ_ONLY", "The metadata may not be accessed"],
  5: ["STATE_BUSY", "The metadata is locked by another process"],
  6: ["STATE_BUSY", "The metadata is locked"],
  8: ["STATE_READ_ONLY", "The metadata cannot be written"],
  11: ["STATE_CORRUPT", "The metadata is damaged"],
  13: ["STATE_DISK_FULL", "The disk of the metadata is full"],
  14: ["STATE_READ_ONLY", "The metadata cannot be opened"],
  18: ["STATE_VALUE_REFUSED", "The metadata cannot hold a value"],
  19: ["STATE_CONFLICT", "The metadata refused a row"],
  20: ["STATE_VALUE_REFUSED", "The metadata cannot hold a value"],
  26: ["STATE_CORRUPT", "The metadata file is not a database"],
};

const CONSTRAINT_DATATYPE = 3091;

export function metadataError(failure: ThreadFailure, path: string): OrreryError {
  if (failure.known !== undefined) return metadataErrors[failure.known](failure.message);
  const cause = new Error(failure.message);
  // A row refused for its value's type and not for another row.
  const result = failure.code === CONSTRAINT_DATATYPE ? 20 : failure.code & 0xff;
  const [code, message] = BY_RESULT_CODE[result] ?? ["STATE_QUERY_FAILED", "A query of the metadata failed"];
  return metadataErrors[code](`${message}: ${failure.message} (${path})`, { cause });
}
