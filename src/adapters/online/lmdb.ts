import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { open, type RootDatabase } from "lmdb";
import { OrreryError } from "../../core/errors.ts";
import type { OnlineStore } from "../../core/ports/index.ts";
import { checkKey, onlineErrors } from "./errors.ts";

const SLAB_BYTES = 262_144;
/** A process that was killed leaves its reader slot behind, and the file grows until somebody clears it. */
const READER_CHECK_MS = 30_000;

/** Keys of what fills free pages for a moment; no record's key begins like this. */
const FILLER = "scrub:";
const SCRUBBED_AT_ONCE = 4_000;
const PAGE_BYTES = 4_096;
/** With its header it takes a page of its own, nearly whole. */
const FILLER_BYTES = 4_064;
/** A transaction may not take what the ones just before it freed. */
const COMMITS_BEFORE_REUSE = 3;
const READERS_POLL_MS = 20;
/** A backup of a large store reads one snapshot for long. */
const READERS_WAIT_MS = 120_000;

/** Online features in one LMDB folder. One process opens it for writing; any number open it with `readOnly`. */
export class LmdbOnlineStore implements OnlineStore {
  readonly #db: RootDatabase<Uint8Array, string>;
  readonly #readOnly: boolean;
  readonly #readerCheck: NodeJS.Timeout | null;
  readonly #slab = new Slab();

  readonly #file: string;

  constructor(db: RootDatabase<Uint8Array, string>, readOnly: boolean, file: string) {
    this.#db = db;
    this.#file = file;
    this.#readOnly = readOnly;
    this.#readerCheck = readOnly ? null : setInterval(() => db.readerCheck(), READER_CHECK_MS).unref();
  }

  async getMany(keys: readonly string[]): Promise<readonly (Uint8Array | null)[]> {
    for (const key of keys) checkKey(key);
    try {
      // getBinaryFast hands out one shared buffer, good until the next get: copying it is still 3-4 times faster than lmdb's getMany.
      return keys.map((key) => {
        const shared = this.#db.getBinaryFast(key);
        if (shared === undefined) return null;
        return this.#slab.copy(shared, shared.length);
      });
    } catch (cause) {
      throw storeError(cause);
    }
  }

  async putMany(entries: readonly (readonly [key: string, value: Uint8Array | null])[]): Promise<void> {
    if (this.#readOnly) throw onlineErrors.ONLINE_STORE_READ_ONLY("The online store was opened for reading only");
    for (const [key] of entries) checkKey(key);
    if (entries.length === 0) return;
    try {
      await this.#db.transaction(() => {
        for (const [key, value] of entries) {
          if (value === null) this.#db.remove(key);
          else this.#db.put(key, value);
        }
      });
      await this.#db.flushed;
    } catch (cause) {
      throw storeError(cause);
    }
  }

  async *keys(prefix: string): AsyncIterable<string> {
    // No end bound: the byte after a prefix need not be the end of a character.
    const range = prefix === "" ? this.#db.getKeys() : this.#db.getKeys({ start: prefix });
    for (const key of range) {
      if (!key.startsWith(prefix)) return;
      yield key;
    }
  }

  async scrub(): Promise<void> {
    if (this.#readOnly) throw onlineErrors.ONLINE_STORE_READ_ONLY("The online store was opened for reading only");
    try {
      await this.#removeFillers();
      await this.#rewriteAll();
      await this.#freeRewritten();
      await this.#fillFreePages();
      await this.#removeFillers();
    } catch (cause) {
      throw cause instanceof OrreryError ? cause : storeError(cause);
    }
  }

  /**
   * A page is never changed in place: what is put into it, if only what is there already, goes to a copy of what is in use. Bytes of removed
   * records that lay between stay behind in the free page. Records are removed before they are put again, since the pages above keep a removed
   * key for as long as the page that began with it has any record. The one at the edge of two portions may keep some in the first pass: its
   * records are in the middle of a portion in the second.
   */
  async #rewriteAll(): Promise<void> {
    for (const first of [SCRUBBED_AT_ONCE, SCRUBBED_AT_ONCE / 2]) {
      let limit = first;
      for (let start: string | null = ""; start !== null; limit = SCRUBBED_AT_ONCE) {
        const range: { start?: string; limit: number } = start === "" ? { limit } : { start, limit };
        start = await this.#db.transaction(() => {
          const some = [...this.#db.getRange(range)].map(({ key, value }) => [key, Buffer.from(value)] as const);
          for (const [key] of some) this.#db.remove(key);
          for (const [key, value] of some) this.#db.put(key, value);
          return some.length < range.limit ? null : some[some.length - 1][0];
        });
        await this.#db.flushed;
      }
    }
  }

  /**
   * Until transactions may take the pages that have been freed so far: some commits later, when no reader has a snapshot from before.
   * @throws ONLINE_STORE_READ where one keeps it for minutes
   */
  async #freeRewritten(): Promise<void> {
    const stats = this.#db.getStats();
    const last = "lastTxnId" in stats ? Number(stats.lastTxnId) : Number.NaN;
    for (let commit = 0; commit < COMMITS_BEFORE_REUSE; commit++)
      await this.putMany([[`${FILLER}commit`, Uint8Array.of(commit)]]);
    for (const until = performance.now() + READERS_WAIT_MS; ; await sleep(READERS_POLL_MS)) {
      this.#db.readerCheck();
      if (oldestSnapshot(this.#db.readerList()) > last) return;
      if (performance.now() > until)
        throw onlineErrors.ONLINE_STORE_READ("What was removed from the online store is still being read by a process");
    }
  }

  /** Values of a page each take the place of what lies in free pages: at most as many as the file has. */
  async #fillFreePages(): Promise<void> {
    const pages = Math.ceil(statSync(this.#file).size / PAGE_BYTES);
    const filler = Buffer.alloc(FILLER_BYTES);
    for (let page = 0; page < pages; page += SCRUBBED_AT_ONCE) {
      await this.#db.transaction(() => {
        for (let each = page; each < Math.min(pages, page + SCRUBBED_AT_ONCE); each++) this.#db.put(`${FILLER}${each}`, filler);
      });
      await this.#db.flushed;
    }
  }

  async #removeFillers(): Promise<void> {
    for (let isLeft = true; isLeft; ) {
      const entries: [string, null][] = [];
      for await (const key of this.keys(FILLER)) if (entries.push([key, null]) >= SCRUBBED_AT_ONCE) break;
      isLeft = entries.length > 0;
      await this.putMany(entries);
    }
  }

  async close(): Promise<void> {
    if (this.#readerCheck !== null) clearInterval(this.#readerCheck);
    await this.#db.close();
  }
}

