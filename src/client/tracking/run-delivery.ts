import type { ArtifactFile } from "../../contract/index.ts";
import { toOrreryError } from "../../core/errors.ts";
import { ApiError } from "../index.ts";
import { batchOf, batchSize, MOST_ENTRIES } from "./batch.ts";
import type { LogEntry, RefusedEntry } from "./entries.ts";
import { EntryQueue } from "./entry-queue.ts";
import { trackerErrors } from "./errors.ts";
import { FileUploads } from "./file-uploads.ts";
import type { RunHeader, RunSpool } from "./spool.ts";
import { type ArtifactSource, backoffMs, failureKind, type TrackingServer } from "./tracking-server.ts";

export interface TrackerWarning {
  readonly code: string;
  readonly message: string;
  readonly refused?: readonly RefusedEntry[];
}

export interface DeliverySettings {
  /** How long an entry waits for others before it is sent, at most. */
  readonly batchMs: number;
  /** How long flush and end wait for a server that cannot be reached. */
  readonly patienceMs: number;
  readonly onWarning: (warning: TrackerWarning) => void;
}

interface Trouble {
  readonly error: unknown;
  readonly denied: boolean;
  /** performance.now() of the first failure in a row. */
  readonly since: number;
  readonly failures: number;
}

/** The server failed by itself so often at the same entries that it is them. */
const MOST_INTERNAL_FAILURES = 6;

/**
 * Brings what one run logs to the server: in order, one request at a time, again and again while it cannot be reached. All of it may
 * arrive twice and is stored once: a run by its id, a metric by all of its parts, params, tags and data sets by their values.
 */
export class RunDelivery {
  readonly header: RunHeader;
  readonly #server: TrackingServer;
  readonly #spool: RunSpool;
  readonly #settings: DeliverySettings;
  readonly #queue: EntryQueue;
  readonly #uploads: FileUploads;
  #created = false;
  #pushed = 0;
  #done = 0;
  #refused: RefusedEntry[] = [];
  #trouble: Trouble | null = null;
  #timer: NodeJS.Timeout | null = null;
  #sending = false;
  /** Somebody waits: nothing is held back for a fuller batch. */
  #hurried = 0;
  #changed = Promise.withResolvers<void>();
  #uploadTrouble: Trouble | null = null;
  readonly #wakes = new Set<() => void>();
  #spooled = false;
  #closed = false;

  constructor(server: TrackingServer, header: RunHeader, spool: RunSpool, settings: DeliverySettings) {
    this.header = header;
    this.#server = server;
    this.#spool = spool;
    this.#settings = settings;
    this.#queue = new EntryQueue(spool);
    // What was left behind is counted only while it is read.
    if (this.#queue.length > 0) this.#pushed = Number.POSITIVE_INFINITY;
    this.#uploads = new FileUploads(
      spool,
      (path, source, mediaType) => this.#upload(path, source, mediaType),
      () => this.#notify(),
    );
  }

  get id(): string {
    return this.header.create.id;
  }

  get isEmpty(): boolean {
    return this.#created && this.#queue.length === 0 && this.#uploads.isEmpty;
  }

