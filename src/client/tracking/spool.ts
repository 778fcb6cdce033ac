import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { OrreryError } from "../../core/errors.ts";
import type { LogEntry } from "./entries.ts";
import { trackerErrors } from "./errors.ts";

const FORMAT = 1;

/** Whose run it is and how it is created; the access token is never written down. */
export interface RunHeader {
  readonly formatVersion: typeof FORMAT;
  readonly url: string;
  readonly project: string | null;
  readonly create: {
    readonly id: string;
    readonly startedAt: number;
    readonly experiment?: string;
    readonly name?: string;
    readonly parentRunId?: string;
    readonly userName?: string;
    readonly git?: { readonly commit: string | null; readonly diff: null };
    readonly tags?: Readonly<Record<string, string>>;
  };
}

/** A file that is still to be uploaded. */
export interface SpooledFile {
  readonly path: string;
  readonly mediaType: string;
  /** Where its bytes are. */
  readonly file: string;
}

/** ORRERY_SPOOL, else a folder in the home folder. */
export const spoolFolder = (): string => process.env.ORRERY_SPOOL ?? join(homedir(), ".orrery", "spool");

/**
 * What of one run could not be sent yet, in a folder `<run>.<process>`; `<run>.left` once its process let go of it. Made when
 * something is written.
 */
export class RunSpool {
  readonly #root: string;
  readonly #header: RunHeader;
  #folder: string;
  #made: boolean;

  constructor(root: string, header: RunHeader, folder?: string) {
    this.#root = root;
    this.#header = header;
    this.#folder = folder ?? join(root, `${header.create.id}.${process.pid}`);
    this.#made = folder !== undefined;
  }

  logNumbers(): number[] {
    if (!this.#made) return [];
    return readdirSync(this.#folder)
      .flatMap((name) => /^log-(\d+)\.ndjson$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** @throws TRACKER_SPOOL_UNWRITABLE */
  writeLog(number: number, entries: readonly LogEntry[]): void {
    this.#write((folder) => {
      const file = join(folder, logName(number));
      writeFileSync(`${file}.new`, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    });
  }

  readLog(number: number): LogEntry[] {
    return readLines<LogEntry>(join(this.#folder, logName(number)));
  }

  removeLog(number: number): void {
    if (this.#made) rmSync(join(this.#folder, logName(number)), { force: true });
  }

  /** Bytes are copied, a file is remembered where it is. @throws TRACKER_SPOOL_UNWRITABLE */
  addFile(path: string, mediaType: string, source: string | Uint8Array): void {
    this.#write((folder) => {
      let file = source;
      if (typeof file !== "string") {
        const name = `file-${readdirSync(folder).length}-${Date.now()}`;
        writeFileSync(join(folder, name), file, { mode: 0o600 });
        file = name;
      }
      const spooled: SpooledFile = { path, mediaType, file };
      appendFileSync(join(folder, "files.ndjson"), `${JSON.stringify(spooled)}\n`, { mode: 0o600 });
    });
  }

  files(): SpooledFile[] {
    const list = join(this.#folder, "files.ndjson");
    if (!this.#made || !existsSync(list)) return [];
    return readLines<SpooledFile>(list).map((file) => ({
      ...file,
      file: /^file-\d+-\d+$/.test(file.file) ? join(this.#folder, file.file) : file.file,
    }));
  }

  /** Everything was sent. */
  remove(): void {
    if (this.#made) rmSync(this.#folder, { recursive: true, force: true });
    this.#made = false;
  }

  /** For another process to send. */
  release(): void {
    if (!this.#made) return;
    const left = join(this.#root, `${this.#header.create.id}.left`);
    if (this.#folder === left || existsSync(left)) return;
    renameSync(this.#folder, left);
    this.#folder = left;
  }

  #write(work: (folder: string) => void): void {
    try {
      if (!this.#made) {
        mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
        writeFileSync(join(this.#folder, "run.json"), JSON.stringify(this.#header), { mode: 0o600 });
        this.#made = true;
      }
      work(this.#folder);
    } catch (cause) {
      throw trackerErrors.TRACKER_SPOOL_UNWRITABLE(`What run ${this.#header.create.id} logs cannot be kept in ${this.#folder}`, {
        cause,
      });
    }
  }
}

const logName = (number: number) => `log-${String(number).padStart(6, "0")}.ndjson`;

/** A last line that was cut off by a crash is left out. */
function readLines<T>(file: string): T[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return line === "" ? [] : [JSON.parse(line) as T];
      } catch {
        return [];
      }
    });
}

export interface LeftRun {
  readonly header: RunHeader;
  readonly spool: RunSpool;
}

export interface LeftRuns {
  readonly runs: readonly LeftRun[];
  /** TRACKER_SPOOL_UNREADABLE of each folder that is left alone. */
  readonly unreadable: readonly OrreryError[];
}

/** Takes over what processes that are gone left behind, of those runs that `wanted` names. */
export function takeLeftRuns(root: string, wanted: (header: RunHeader) => boolean): LeftRuns {
  const runs: LeftRun[] = [];
  const unreadable: OrreryError[] = [];
  for (const name of existsSync(root) ? readdirSync(root) : []) {
    const [, run = "", owner = ""] = /^(.+)\.(\d+|left)$/.exec(name) ?? [];
    if (run === "" || (owner !== "left" && isAlive(Number(owner)))) continue;
    const folder = join(root, name);
    const own = join(root, `${run}.${process.pid}`);
    try {
      const header = readHeader(folder);
      if (!wanted(header)) continue;
      // Of two processes that try, one succeeds.
      renameSync(folder, own);
      runs.push({ header, spool: new RunSpool(root, header, own) });
    } catch (error) {
      if (error instanceof OrreryError) unreadable.push(error);
    }
  }
  return { runs, unreadable };
}

/** Addresses that something waits for: what `orrery runs sync` goes through. */
export function leftAddresses(root: string): { readonly url: string; readonly project: string | null }[] {
  const found = new Map<string, { url: string; project: string | null }>();
  const look = ({ url, project }: RunHeader) => {
    found.set(JSON.stringify([url, project]), { url, project });
    return false;
  };
  takeLeftRuns(root, look);
  return [...found.values()];
}

function readHeader(folder: string): RunHeader {
  let header: Partial<RunHeader>;
  try {
    header = JSON.parse(readFileSync(join(folder, "run.json"), "utf8")) as Partial<RunHeader>;
  } catch (cause) {
    throw trackerErrors.TRACKER_SPOOL_UNREADABLE(`${folder} holds no run`, { cause });
  }
  if (header.formatVersion !== FORMAT || typeof header.url !== "string" || typeof header.create?.id !== "string")
    throw trackerErrors.TRACKER_SPOOL_UNREADABLE(`${folder} has format ${header.formatVersion}, not ${FORMAT}`);
  return header as RunHeader;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