/** Of a list with a line a reader: its process, its thread, and the transaction whose snapshot it has, or "-". */
const oldestSnapshot = (readers: string) =>
  Math.min(...[...readers.matchAll(/^\s*\d+\s+\S+\s+(\d+)\s*$/gm)].map(([, snapshot]) => Number(snapshot)));

/** Places many small values in one allocation, since an allocation for each costs more than its copy. Parts are never used again. */
class Slab {
  #buffer = new ArrayBuffer(0);
  #used = 0;

  copy(source: Uint8Array, length: number): Uint8Array {
    if (this.#used + length > this.#buffer.byteLength) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length)).buffer;
      this.#used = 0;
    }
    const value = new Uint8Array(this.#buffer, this.#used, length);
    value.set(source.subarray(0, length));
    // Aligned, so that a reader may lay numbers over it.
    this.#used += (length + 7) & ~7;
    return value;
  }
}

/**
 * Opens (and creates, unless `readOnly`) the online store in a folder of its own.
 * @throws ONLINE_STORE_MISSING when there is nothing to read yet, ONLINE_STORE_READ_ONLY, ONLINE_STORE_FULL, ONLINE_STORE_FAILED
 */
export function openLmdb(directory: string, options: { readOnly?: boolean } = {}): OnlineStore {
  const readOnly = options.readOnly ?? false;
  try {
    if (!readOnly) mkdirSync(directory, { recursive: true });
    return new LmdbOnlineStore(
      open<Uint8Array, string>({ path: directory, noSubdir: false, encoding: "binary", readOnly, maxReaders: 512 }),
      readOnly,
      join(directory, "data.mdb"),
    );
  } catch (cause) {
    if (readOnly && /No such file/i.test(messageOf(cause)))
      throw onlineErrors.ONLINE_STORE_MISSING(`There is no online store in ${directory}`, { cause });
    throw storeError(cause);
  }
}

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));

function storeError(cause: unknown): OrreryError {
  const message = messageOf(cause).split("\n", 1)[0] ?? "";
  if (/MDB_MAP_FULL|ENOSPC|No space left/i.test(message))
    return onlineErrors.ONLINE_STORE_FULL("The disk of the online store is full", { cause });
  if (/EACCES|EROFS|EPERM|Permission denied|Read-only/i.test(message))
    return onlineErrors.ONLINE_STORE_READ_ONLY("The online store cannot be written", { cause });
  return onlineErrors.ONLINE_STORE_FAILED(`The online store failed: ${message}`, { cause });
}

/** A consistent, compacted copy of an online store that another process may be writing to. `to` is a folder that is not there yet. */
export async function backupLmdb(from: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true });
  const db = open({ path: from, readOnly: true, encoding: "binary" });
  try {
    await db.backup(to, true);
  } catch (cause) {
    throw storeError(cause);
  } finally {
    await db.close();
  }
}