  /** @throws TRACKER_SPOOL_UNWRITABLE when more is waiting than memory is for, and the disk takes it neither */
  push(entry: LogEntry): void {
    this.#queue.push(entry);
    this.#pushed += 1;
    if (this.#spooled) this.spoolRest();
    else this.#schedule();
  }

  upload(path: string, source: ArtifactSource, mediaType: string): Promise<ArtifactFile> {
    return this.#uploads.add(path, source, mediaType);
  }

  /** Makes the run on the server. @throws as flush */
  async create(patienceMs: number): Promise<void> {
    this.#schedule();
    await this.#until(() => this.#created, patienceMs);
  }

  /**
   * Resolves when the server has everything that was logged before.
   * @throws TRACKER_ENTRIES_REFUSED for what it never will take, TRACKER_UNREACHABLE (everything stays queued), ApiError 401 and 403
   */
  async flush(patienceMs = this.#settings.patienceMs): Promise<void> {
    const target = this.#pushed;
    const files = this.#uploads.added;
    const logged = () => this.#created && (this.#queue.length === 0 || this.#done >= target);
    await this.#until(() => logged() && this.#uploads.ended >= files, patienceMs);
    const refused = this.#refused.splice(0);
    const [first] = refused;
    if (first === undefined) return;
    const rest = refused.length > 1 ? ` and ${refused.length - 1} more` : "";
    throw trackerErrors.TRACKER_ENTRIES_REFUSED(
      `The server refused ${first.kind} ${first.name} of ${this.id}${rest}: ${first.message}`,
      {
        details: { refused },
      },
    );
  }

  /** Writes everything that was not acknowledged where the next start or `orrery runs sync` finds it. Synchronous: for a process's last moment. */
  spoolRest(): void {
    if (this.isEmpty) return;
    this.#queue.spoolRest();
    this.#uploads.spoolRest((path) =>
      this.#warn("TRACKER_STREAM_LOST", `${path} of ${this.id} was a stream that was not read to its end`),
    );
    this.#spool.release();
    this.#spooled = true;
  }

  /** Nothing more is sent, and nothing of it is kept. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const wake of this.#wakes) wake();
    if (!this.#spooled) this.#spool.remove();
  }

  get #stopped(): boolean {
    return this.#spooled || this.#closed;
  }

  async #until(reached: () => boolean, patienceMs: number): Promise<void> {
    this.#hurried += 1;
    const began = performance.now();
    // While somebody waits, the process must not end for want of anything else to do.
    const alive = setInterval(() => undefined, 60_000);
    try {
      for (const wake of this.#wakes) wake();
      this.#schedule();
      while (!reached()) {
        const trouble = this.#trouble ?? this.#uploadTrouble;
        if (trouble?.denied) throw trouble.error;
        const left = trouble === null ? patienceMs : patienceMs - (performance.now() - Math.max(trouble.since, began));
        if (left <= 0) throw this.#unreachable(trouble?.error);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(left, 60_000) + 1);
          void this.#changed.promise.then(() => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
    } finally {
      clearInterval(alive);
      this.#hurried -= 1;
    }
  }

  #unreachable(cause: unknown) {
    const why = cause === undefined ? "it did not answer" : toOrreryError(causeOf(cause)).message;
    return trackerErrors.TRACKER_UNREACHABLE(`${this.header.url} cannot be reached: ${why}`, { cause });
  }

  #schedule(): void {
    if (this.#sending || this.#stopped) return;
    const now = !this.#created || this.#hurried > 0 || this.#queue.length >= MOST_ENTRIES;
    if (now) {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = null;
      this.#sending = true;
      void this.#send();
    } else if (this.#timer === null) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#sending = true;
        void this.#send();
      }, this.#settings.batchMs);
      this.#timer.unref();
    }
  }

  /** Until nothing is left, or what is left is no full batch and nobody waits for it. */
  async #send(): Promise<void> {
    try {
      do {
        if (this.#created || (await this.#try(() => this.#create()))) {
          const entries = this.#queue.peek(MOST_ENTRIES);
          const count = batchSize(entries);
          if (count > 0) await this.#deliver(entries.slice(0, count));
        }
        this.#notify();
      } while (!this.#stopped && (this.#queue.length >= MOST_ENTRIES || (this.#hurried > 0 && this.#queue.length > 0)));
    } finally {
      this.#sending = false;
      if (this.#queue.length > 0) this.#schedule();
    }
  }

  async #create(): Promise<void> {
    const client = await this.#server.client();
    await client.runs.create(this.header.create);
    this.#created = true;
    this.#uploads.start();
  }

