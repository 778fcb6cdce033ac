import type { ArtifactFile } from "../../contract/index.ts";
import type { RunSpool } from "./spool.ts";
import type { ArtifactSource } from "./tracking-server.ts";

interface Upload {
  readonly path: string;
  readonly source: ArtifactSource;
  readonly mediaType: string;
  resolve(file: ArtifactFile): void;
  reject(error: unknown): void;
}

/** A run's files, one after the other, beside what it logs: a large one holds up no metric. */
export class FileUploads {
  readonly #spool: RunSpool;
  readonly #send: (path: string, source: ArtifactSource, mediaType: string) => Promise<ArtifactFile | null>;
  readonly #waiting: Upload[] = [];
  readonly #onEnded: () => void;
  #started = false;
  #added = 0;
  #ended = 0;
  #working: Promise<void> | null = null;

  /** Starts with those that an earlier process left. `send` answers null when it gave up because the process ends. */
  constructor(
    spool: RunSpool,
    send: (path: string, source: ArtifactSource, mediaType: string) => Promise<ArtifactFile | null>,
    onEnded: () => void,
  ) {
    this.#spool = spool;
    this.#send = send;
    this.#onEnded = onEnded;
    for (const { path, mediaType, file } of spool.files())
      void this.add(path, { from: "file", path: file }, mediaType).catch(() => undefined);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The run is there. */
  start(): void {
    this.#started = true;
    this.#work();
  }

  add(path: string, source: ArtifactSource, mediaType: string): Promise<ArtifactFile> {
    const { promise, resolve, reject } = Promise.withResolvers<ArtifactFile>();
    // Whoever does not wait for it hears of its failure from flush.
    promise.catch(() => undefined);
    this.#added += 1;
    this.#waiting.push({ path, source, mediaType, resolve, reject });
    this.#work();
    return promise;
  }

  get added(): number {
    return this.#added;
  }

  /** Stored or refused. */
  get ended(): number {
    return this.#ended;
  }

  spoolRest(onLost: (path: string) => void): void {
    for (const { path, source, mediaType } of this.#waiting.splice(0)) {
      if (source.from === "stream") onLost(path);
      else this.#spool.addFile(path, mediaType, source.from === "file" ? source.path : source.bytes);
    }
  }

  #work(): void {
    if (!this.#started || this.#working !== null) return;
    this.#working = this.#sendAll().then((gaveUp) => {
      this.#working = null;
      // One that was added by whoever waited for the last came before this.
      if (!gaveUp && this.#waiting.length > 0) this.#work();
    });
  }

  /** Whether the process ends and the rest is left. */
  async #sendAll(): Promise<boolean> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        const file = await this.#send(next.path, next.source, next.mediaType);
        if (file === null) return true;
        next.resolve(file);
      } catch (error) {
        next.reject(error);
      }
      if (this.#waiting[0] === next) this.#waiting.shift();
      this.#ended += 1;
      this.#onEnded();
    }
    return false;
  }
}
