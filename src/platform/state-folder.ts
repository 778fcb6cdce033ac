import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { defineErrors } from "../core/errors.ts";
import type { Scope } from "../core/scope.ts";

/** Format of the state folder itself: bump when a file or folder in it changes its meaning. */
export const STATE_FORMAT = 1;
/** In the state folder: says its format. */
export const STATE_FILE = "state.json";
/** The oldest format this version can still open. */
const OLDEST_READABLE = 1;

export const stateErrors = defineErrors({
  STATE_IN_USE: {
    kind: "conflict",
    hint: "Stop the other process, or use its API: commands find a running `orrery up` by themselves.",
  },
  STATE_FOLDER_NEWER: { kind: "conflict", hint: "Use the Orrery version that made it, or a newer one." },
  STATE_FOLDER_TOO_OLD: { kind: "conflict", hint: "Open it once with an Orrery version in between, which brings it forward." },
  STATE_FOLDER_UNWRITABLE: {
    kind: "unavailable",
    hint: "Check the folder's owner, permissions and free space, or choose another with --state.",
  },
  STATE_FOLDER_DAMAGED: { kind: "internal", hint: "Restore the folder from a backup." },
});

/** Where everything in the state folder lies. */
export interface StatePaths {
  readonly root: string;
  readonly metadata: string;
  readonly artifacts: string;
  readonly online: string;
  /** Rows that were pushed. */
  readonly push: string;
  readonly traces: string;
  readonly logs: string;
  readonly run: string;
  readonly tmp: string;
  deployment(endpoint: string): string;
  predictions(endpoint: string): string;
  /** File with what each materialization of a view wrote. */
  statistics(view: string): string;
}

export function statePaths(root: string, scope: Scope): StatePaths {
  const scoped = (folder: string, ...rest: string[]) => join(root, folder, scope.workspace, scope.project, ...rest);
  return {
    root,
    metadata: join(root, "metadata.db"),
    artifacts: join(root, "artifacts"),
    online: scoped("online"),
    push: scoped("push"),
    traces: join(root, "traces"),
    logs: join(root, "logs"),
    run: join(root, "run"),
    tmp: join(root, "tmp"),
    deployment: (endpoint) => scoped("deployments", endpoint),
    predictions: (endpoint) => scoped("predictions", endpoint),
    statistics: (view) => scoped("statistics", `${encodeURIComponent(view)}.ndjson`),
  };
}

interface StateFile {
  formatVersion: number;
  minCompatibleVersion: number;
}

function readStateFile(path: string): StateFile | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  try {
    const state: unknown = JSON.parse(text);
    if (typeof state === "object" && state !== null && "formatVersion" in state && typeof state.formatVersion === "number") {
      const min =
        "minCompatibleVersion" in state && typeof state.minCompatibleVersion === "number"
          ? state.minCompatibleVersion
          : state.formatVersion;
      return { formatVersion: state.formatVersion, minCompatibleVersion: min };
    }
  } catch {
    // Falls through to the one answer for anything unreadable.
  }
  throw stateErrors.STATE_FOLDER_DAMAGED(`${path} is not a state file`);
}

/**
 * Makes the folder if need be and checks that this version may use it. Changes nothing in a folder it refuses.
 * @throws STATE_FOLDER_NEWER, STATE_FOLDER_TOO_OLD, STATE_FOLDER_UNWRITABLE, STATE_FOLDER_DAMAGED
 */
export function prepareStateFolder(paths: StatePaths): void {
  const file = join(paths.root, STATE_FILE);
  const state = readStateFile(file);
  if (state !== null && state.minCompatibleVersion > STATE_FORMAT) {
    throw stateErrors.STATE_FOLDER_NEWER(
      `${paths.root} was made by a newer Orrery (format ${state.formatVersion}, this one reads ${STATE_FORMAT})`,
    );
  }
  if (state !== null && state.formatVersion < OLDEST_READABLE) {
    throw stateErrors.STATE_FOLDER_TOO_OLD(
      `${paths.root} has format ${state.formatVersion}; the oldest that can be opened is ${OLDEST_READABLE}`,
    );
  }
  try {
    for (const folder of [paths.root, paths.artifacts, paths.online, paths.traces, paths.logs, paths.run, paths.tmp]) {
      mkdirSync(folder, { recursive: true });
    }
    if (state === null) {
      const made: StateFile = { formatVersion: STATE_FORMAT, minCompatibleVersion: STATE_FORMAT };
      writeFileSync(`${file}.new`, `${JSON.stringify(made)}\n`);
      renameSync(`${file}.new`, file);
    }
  } catch (cause) {
    throw stateErrors.STATE_FOLDER_UNWRITABLE(`The state folder ${paths.root} cannot be written: ${(cause as Error).message}`, {
      cause,
    });
  }
}

export interface StateLock {
  release(): void;
}

/**
 * Makes this process the folder's only owner until it releases the lock or dies: the lock is SQLite's own file lock, which
 * the operating system drops with the process, so that kill -9 leaves nothing locked. What the last owner left half written among the
 * temporary files is removed.
 * @throws STATE_IN_USE
 */
export function lockStateFolder(paths: StatePaths): StateLock {
  const owner = join(paths.run, "owner.json");
  const database = new DatabaseSync(join(paths.run, "owner.lock"));
  try {
    database.exec("PRAGMA busy_timeout=0; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    let who = "another process";
    try {
      who = `process ${(JSON.parse(readFileSync(owner, "utf8")) as { pid: number }).pid}`;
    } catch {
      // The owner has the lock but has not written its number yet.
    }
    throw stateErrors.STATE_IN_USE(`The state folder ${paths.root} is in use by ${who}`, { cause });
  }
  writeFileSync(owner, JSON.stringify({ pid: process.pid }));
  clearTemporary(paths.tmp);
  return { release: () => database.close() };
}

/** Only the owner and its workers, which end with it, write there. */
function clearTemporary(folder: string): void {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) rmSync(join(folder, name), { recursive: true, force: true });
}
