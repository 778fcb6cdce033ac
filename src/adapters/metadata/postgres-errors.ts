import { OrreryError } from "../../core/errors.ts";
import { metadataErrors } from "./errors.ts";

type Known = readonly [code: keyof typeof metadataErrors, message: string];

/** SQLSTATE codes and classes, https://www.postgresql.org/docs/current/errcodes-appendix.html; a code goes before its class. */
const BY_STATE: Readonly<Record<string, Known>> = {
  "22001": ["STATE_VALUE_REFUSED", "The metadata cannot hold a value"],
  "22003": ["STATE_VALUE_REFUSED", "The metadata cannot hold a value"],
  "22021": ["STATE_VALUE_REFUSED", "The metadata cannot hold a value"],
  "22P02": ["STATE_VALUE_REFUSED", "The metadata cannot hold a value"],
  "22P05": ["STATE_VALUE_REFUSED", "The metadata cannot hold a value"],
  "54000": ["STATE_VALUE_REFUSED", "The metadata cannot hold a value"],
  "23": ["STATE_CONFLICT", "The metadata refused a row"],
  "25006": ["STATE_READ_ONLY", "The metadata cannot be written"],
  "28": ["STATE_LOGIN_REFUSED", "The database does not let Orrery in"],
  "3D": ["STATE_MISSING", "There is no such database"],
  "42501": ["STATE_READ_ONLY", "The metadata may not be accessed"],
  "40": ["STATE_BUSY", "The metadata is used by others"],
  "55": ["STATE_BUSY", "The metadata is locked by others"],
  "57014": ["STATE_BUSY", "The database stopped a query"],
  "53100": ["STATE_DISK_FULL", "The disk of the metadata is full"],
  "53": ["STATE_UNREACHABLE", "The database has no room for another connection"],
  "57": ["STATE_UNREACHABLE", "The database went away"],
  "08": ["STATE_UNREACHABLE", "The database cannot be reached"],
  "58": ["STATE_UNREACHABLE", "The database's machine has a fault"],
  XX001: ["STATE_CORRUPT", "The metadata is damaged"],
  XX002: ["STATE_CORRUPT", "The metadata is damaged"],
};

/** Of the machine and the network; the others (certificates, names that do not exist) will not pass by waiting. */
const PASSING = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

/** What the driver says without a code when the connection is not there any more. */
const LOST = /connection terminated|connection error|not queryable|was closed|timeout exceeded when trying to connect|socket/i;

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  // Node tries every address of a name and keeps what each said.
  return error instanceof AggregateError ? codeOf(error.errors[0]) : "";
};

/** The server could not be talked to: that says nothing about the statement, and waiting may help. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof OrreryError || !(error instanceof Error)) return false;
  const code = codeOf(error);
  if (PASSING.has(code) || /^(?:08|57P0|53300)/.test(code)) return true;
  return code === "" && LOST.test(error.message);
}

/** An error of the driver in the metadata's own terms. Only the server's one-line message is shown, never its details: they hold rows. */
export function postgresError(error: unknown, shown: string): OrreryError {
  if (error instanceof OrreryError) return error;
  const code = codeOf(error);
  const said = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
  const cause = new Error(`${code} ${said}`.trim());
  const state = /^[0-9A-Z]{5}$/.test(code) && !PASSING.has(code) ? code : "";
  const [known, message]: Known =
    BY_STATE[state] ??
    BY_STATE[state.slice(0, 2)] ??
    (state === ""
      ? ["STATE_UNREACHABLE", "The database cannot be reached"]
      : ["STATE_QUERY_FAILED", "A query of the metadata failed"]);
  return metadataErrors[known](`${message}: ${said || code} (${shown})`, { cause });
}