  /** In halves where the server refuses, until what it refuses stands alone. */
  async #deliver(entries: readonly LogEntry[]): Promise<void> {
    const taken = await this.#try(
      () => this.#request(entries),
      (error) => {
        if (entries.length > 1) return;
        const [entry] = entries;
        if (entry !== undefined) this.#refuse(entry.kind, nameOf(entry), error);
      },
    );
    if (this.#stopped) return;
    if (taken || entries.length === 1) {
      this.#queue.drop(entries.length);
      this.#done += entries.length;
      return;
    }
    const middle = entries.length >> 1;
    await this.#deliver(entries.slice(0, middle));
    if (!this.#stopped) await this.#deliver(entries.slice(middle));
  }

  async #request(entries: readonly LogEntry[]): Promise<void> {
    const client = await this.#server.client();
    const [first] = entries;
    if (first?.kind === "dataset")
      await client.runs.logDatasets({ id: this.id, datasets: [{ dataset: first.dataset, tags: { ...first.tags } }] });
    else if (first?.kind === "end") await client.runs.update({ id: this.id, status: first.status, endedAt: first.at });
    else await client.runs.logBatch({ id: this.id, ...batchOf(entries) });
  }

  /** false: refused for good. */
  async #try(work: () => Promise<void>, onRefused: (error: unknown) => void = () => undefined): Promise<boolean> {
    for (let failures = 1; ; failures += 1) {
      try {
        await work();
        this.#trouble = null;
        return true;
      } catch (error) {
        const kind = failureKind(error);
        const internal = error instanceof ApiError && error.status === 500 && failures >= MOST_INTERNAL_FAILURES;
        if (kind === "refused" || internal) {
          this.#trouble = null;
          if (!this.#created) {
            // Without a run there is nothing to log to: whoever waits for it is told, and tries again.
            this.#trouble = { error, denied: true, since: performance.now(), failures };
          } else {
            onRefused(error);
            return false;
          }
        } else {
          const since = this.#trouble?.since ?? performance.now();
          if (this.#trouble === null && this.#created)
            this.#warn("TRACKER_UNREACHABLE", `${this.#unreachable(error).message}; what ${this.id} logs waits`);
          this.#trouble = { error, denied: kind === "denied", since, failures };
        }
        this.#notify();
        await this.#pause(backoffMs(failures));
        if (this.#stopped) return false;
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wakes.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      timer.unref();
      this.#wakes.add(wake);
    });
  }

  async #upload(path: string, source: ArtifactSource, mediaType: string): Promise<ArtifactFile | null> {
    for (let failures = 1; ; failures += 1) {
      try {
        const file = await this.#server.upload(this.id, path, source, mediaType);
        this.#uploadTrouble = null;
        return file;
      } catch (error) {
        if (this.#stopped) return null;
        const kind = failureKind(error);
        if (kind === "refused" || source.from === "stream") {
          this.#uploadTrouble = null;
          this.#refuse("artifact", path, error);
          throw error;
        }
        const since = this.#uploadTrouble?.since ?? performance.now();
        this.#uploadTrouble = { error, denied: kind === "denied", since, failures };
        this.#notify();
        await this.#pause(backoffMs(failures));
        if (this.#stopped) return null;
      }
    }
  }

  #refuse(kind: RefusedEntry["kind"], name: string, error: unknown): void {
    const { code, message } = error instanceof ApiError ? error.body : toOrreryError(error);
    const refused: RefusedEntry = { run: this.id, kind, name, code, message };
    this.#refused.push(refused);
    this.#settings.onWarning({ code, message: `${kind} ${name} of ${this.id} was refused: ${message}`, refused: [refused] });
  }

  #warn(code: string, message: string): void {
    this.#settings.onWarning({ code, message });
  }

  #notify(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}

const nameOf = (entry: LogEntry): string =>
  entry.kind === "dataset" ? entry.dataset.name : entry.kind === "end" ? entry.status : entry.key;

/** fetch says only "fetch failed"; why is in its cause. */
function causeOf(error: unknown): unknown {
  return error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
}
